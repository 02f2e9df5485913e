"""What can be wrong with a row, how bad that is, and what to do about it.

    list(problems(raw, conversation))
    -> [Problem("unknown_tool", "turn 2 calls get_wether, which is not among its tools")]

An error stops the start of a run, a warning asks, an info tells. What is said here of one row, report.py counts over
all of them. Turns are numbered from 1, as the conversation is shown.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from dfgui.data.conversation import Conversation, from_json, shortly

Severity = Literal["error", "warning", "info"]
CureKind = Literal[
    "raise_max_length", "used_tools", "last_answer", "save_trained", "tools_in_words", "another_template", "leave_out"
]
TURNS = ("messages", "conversations", "conversation", "prompt", "completion")  # columns that may hold a list of turns
TEXTS = ("prompt", "completion", "instruction", "input", "output", "text")  # columns that should hold text


@dataclass(frozen=True)
class Check:
    severity: Severity
    title: str  # of one row or of many: "Calls a tool that is not offered"
    advice: str
    cures: tuple[CureKind, ...] = ()  # that help where they can; report.py fills in their values

    @property
    def is_about_max_length(self) -> bool:
        return "raise_max_length" in self.cures


KEEP_WHOLE: tuple[CureKind, ...] = ("raise_max_length", "used_tools")
LEAVE_OUT: tuple[CureKind, ...] = ("leave_out",)  # the name has to stand in config.LEAVABLE too

CHECKS: dict[str, Check] = {
    "broken_file": Check("error", "The file is broken", "Correct the file at that place, or save it again."),
    "unreadable": Check("error", "Cannot be read", "Correct these rows, or leave them out.", LEAVE_OUT),
    "mixed_formats": Check(
        "error",
        "In another format than the other rows",
        "Put each format into a file of its own, or leave these rows out.",
        LEAVE_OUT,
    ),
    "no_answer": Check("error", "No assistant turn", "Add the answer, or leave these rows out.", LEAVE_OUT),
    "no_question": Check(
        "error", "Begins with its only answer", "Add the question, or leave these rows out.", LEAVE_OUT
    ),
    "not_rendered": Check(
        "error",
        "The chat template cannot carry it",
        "Choose another chat template, or a model whose template can carry these rows, or leave them out.",
        ("tools_in_words", "another_template", *LEAVE_OUT),
    ),
    "nothing_learned": Check(
        "error", "No token to learn from", "Learn from other turns (train_on), or leave these rows out.", LEAVE_OUT
    ),
    "words_dropped": Check(
        "warning",
        "Words beside a tool call that the chat template drops",
        "Only the call is trained. Choose a chat template that carries both, or leave these rows out.",
        ("tools_in_words", *LEAVE_OUT),
    ),
    "reasoning_dropped": Check(
        "info",
        "Reasoning that the chat template drops",
        "Only the answer is trained. Set Reasoning to think, to have it stand in the answer.",
    ),
    "tools_not_shown": Check(
        "info",
        "Tools that the chat template does not show",
        "The model learns to call tools that it is not told of. Choose a chat template that lists them.",
        ("tools_in_words",),
    ),
    "asked_differently": Check(
        "info",
        "Earlier answers are asked in another form than trained",
        "Most models cope with either form. To be sure, save the template as trained, or learn from the last answer.",
        ("save_trained", "last_answer"),
    ),
    "opened_differently": Check(
        "warning",
        "Answers that are asked with another beginning than trained",
        "Give them their thoughts (reasoning_content), or choose a chat template that lets an answer begin at once.",
        LEAVE_OUT,
    ),
    "no_end": Check(
        "warning",
        "Answers whose end is not learned",
        "The model may not stop. Add rows in which a question follows, or choose a chat template that ends a turn.",
        LEAVE_OUT,
    ),
    "answer_lost": Check(
        "warning",
        "Cut before anything is learned, so not trained on",
        "Raise max_length, or shorten what comes before the answer.",
        (*KEEP_WHOLE, *LEAVE_OUT),
    ),
    "answer_cut": Check(
        "warning", "Cut within what is learned", "Raise max_length, or shorten these rows.", (*KEEP_WHOLE, *LEAVE_OUT)
    ),
    "cut": Check(
        "info",
        "Cut after the last token that is learned",
        "Raise max_length if the end of these rows matters.",
        KEEP_WHOLE,
    ),
    "unknown_tool": Check(
        "warning", "Calls a tool that is not offered", "Add its schema to `tools`, or leave these rows out.", LEAVE_OUT
    ),
    "arguments": Check(
        "warning",
        "Arguments that the tool's schema forbids",
        "Correct the call or the schema, or leave these rows out.",
        LEAVE_OUT,
    ),
    "tool_schema": Check(
        "info", "Tool parameters that are no JSON schema", "Calls of such tools are not checked. Correct the schema."
    ),
    "result_without_call": Check(
        "warning", "Tool result that no call asked for", "Add the call, or remove the result.", LEAVE_OUT
    ),
    "call_without_result": Check(
        "warning", "Tool call without its result", "Add the result, or end the row with the call.", LEAVE_OUT
    ),
    "role_order": Check(
        "warning",
        "Turns in an unusual order",
        "Put them in order: system, user, assistant, user, assistant.",
        LEAVE_OUT,
    ),
    "empty_turn": Check("warning", "Empty turn", "Fill it, or remove it.", LEAVE_OUT),
    "not_text": Check(
        "info", "Content that is not text", "It is written out as text, a null as nothing. See whether that is meant."
    ),
    "duplicate": Check("warning", "Same as a row before it", "Keep one of each: leave these rows out.", LEAVE_OUT),
    "in_evaluation": Check(
        "warning", "Evaluated on as well", "Leave these rows out, or the evaluation flatters the model.", LEAVE_OUT
    ),
}


@dataclass(frozen=True)
class Problem:
    check: str  # a key of CHECKS
    detail: str  # about this row: "turn 4 calls get_wether, which is not among its tools"


def problems(raw: dict[str, Any], conversation: Conversation) -> Iterator[Problem]:
    """What is wrong with a row that could be read. Whether it can be rendered and trained on, rows.py finds out."""
    yield from _content(raw)
    yield from _order(conversation.messages)
    yield from _results(conversation.messages)
    yield from _empty(conversation.messages)
    yield from _calls(conversation)


def _content(raw: dict[str, Any]) -> Iterator[Problem]:
    """Nulls and numbers where text should stand."""
    for column in TEXTS:
        if isinstance(raw.get(column), (bool, int, float)):
            yield Problem("not_text", f"`{column}` is {shortly(raw[column])}")
    for column in TURNS:
        turns = from_json(raw.get(column))
        if isinstance(turns, list) and all(isinstance(turn, dict) for turn in turns):
            for number, turn in enumerate(turns, start=1):
                yield from _content_of(turn, f"turn {number} of `{column}`")


def _content_of(turn: dict[str, Any], where: str) -> Iterator[Problem]:
    key = next((key for key in ("content", "value") if key in turn), None)
    if key is None:
        return
    content = turn[key]
    silent = turn.get("tool_calls") or turn.get("function_call")
    if isinstance(content, (bool, int, float)):
        yield Problem("not_text", f"{where} has {shortly(content)} as its {key}")
    elif content is None and not silent:
        yield Problem("not_text", f"{where} has null as its {key}")


def _order(messages: list[dict]) -> Iterator[Problem]:
    before = ""
    for number, message in enumerate(messages, start=1):
        role = message["role"]
        if role == "system" and before:
            yield Problem("role_order", f"turn {number} is a system message, and not the first")
        elif role == before and role in ("user", "assistant"):
            yield Problem("role_order", f"turns {number - 1} and {number} are both of the {role}")
        elif role == "assistant" and before in ("", "system"):
            yield Problem("role_order", f"turn {number} is an answer to nobody")
        before = role
    if before == "user":
        yield Problem("role_order", "it ends with a question that nobody answers")


def _results(messages: list[dict]) -> Iterator[Problem]:
    """Calls and their results. A row may end with a call: its result comes from outside."""
    waiting: list[dict] = []
    for number, message in enumerate(messages, start=1):
        if message["role"] != "tool":
            if waiting:
                yield Problem("call_without_result", f"turn {number} follows a call whose result is missing")
            waiting = list(message.get("tool_calls", ()))
        elif answered := _answered(message, waiting):
            waiting.remove(answered)
        else:
            yield Problem("result_without_call", f"turn {number} is a result that no call asked for")


def _answered(result: dict, waiting: list[dict]) -> dict | None:
    """The call that a result belongs to: by id where both have one, otherwise the next in order."""
    asked = result.get("tool_call_id")
    if asked and any("id" in call for call in waiting):
        return next((call for call in waiting if call.get("id") == asked), None)
    return waiting[0] if waiting else None


def _empty(messages: list[dict]) -> Iterator[Problem]:
    """Turns that say nothing. A tool may well have nothing to say."""
    for number, message in enumerate(messages, start=1):
        says = message["content"].strip() or message.get("tool_calls") or message.get("reasoning_content")
        if not says and message["role"] != "tool":
            yield Problem("empty_turn", f"turn {number}, of the {message['role']}, is empty")


def _calls(conversation: Conversation) -> Iterator[Problem]:
    """Calls against the tools that are offered with them."""
    offered = {tool["function"]["name"]: tool["function"].get("parameters") for tool in conversation.tools}
    for name, schema in offered.items():
        if schema is not None and isinstance(wrong := _validator(_text(schema)), str):
            yield Problem("tool_schema", f"the parameters of {name}: {wrong}")
    for number, message in enumerate(conversation.messages, start=1):
        for call in message.get("tool_calls", ()):
            name, arguments = call["function"]["name"], call["function"]["arguments"]
            if name not in offered:
                yield Problem("unknown_tool", f"turn {number} calls {name}, which is not among its tools")
            elif wrong := _broken(offered[name], arguments):
                yield Problem("arguments", f"turn {number} calls {name}: {wrong}")


def _broken(schema: Any, arguments: dict) -> str:
    """What the schema has against these arguments; "" if nothing, or if it is no schema."""
    validator = _validator(_text({} if schema is None else schema))
    if isinstance(validator, str):
        return ""
    try:
        error = next(validator.iter_errors(arguments), None)
    except Exception as trouble:  # a reference that leads nowhere, a pattern that is none: schemas are other people's
        return f"its schema cannot be applied ({shortly(str(trouble))})"
    if error:
        place = ".".join(map(str, error.absolute_path))
        return f"{place}: {error.message[:200]}" if place else error.message[:200]
    known = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(known, dict) or not known or "additionalProperties" in schema:
        return ""
    unknown = next((name for name in arguments if name not in known), None)
    return f"{unknown} is not among its parameters" if unknown is not None else ""


@lru_cache(maxsize=4096)
def _validator(schema: str) -> Any:
    """A validator for a schema given as JSON; or what is wrong with the schema, in words. Fetches nothing."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError
    from referencing import Registry

    loaded = json.loads(schema)
    try:
        Draft202012Validator.check_schema(loaded)
    except SchemaError as error:
        return error.message[:200]
    return Draft202012Validator(loaded, registry=Registry())


def _text(schema: Any) -> str:
    return json.dumps(schema, sort_keys=True)
