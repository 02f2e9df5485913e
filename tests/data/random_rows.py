"""Rows made at random: one maker for each way of writing them, giving a row as it stands in a file and as TRL takes it.

    KINDS["alpaca"].made(Random(1), tools=False, several=False)
    -> ({"instruction": "ASKED it's", "input": "", "output": "1 ok"}, {"messages": [{"role": "user", ...}, ...]})

TRL takes messages, prompt and completion, and text; what is written otherwise is written out for it here by hand.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.data.rows import answered, assistant, user

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
    "{{ d }}",
    "1",
    "true",
    "null",
    "two  blanks",
    "a\nb",
]
TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
OWN_NAMES = {"prompt": "die Frage", "answer": "antwort", "context": "context.text", "system": "Sys"}
ENDS = ("<|im_end|>", "<|eot_id|>", "<eos>")  # some are the end of a text to one tokenizer, plain text to others


@dataclass(frozen=True)
class Kind:
    format: str  # as config.Data names it
    made: Callable[[Random, bool, bool], tuple[dict, dict]]  # (chance, tools, several calls) -> row, TRL's
    columns: dict[str, str] = field(default_factory=dict)  # which is which, where they have names of their own


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


def messages(rng: Random, tools: bool, several: bool) -> dict:
    """A row in OpenAI's style: a few questions, calls with results in between, all that templates commonly carry."""
    turns: list[dict] = [{"role": "system", "content": text(rng)}] if rng.random() < 0.3 else []
    offered: list[dict] = []
    for _ in range(rng.randint(1, 3)):
        turns.append(user(f"ASKED {text(rng)}"))
        if tools and rng.random() < 0.7:
            calls = [_call(rng, offered) for _ in range(rng.choice((1, 1, 2)) if several else 1)]
            turns.append(assistant(rng.choice(("", said(rng))), tool_calls=calls))
            turns += [answered(json.dumps({"r": f"RESULT {text(rng)}"})) for _ in calls]
        turns.append(assistant(said(rng)))
    return {"messages": turns, **({"tools": offered} if offered else {})}


def _call(rng: Random, offered: list[dict]) -> dict:
    """A call of a tool of its own, which is added to those on offer."""
    arguments = {f"a{n}": value(rng) for n in range(rng.randint(0, 3))}
    name = f"tool_{len(offered)}"
    schema = {"type": "object", "properties": {key: {"type": TYPES[type(one)]} for key, one in arguments.items()}}
    offered.append({"type": "function", "function": {"name": name, "description": "It acts.", "parameters": schema}})
    return {"type": "function", "function": {"name": name, "arguments": arguments}}


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


def as_completion(row: dict, start: int = -1) -> dict:
    """The same chat as prompt and completion, parted before the message `start`."""
    turns = row["messages"]
    rest = {key: value for key, value in row.items() if key != "messages"}
    return {"prompt": turns[:start], "completion": turns[start:], **rest}


def as_text(row: dict, arguments: str | None = "string") -> dict:
    """Arguments as JSON text where the template needs them so: to TRL they are whatever the row holds."""
    if arguments != "string":
        return row
    row = json.loads(json.dumps(row))
    for column in {"messages", "prompt", "completion"} & row.keys():
        for message in row[column] if isinstance(row[column], list) else []:
            for call in message.get("tool_calls", []):
                call["function"]["arguments"] = json.dumps(call["function"]["arguments"], ensure_ascii=False)
    return row


def _messages(rng: Random, tools: bool, several: bool) -> tuple[dict, dict]:
    row = messages(rng, tools, several)
    return row, row


def _sharegpt(rng: Random, tools: bool, several: bool) -> tuple[dict, dict]:
    row = messages(rng, tools, several)
    return as_sharegpt(row), row


def _alpaca(rng: Random, tools: bool, several: bool) -> tuple[dict, dict]:
    """An empty input, system and history are left out, null or empty: three ways to say nothing."""
    asked, context, system = f"ASKED {text(rng)}", _perhaps(rng, text), _perhaps(rng, text)
    history = rng.choice(({}, {"history": []}, {"history": None}, {"history": [[f"ASKED {text(rng)}", said(rng)]]}))
    row = {"instruction": asked, "output": said(rng), **_given("input", context), **_given("system", system), **history}
    turns = [{"role": "system", "content": system}] if system else []
    for before, answer in history.get("history") or []:
        turns += [user(before), assistant(answer)]
    turns += [user(f"{asked}\n{context}" if context else asked), assistant(row["output"])]
    return row, {"messages": turns}


def _columns(rng: Random, tools: bool, several: bool) -> tuple[dict, dict]:
    asked, context, system = f"ASKED {text(rng)}", rng.choice(("", text(rng))), rng.choice(("", text(rng)))
    row = dict(zip(OWN_NAMES.values(), (asked, said(rng), context, system), strict=True))
    turns = [{"role": "system", "content": system}] if system else []
    turns += [user(f"{asked}\n{context}" if context else asked), assistant(row[OWN_NAMES["answer"]])]
    return {**row, "unrelated": text(rng)}, {"messages": turns}


def _prompt_text(rng: Random, tools: bool, several: bool) -> tuple[dict, dict]:
    """A blank at the border may share a token with what follows it; an empty prompt is one too."""
    prompt = rng.choice(("", text(rng), f"{text(rng)} ", f"{text(rng)}\n"))
    row = {"prompt": prompt, "completion": rng.choice(("", " ")) + text(rng) + _end(rng)}
    return row, row


def _prompt_chat(rng: Random, tools: bool, several: bool) -> tuple[dict, dict]:
    row = as_completion(messages(rng, tools, several))
    return row, row


def _prompt_chat_on(rng: Random, tools: bool, several: bool) -> tuple[dict, dict]:
    """All that follows one of the questions is the completion: calls, results, further questions."""
    row = messages(rng, tools, several)
    starts = [number + 1 for number, turn in enumerate(row["messages"]) if turn["role"] == "user"]
    row = as_completion(row, rng.choice(starts))
    return row, row


def _text(rng: Random, tools: bool, several: bool) -> tuple[dict, dict]:
    row = {"text": rng.choice(("", " ", "\n")) + text(rng) + _end(rng)}
    return row, row


def _perhaps(rng: Random, make: Callable[[Random], str]) -> str | None:
    return rng.choice((None, "", make(rng), make(rng)))


def _given(column: str, content: str | None) -> dict:
    return {} if content is None else {column: content}


def _end(rng: Random) -> str:
    return rng.choice(("", "", *ENDS))


KINDS = {
    "messages": Kind("messages", _messages),
    "sharegpt": Kind("sharegpt", _sharegpt),
    "alpaca": Kind("alpaca", _alpaca),
    "columns": Kind("columns", _columns, {f"{place}_column": name for place, name in OWN_NAMES.items()}),
    "prompt and completion as text": Kind("prompt_completion", _prompt_text),
    "an answer to a prompt": Kind("prompt_completion", _prompt_chat),
    "a talk after a prompt": Kind("prompt_completion", _prompt_chat_on),
    "text": Kind("text", _text),
}
