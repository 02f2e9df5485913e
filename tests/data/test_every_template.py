"""Every chat template that TRL ships, on conversations made at random: exact, equal to TRL's own, or refused in words.

Three things hold for each row that is not refused: the preview's ids and labels are the trainer's; they are those that
TRL prepares of the raw row; and each call's arguments are read back from the text as the object that stands in the row.
"""

import copy
import json
import re
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trl

from dfgui.config import Data
from dfgui.data import replies, template
from dfgui.data.conversation import RowError
from dfgui.data.formats import to_conversation
from dfgui.data.prepare import prepare
from dfgui.data.preview import preview
from dfgui.data.rows import Options
from dfgui.data.sources import Row
from dfgui.data.tokens import IGNORED, tokenize
from dfgui.errors import UserError
from tests.data.oracle import trl_rows
from tests.data.rows import answered, assistant, user

FOLDER = Path(trl.__file__).parent / "chat_templates"
ALL = sorted(path.stem for path in FOLDER.glob("*.jinja") if not path.stem.endswith("_training"))
NO_TEXT = ("llava_next", "idefics3")  # take content in parts only
NAMES = [name for name in ALL if name not in NO_TEXT]
ROWS = 12  # a template
UNREAD = ("muse_glimmer", "diffusion_gemma")  # write calls in a form that nobody here reads back
WORDS = [
    "Oslo",
    "São Paulo",
    "東京",
    "👩‍👩‍👧",
    'a "b"',
    "it's",
    "x\\y",
    "<b>",
    "{c}",
    "1",
    "true",
    "null",
    "two  blanks",
    "a\nb",
]


def text(rng: Random) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 4)))


def said(rng: Random) -> str:
    """What an assistant says ends in a plain letter: of a character of several bytes TRL drops the last ones."""
    return f"{text(rng)} ok"


def value(rng: Random, depth: int = 0) -> Any:
    kinds = ["text", "text", "number", "truth"] + (["list", "object"] if depth < 2 else [])
    match rng.choice(kinds):
        case "text":
            return text(rng)
        case "number":
            return rng.choice((0, -3, 7, 2.5, 10**12))
        case "truth":
            return rng.random() < 0.5
        case "list":
            return [value(rng, depth + 1) for _ in range(rng.randint(0, 3))]
        case _:
            return {f"k{n}": value(rng, depth + 1) for n in range(rng.randint(0, 2))}


TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}


def made(rng: Random, tools: bool, several: bool) -> dict:
    """A row in OpenAI's style: a few questions, calls with results in between, all that templates commonly carry."""
    messages: list[dict] = [{"role": "system", "content": text(rng)}] if rng.random() < 0.3 else []
    offered = []
    for _ in range(rng.randint(1, 3)):
        messages.append(user(f"ASKED {text(rng)}"))
        if tools and rng.random() < 0.7:
            calls = []
            for _ in range(rng.choice((1, 1, 2)) if several else 1):
                arguments = {f"a{n}": value(rng) for n in range(rng.randint(0, 3))}
                name = f"tool_{len(offered)}"
                properties = {key: {"type": TYPES[type(one)]} for key, one in arguments.items()}
                schema = {"type": "object", "properties": properties}
                offered.append(
                    {"type": "function", "function": {"name": name, "description": "It acts.", "parameters": schema}}
                )
                calls.append({"type": "function", "function": {"name": name, "arguments": arguments}})
            messages.append(assistant(rng.choice(("", said(rng))), tool_calls=calls))
            messages += [answered(json.dumps({"r": f"RESULT {text(rng)}"})) for _ in calls]
        messages.append(assistant(said(rng)))
    return {"messages": messages, **({"tools": offered} if offered else {})}


