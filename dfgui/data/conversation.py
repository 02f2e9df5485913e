"""The one shape that every row becomes, whatever it was written as.

    Conversation(
        messages=[
            {"role": "user", "content": "Weather in Oslo?"},
            {"role": "assistant", "content": "", "tool_calls": [
                {"type": "function", "function": {"name": "get_weather", "arguments": {"city": "Oslo"}}}]},
            {"role": "tool", "content": '{"c": 4}'},
            {"role": "assistant", "content": "4 C."}],
        tools=[{"type": "function", "function": {"name": "get_weather", "parameters": {...}}}])

OpenAI's style with nothing left open: no null keys at any depth (Arrow fills them in, templates print or trip over
them), content is text, arguments are an object, reasoning stands in `reasoning_content`.
"""

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from dfgui.errors import UserError

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
    "ipython": "tool",
    "observation": "tool",
}


@dataclass(frozen=True)
class Conversation:
    messages: list[dict]
    tools: list[dict]  # OpenAI function schemas; [] when there are none
    segments: list[tuple[str, bool]] | None = (
        None  # rows without a template: pieces of text, and whether each is learned
    )
    train_from: int | None = None  # prompt/completion chat: index of the first message of the completion


class RowError(UserError):
    """A row that cannot be used. `said` goes on after "Row 212": `RowError("has no assistant turn.", why, do)`.

    `check` is the name under which checks.py counts it.
    """

    def __init__(self, said: str, why: str, do: str, check: str = "unreadable"):
        super().__init__(f"The row {said}", why, do)
        self.said = said
        self.check = check

    def at(self, number: int, source: str = "") -> UserError:
        """The same error, naming the row."""
        return UserError(f"Row {number}{f' of {source}' if source else ''} {self.said}", self.why, self.do)


def require_answer(conversation: Conversation) -> None:
    """Raises RowError when no assistant turn is there to learn from (in the completion, where there is one)."""
    turns = conversation.messages[conversation.train_from or 0 :]
    if conversation.segments is None and not any(turn["role"] == "assistant" for turn in turns):
        raise RowError(
            "has no assistant turn.",
            "There is nothing in it for the model to learn.",
            "Remove it, or add the answer.",
            check="no_answer",
        )


def fingerprint(conversation: Conversation) -> bytes:
    """Equal for conversations that are equal in every word, however their rows were written."""
    parts = [conversation.messages, conversation.tools, conversation.segments, conversation.train_from]
    return blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=16).digest()


def called(conversation: Conversation) -> list[str]:
    """Names of the tools that the conversation calls, in order, each once."""
    calls = [call for message in conversation.messages for call in message.get("tool_calls", [])]
    return list(dict.fromkeys(call["function"]["name"] for call in calls))


def to_messages(value: Any, column: str = "messages") -> list[dict]:
    """Clean messages from a list, or from the same list as JSON text. Raises RowError."""
    turns = from_json(value)
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise RowError(
            f"has no list of messages in `{column}`.",
            f"It holds {shortly(value)}.",
            'A message is written {"role": "user", "content": "Hi"}.',
        )
    if not turns:
        raise RowError(f"has no messages: `{column}` is empty.", "There is nothing to learn from.", "Remove the row.")
    return [to_message(turn) for turn in turns]


def to_message(turn: dict) -> dict:
    """One clean message. Keys that are neither known here nor null are kept: a template may read them."""
    turn = without_nulls(turn)
    role = to_role(turn.get("role"))
    message = {**turn, "role": role, "content": to_text(turn.get("content"), role)}
    for name in ("thinking", "reasoning"):
        if isinstance(turn.get(name), str):
            message.setdefault("reasoning_content", message.pop(name))
    legacy = [message.pop("function_call")] if message.get("function_call") else []
    if calls := to_calls(from_json(message.pop("tool_calls", None)) or legacy):
        message["tool_calls"] = calls
    message.pop("function_call", None)
    return message


def to_role(name: Any) -> str:
    role = ROLES.get(str(name).strip().lower())
    if role is None:
        raise RowError(
            f"has a message with the role {name!r}.",
            "Chat templates know system, user, assistant and tool.",
            "Rename the role, or remove the row.",
        )
    return role


