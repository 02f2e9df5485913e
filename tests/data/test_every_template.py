"""Every chat template that TRL ships, on rows of every format made at random: exact, equal to TRL's own, or refused.

Three things hold for each row that is not refused: the preview's ids and labels are the trainer's; they are those that
TRL prepares of it, where it has a way to; and each call's arguments are read back from the text as the object that
stands in the row. bench/templates.py asks the same of more rows.
"""

import copy
import re
from itertools import groupby, product
from random import Random
from typing import Any

import pytest

from dfgui.data import probe, replies, template
from dfgui.data.conversation import RowError
from dfgui.data.formats import to_conversation
from dfgui.data.tokens import IGNORED, tokenize
from dfgui.errors import UserError
from tests.data.random_rows import KINDS, messages
from tests.data.sides import NAMES, NO_TEXT, TRAIN_ON, data_of, of_trl, refusal, render, shown, trained
from tests.tiny import trl_template

ROWS = 12  # a template
FEW = 8  # a template, a format and a way to learn


def carried(tokenizer: Any, rows: list[dict]) -> list[dict]:
    """The rows that are not refused."""
    kept = []
    for row in rows:
        try:
            render(to_conversation(row, "messages"), tokenizer)
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
        rows = carried(tokenizer, [messages(rng, form.tools, form.several) for _ in range(ROWS)])
        assert len(rows) >= ROWS / 3
        return tokenizer, rows

    return rows


REFUSED = {  # why rows are, by template; no row of the others is
    "gemma": "The template says: System role not supported.",
    "gemma4": "rendered differently with and without what follows",
    "lfm2_2_5": "has a tool call that this model's chat template would garble",
}
# Ways to learn take turns over templates and formats; chats, whose mask has most to it, are learned by default as well.
ASKED = [
    (name, kind, train_on)
    for (at, name), (of, kind) in product(enumerate(NAMES), enumerate(KINDS))
    for train_on in TRAIN_ON
    if train_on == TRAIN_ON[(at + of) % len(TRAIN_ON)] or (train_on == "assistant" and of < 2)
]


@pytest.mark.parametrize(("name", "kind", "train_on"), ASKED)
def test_the_preview_is_the_trainers_row_and_trls(tokenizer_of, tmp_path, home, name, kind, train_on):
    tokenizer = tokenizer_of(name)
    form = template.describe(tokenizer)
    data = data_of(kind, train_on)
    rng = Random(f"{name} {kind}")
    made = [KINDS[kind].made(rng, form.tools, form.several) for _ in range(FEW)]
    refused = [refusal(row, data, tokenizer) for row, _ in made]
    assert all(error is None or (REFUSED.get(name, "nothing is") in str(error) and error.do) for error in refused)
    kept = [pair for pair, error in zip(made, refused, strict=True) if error is None]
    assert len(kept) >= FEW / 4
    rows, as_trl_takes_them = zip(*kept, strict=True)
    ours = trained(rows, data, tokenizer, tmp_path / "rows.jsonl", home)
    assert shown(rows, data, tokenizer) == ours
    theirs = of_trl(as_trl_takes_them, train_on, tokenizer)
    assert [one if one is None else mine for mine, one in zip(ours, theirs, strict=True)] == theirs
    assert any(theirs) or (form.training is None and train_on in ("assistant", "completion"))


@pytest.mark.parametrize("name", NAMES)
def test_tools_in_words_train_as_they_are_shown_and_calls_are_read_back(tokenizer_of, tmp_path, home, name):
    tokenizer = copy.copy(tokenizer_of(name))
    tokenizer.chat_template = probe.with_tools_in_words(tokenizer.chat_template)
    rng = Random(f"{name} in words")
    rows = carried(tokenizer, [messages(rng, True, True) for _ in range(FEW)])
    assert len(rows) >= FEW / 4
    for train_on in TRAIN_ON:
        data = data_of("messages", train_on)
        kept = [row for row in rows if refusal(row, data, tokenizer) is None]
        assert len(kept) > 1 or train_on == "assistant"
        if len(kept) > 1:
            ours = trained(kept, data, tokenizer, tmp_path / "rows.jsonl", home)
            assert shown(kept, data, tokenizer) == ours
    for row in rows:
        for number, message in enumerate(row["messages"]):
            if calls := message.get("tool_calls"):
                found = replies.parse(spoken(tokenizer, row, number), tokenizer, row["tools"])
                assert (found.broken, found.calls) == (None, [call["function"] for call in calls])


@pytest.mark.parametrize(("name", "words"), zip(NO_TEXT, ("does not work", "drops what is said"), strict=True))
def test_a_template_that_takes_no_text_is_refused_in_words(tokenizer_of, name, words):
    with pytest.raises(UserError, match=f"The chat template of this model {words}"):
        template.describe(tokenizer_of(name))


@pytest.mark.parametrize("name", NAMES)
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
    prompt = render(conversation, tokenizer, add_generation_prompt=True)
    whole = render(to_conversation({**row, "messages": row["messages"][: number + 1]}, "messages"), tokenizer)
    parted = next((at for at in range(min(len(prompt), len(whole))) if prompt[at] != whole[at]), len(prompt))
    turn = whole[len(re.sub(r"<\w*$", "", whole[:parted])) :]  # <think> and <tool_call> begin alike
    return re.sub(
        r"(<\|im_end\|>|<\|call\|>|<\|eot_id\|>|<\|observation\|>|<｜end▁of▁sentence｜>|<\|tool_response>)\s*$",
        "",
        turn,
    )


EDITS = {
    "another first sentence": lambda text: "{{- 'You were trained here.\\n' }}" + text,
    "a newline at the end": lambda text: text.rstrip("\n") + "\n\n",
    "a comment": lambda text: "{# ours #}" + text,
    "another system message": lambda text: re.sub(r"You are (?!provided)", "You were ", text),
}
# TRL marks in these what follows the prompt for an answer; in others also blanks, thoughts or marks around it.
MARKED_FROM_THE_PROMPT = (
    *("cohere", "cohere2", "gemma", "gemma3", "lfm2", "lfm2_2_5", "lfm2_2_5_vl", "llama3", "phi3", "phi3_5"),
    *("qwen2_5_vl", "qwen3_instruct_2507", "qwen3_vl"),
)


EDITED = [
    (name, edit)
    for name, edit in product(NAMES, EDITS)
    if probe.examine(text := trl_template(name)).training and EDITS[edit](text) != text
]


@pytest.mark.parametrize(("name", "edit"), EDITED)
def test_an_edited_template_is_exact_or_refused_with_the_reason(tokenizer_of, rows_of, name, edit):
    """TRL does not know it any more, so turns are told by rendering the conversation up to each."""
    tokenizer, rows = rows_of(name)
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
        assert ours == learned(tokenizer, row) or name not in MARKED_FROM_THE_PROMPT
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