def as_sharegpt(row: dict) -> dict:
    """The same row as ShareGPT has it: a call is a turn of its own, after the words of its assistant."""
    turns = []
    for message in row["messages"]:
        if calls := message.get("tool_calls"):
            if message["content"]:
                turns.append({"from": "gpt", "value": message["content"]})
            turns.append({"from": "function_call", "value": json.dumps([call["function"] for call in calls])})
        else:
            speaker = {"user": "human", "assistant": "gpt", "tool": "observation", "system": "system"}[message["role"]]
            turns.append({"from": speaker, "value": message["content"]})
    return {"conversations": turns, **({"tools": json.dumps(row["tools"])} if "tools" in row else {})}


def carried(tokenizer: Any, rows: list[dict]) -> list[dict]:
    """The rows that are not refused."""
    kept = []
    for row in rows:
        try:
            template.render(to_conversation(row, "messages"), tokenizer)
        except RowError as error:
            assert error.check == "not_rendered" and error.do
        else:
            kept.append(row)
    return kept


@pytest.fixture
def rows_of(tokenizer_of):
    def rows(name: str) -> tuple[Any, list[dict]]:
        tokenizer = tokenizer_of(name)
        form = template.describe(tokenizer)
        rng = Random(name)
        rows = carried(tokenizer, [made(rng, form.tools, form.several) for _ in range(ROWS)])
        assert len(rows) >= ROWS / 3
        return tokenizer, rows

    return rows


@pytest.mark.parametrize("name", NAMES)
def test_the_preview_is_the_trainers_row_in_every_format(rows_of, written, home, name):
    tokenizer, rows = rows_of(name)
    train_on = "assistant" if template.examine(template.original(tokenizer)).training else "everything"
    shown = []
    for format, all_of_it in (("messages", rows), ("sharegpt", [as_sharegpt(row) for row in rows])):
        path = written(f"{format}.jsonl", "".join(json.dumps(row) + "\n" for row in all_of_it))
        data = Data(source=str(path), format=format, train_on=train_on, eval_fraction=0)
        train = prepare(data, tokenizer, 100_000, 42, home).train
        previews = [preview(Row(1, row), Options(format, None, train_on), tokenizer)["tokens"] for row in all_of_it]
        assert [[token["id"] for token in tokens] for tokens in previews] == train["input_ids"][:]
        assert [[token["trained"] for token in tokens] for tokens in previews] == [
            [label != IGNORED for label in labels] for labels in train["labels"]
        ]
        shown.append(train["input_ids"][:])
    assert shown[0] == shown[1]


@pytest.mark.parametrize(("name", "words"), zip(NO_TEXT, ("does not work", "drops what is said"), strict=True))
def test_a_template_that_takes_no_text_is_refused_in_words(tokenizer_of, name, words):
    with pytest.raises(UserError, match=f"The chat template of this model {words}"):
        template.describe(tokenizer_of(name))