def to_text(content: Any, role: str = "user") -> str:
    """Content as text: parts joined, numbers written out, objects as JSON. Raises RowError for images and sound."""
    match content:
        case None:
            return ""
        case str():
            return content
        case list() if content and all(_is_text_part(part) for part in content):
            return "".join(part if isinstance(part, str) else part["text"] for part in content)
        case list() if any(isinstance(part, dict) and "type" in part for part in content) and role != "tool":
            kinds = ", ".join(sorted({str(part.get("type")) for part in content if isinstance(part, dict)} - {"text"}))
            raise RowError(
                f"has content of type {kinds}.", "dfgui trains on text only.", "Remove the row, or this part."
            )
        case []:
            return ""
        case _:
            return json.dumps(content, ensure_ascii=False)


def _is_text_part(part: Any) -> bool:
    return isinstance(part, str) or (isinstance(part, dict) and isinstance(part.get("text"), str))


def to_calls(value: Any) -> list[dict]:
    """Tool calls as OpenAI writes them, from a list or one call, flat ({"name", "arguments"}) or nested."""
    calls = [value] if isinstance(value, dict) else value or []
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        raise RowError(
            "has tool calls that cannot be read.",
            f"They are {shortly(value)}.",
            'A call is written {"name": "get_weather", "arguments": {"city": "Oslo"}}.',
        )
    return [_to_call(call) for call in calls]


def _to_call(call: dict) -> dict:
    function = call["function"] if isinstance(call.get("function"), dict) else call
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise RowError("has a tool call without a name.", f"It reads {shortly(call)}.", "Name the tool it calls.")
    given = function.get("arguments", function.get("parameters"))
    kept = {"id": call["id"]} if call.get("id") else {}
    return {**kept, "type": "function", "function": {"name": name, "arguments": to_arguments(given, name)}}


def to_arguments(value: Any, name: str) -> dict:
    """A call's arguments as an object, from an object or JSON text (even when it was encoded twice)."""
    arguments = from_json(from_json(value))
    if arguments is None or arguments == "":
        return {}
    if not isinstance(arguments, dict):
        raise RowError(
            f"calls {name} with arguments that are not a JSON object.",
            f"They are {shortly(value)}.",
            'Arguments are written {"city": "Oslo"}; correct or remove the row.',
        )
    return without_nulls(arguments)


def to_tools(value: Any) -> list[dict]:
    """Function schemas from a list, JSON text, one schema or {"tools": [...]}; [] for none. Raises RowError."""
    tools = from_json(value)
    if isinstance(tools, dict):
        tools = tools["tools"] if isinstance(tools.get("tools"), list) else [tools]
    if not tools:
        return []
    tools = [from_json(tool) for tool in tools] if isinstance(tools, list) else [tools]
    if not all(isinstance(tool, dict) for tool in tools):
        raise RowError(
            "has tools that cannot be read.",
            f"They are {shortly(value)}.",
            "`tools` is a list of function schemas, or the same list as JSON text.",
        )
    return [_to_tool(without_nulls(tool)) for tool in tools]


def _to_tool(tool: dict) -> dict:
    function = tool["function"] if isinstance(tool.get("function"), dict) else tool
    if not isinstance(function.get("name"), str):
        raise RowError("has a tool without a name.", f"It reads {shortly(tool)}.", "Name the tool.")
    if isinstance(tool.get("function"), dict):
        return {"type": "function", **tool}
    flat = {key: value for key, value in tool.items() if key != "type" or not isinstance(value, str)}
    if isinstance(flat.get("input_schema"), dict):
        flat["parameters"] = flat.pop("input_schema")
    return {"type": "function", "function": flat}


def without_nulls(value: Any) -> Any:
    """The same value without keys that hold None, at any depth. None inside a list is data and stays."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value]
    return value


def from_json(value: Any) -> Any:
    """What a text says as JSON, or the value itself when it is no JSON (columns of CSV files and Arrow hold either)."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def shortly(value: Any, length: int = 60) -> str:
    """A value for a sentence: 'the text "abc..."' or a shortened JSON."""
    words = json.dumps(value, ensure_ascii=False, default=str)
    words = words if len(words) <= length else words[:length] + "..."
    return f"the text {words}" if isinstance(value, str) else "missing" if value is None else words
