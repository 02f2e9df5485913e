"""Did it learn to call tools? Every call in held-out rows is asked for again and compared, value by value.

    score(model, tokenizer, questions(held_out))
    Score(right=11, total=12, results=[..., Result(row=17, turn=2, ..., why="argument city: expected Oslo, got Osl")])

A question is one assistant turn with calls, after the row's own history. Right means the same calls in any order, each
with exactly the same arguments: 4 equals 4.0 and differs from "4"; a null is an argument left out.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from dfgui.data.conversation import Conversation, without_nulls
from dfgui.data.replies import parse
from dfgui.data.template import prompt_ids
from dfgui.evaluation import generate


@dataclass(frozen=True)
class Question:
    row: int
    turn: int  # which message of the row, from 1
    messages: list[dict]  # the history before that turn
    tools: list[dict]
    expected: list[dict]  # [{"name": ..., "arguments": {...}}]


@dataclass(frozen=True)
class Result:
    row: int
    turn: int
    expected: list[dict]
    got: list[dict]
    text: str  # all that the model wrote
    right: bool
    why: str  # "" when right


@dataclass(frozen=True)
class Score:
    right: int
    total: int
    results: list[Result]


def questions(held_out: list[tuple[int, Conversation]]) -> list[Question]:
    """One for each assistant turn that calls tools, of (row number, conversation) pairs."""
    return [
        Question(row, place + 1, conversation.messages[:place], conversation.tools, _flat(message["tool_calls"]))
        for row, conversation in held_out
        for place, message in enumerate(conversation.messages)
        if message["role"] == "assistant" and message.get("tool_calls")
    ]


def score(
    model: Any,
    tokenizer: Any,
    questions: list[Question],
    progress: Callable[[int, int], None] | None = None,
    max_new_tokens: int = generate.LONGEST,
    batch_size: int = 8,
) -> Score:
    """Asks every question and judges the answers. `progress(asked, in all)`."""
    lengths = [len(prompt_ids(question.messages, question.tools, tokenizer)) for question in questions]
    limit = generate.context(model)
    asked = [question for question, length in zip(questions, lengths, strict=True) if length < limit]
    prompts = [(question.messages, question.tools) for question in asked]
    answers = generate.generate_all(model, tokenizer, prompts, max_new_tokens, batch_size, progress)
    judged = (
        _judged(question, *answer, max_new_tokens, tokenizer) for question, answer in zip(asked, answers, strict=True)
    )
    results = [
        next(judged) if length < limit else _not_asked(question, length, limit)
        for question, length in zip(questions, lengths, strict=True)
    ]
    return Score(sum(result.right for result in results), len(results), results)


def judge(question: Question, answer: str, tokenizer: Any) -> Result:
    """Whether an answer holds the calls that were expected. A call that cannot be read is a wrong one."""
    reply = parse(answer, tokenizer, question.tools)
    why = reply.broken or difference(question.expected, reply.calls)
    return Result(question.row, question.turn, question.expected, reply.calls, answer, not why, why)


def _judged(question: Question, answer: str, cut: bool, longest: int, tokenizer: Any) -> Result:
    result = judge(question, answer, tokenizer)
    return replace(result, why=f"cut after {longest} tokens: {result.why}") if cut and result.why else result


def _not_asked(question: Question, length: int, limit: int) -> Result:
    why = f"not asked: the prompt has {length} tokens and the model reads {limit}"
    return Result(question.row, question.turn, question.expected, [], "", False, why)


def difference(expected: list[dict], got: list[dict]) -> str:
    """What tells two lists of calls apart, in words; "" when they are the same in any order."""
    missing, extra = _without_equals(expected, got)
    if not missing and not extra:
        return ""
    if not got:
        return f"no tool call: expected {_names(expected)}"
    if len(expected) != len(got):
        return f"expected {len(expected)} calls ({_names(expected)}), got {len(got)} ({_names(got)})"
    return "; ".join(_call_difference(*pair) for pair in _pairs(missing, extra))


def same(one: Any, other: Any) -> bool:
    """Equality of JSON values: numbers by value, True is not 1, the order of keys does not matter."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))
    return one == other


def _flat(tool_calls: list[dict]) -> list[dict]:
    return [{"name": call["function"]["name"], "arguments": call["function"]["arguments"]} for call in tool_calls]


def _without_equals(expected: list[dict], got: list[dict]) -> tuple[list[dict], list[dict]]:
    missing, extra = [], [without_nulls(call) for call in got]
    for call in expected:
        place = next((place for place, other in enumerate(extra) if same(without_nulls(call), other)), None)
        if place is None:
            missing.append(call)
        else:
            extra.pop(place)
    return missing, extra


def _pairs(missing: list[dict], extra: list[dict]) -> list[tuple[dict, dict]]:
    """Each missing call with the extra one of its name, and what is left over in order."""
    left, pairs = list(extra), []
    for call in sorted(missing, key=lambda call: all(call["name"] != other["name"] for other in extra)):
        like = next((other for other in left if other["name"] == call["name"]), left[0])
        left.remove(like)
        pairs.append((call, like))
    return pairs


def _call_difference(expected: dict, got: dict) -> str:
    if expected["name"] != got["name"]:
        return f"name: expected {expected['name']}, got {got['name']}"
    wanted, given = without_nulls(expected["arguments"]), without_nulls(got["arguments"])
    return "; ".join(
        _argument_difference(key, wanted, given)
        for key in {**wanted, **given}
        if key not in wanted or key not in given or not same(wanted[key], given[key])
    )


def _argument_difference(key: str, wanted: dict, given: dict) -> str:
    if key not in given:
        return f"argument {key} is missing: expected {_shown(wanted[key])}"
    if key not in wanted:
        return f"argument {key} was not expected: got {_shown(given[key])}"
    bare = isinstance(wanted[key], str) and isinstance(given[key], str)  # quotes tell "4" from 4
    expected, got = (value if bare else _shown(value) for value in (wanted[key], given[key]))
    return f"argument {key}: expected {expected}, got {got}"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _names(calls: list[dict]) -> str:
    return ", ".join(call["name"] for call in calls)