@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_trl_prepares(rows_of, written, home, name):
    tokenizer, rows = rows_of(name)
    form = template.examine(template.original(tokenizer))
    train_on, options = ("assistant", {"assistant_only_loss": True}) if form.training else ("everything", {})
    path = written("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    train = prepare(Data(source=str(path), train_on=train_on, eval_fraction=0), tokenizer, 100_000, 42, home).train
    ours = list(zip(train["input_ids"], train["labels"], strict=True))
    for columns in {tuple(row) for row in rows}:
        places = [place for place, row in enumerate(rows) if tuple(row) == columns]
        given = [rows[place] if form.training else as_text(rows[place], form.arguments) for place in places]
        assert [ours[place] for place in places] == trl_rows(tokenizer, given, **options)


def as_text(row: dict, arguments: str | None = "string") -> dict:
    """Arguments as JSON text where the template needs them so: to TRL they are whatever the row holds."""
    if arguments != "string":
        return row
    row = json.loads(json.dumps(row))
    for message in row["messages"]:
        for call in message.get("tool_calls", []):
            call["function"]["arguments"] = json.dumps(call["function"]["arguments"], ensure_ascii=False)
    return row


@pytest.mark.parametrize("name", ["deepseekv3", "qwen3_8", "gemma4", "nemotron_3_nano"])
def test_trl_would_train_arguments_that_are_json_text_as_text_in_quotes(rows_of, written, home, name):
    """As DeepFabric and OpenAI write them. Ours are the same whether a row holds an object or its text."""
    tokenizer, rows = rows_of(name)
    row = next(row for row in rows if any("tool_calls" in message for message in row["messages"]))
    path = written("rows.jsonl", f"{json.dumps(row)}\n{json.dumps(as_text(row))}\n")
    data = Data(source=str(path), train_on="everything", eval_fraction=0)
    objects, texts = prepare(data, tokenizer, 100_000, 42, home).train["input_ids"]
    assert objects == texts


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(UNREAD)])
def test_arguments_are_read_back_from_the_text_as_the_row_has_them(rows_of, name):
    tokenizer, rows = rows_of(name)
    form = template.describe(tokenizer)
    read = 0
    for row in rows:
        for number, message in enumerate(row["messages"]):
            if calls := message.get("tool_calls"):
                turn = spoken(tokenizer, row, number)
                found = replies.parse(turn, tokenizer, row["tools"])
                assert (found.broken, found.calls) == (None, [call["function"] for call in calls]), turn
                read += len(calls)
    assert bool(read) == form.tools


def spoken(tokenizer: Any, row: dict, number: int) -> str:
    """What the template makes of one assistant turn that ends the conversation."""
    conversation = to_conversation({**row, "messages": row["messages"][:number]}, "messages")
    prompt = template.render(conversation, tokenizer, add_generation_prompt=True)
    whole = template.render(to_conversation({**row, "messages": row["messages"][: number + 1]}, "messages"), tokenizer)
    parted = next((at for at in range(min(len(prompt), len(whole))) if prompt[at] != whole[at]), len(prompt))
    turn = whole[len(whole[:parted].rstrip("<")) :]
    return re.sub(
        r"(<\|im_end\|>|<\|call\|>|<\|eot_id\|>|<\|observation\|>|<｜end▁of▁sentence｜>|<\|tool_response>)\s*$",
        "",
        turn,
    )


EDITS = {
    "another first sentence": lambda text: "{{- 'You were trained here.\\n' }}" + text,
    "a newline at the end": lambda text: text.rstrip("\n") + "\n\n",
    "a comment": lambda text: "{# ours #}" + text,
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("name", NAMES)
def test_an_edited_template_is_exact_or_refused_with_the_reason(tokenizer_of, rows_of, name, edit):
    """TRL does not know it any more, so turns are told by rendering the conversation up to each."""
    tokenizer, rows = rows_of(name)
    if not template.examine(template.original(tokenizer)).training:
        return  # TRL knows nothing of the original either
    edited = copy.copy(tokenizer)
    edited.chat_template = EDITS[edit](template.original(tokenizer))
    beside = template.describe(edited).beside
    for row in rows:
        try:
            ours = learned(edited, row)
        except RowError as error:
            assert "rendered differently with and without what follows" in error.said
            assert "TRL" in error.why and "last_assistant" in error.do
            continue
        said = [message for message in row["messages"] if message["role"] == "assistant"]
        assert len(ours) == len(said)
        for turn, message in zip(ours, said, strict=True):
            assert message["content"].strip() in turn or not (beside or "tool_calls" not in message)
            assert all(call["function"]["name"] in turn for call in message.get("tool_calls", []))
            assert "ASKED" not in turn and "RESULT" not in turn


def learned(tokenizer: Any, row: dict) -> list[str]:
    """The stretches of text that train."""
    made_of = tokenize(to_conversation(row, "messages"), tokenizer, None, "assistant")
    pairs = zip(made_of.spans, made_of.labels, strict=True)
    runs = groupby(pairs, key=lambda pair: pair[1] != IGNORED)
    return ["".join(made_of.text[a:b] for (a, b), _ in run) for wanted, run in runs if wanted]
