"""A conversation as a reader wants it: turns with their calls taken apart, tools with their parameters listed.

    turns([{"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]}])
    -> [Turn(role="assistant", text="", calls=[Call("f", [("x", "1")])], ...)]

Values only: escaping is left to whoever draws them. Rows are other people's, so nothing here trusts their shape.
"""

import json
from dataclasses import dataclass, field
from typing import Any

ROLES = {  # how each role is called on a page
    "system": "System",
    "developer": "System",
    "user": "User",
    "assistant": "Assistant",
    "tool": "Tool result",
}


@dataclass(frozen=True)
class Call:
    name: str
    arguments: list[tuple[str, str]]  # (name, value as JSON)


@dataclass(frozen=True)
class Turn:
    role: str
    title: str
    text: str
    reasoning: str = ""
    calls: list[Call] = field(default_factory=list)
    structured: bool = False  # whether the text is JSON, laid out over lines


@dataclass(frozen=True)
class Parameter:
    name: str
    kind: str
    required: bool
    help: str


@dataclass(frozen=True)
class Tool:
    name: str
    help: str
    parameters: list[Parameter]


def turns(messages: list[dict[str, Any]]) -> list[Turn]:
    return [_turn(message) for message in messages]


def pieces(segments: list[tuple[str, bool]]) -> list[Turn]:
    """A row without turns: its text, or its prompt and its completion. Each piece comes with whether it is learned."""
    titles = {True: "Completion", False: "Prompt"} if len(segments) > 1 else {True: "Text", False: "Text"}
    return [Turn(role="text", title=titles[learned], text=text) for text, learned in segments]


def tools(schemas: list[dict[str, Any]] | None) -> list[Tool]:
    return [_tool(_function(schema)) for schema in schemas or [] if isinstance(schema, dict)]


def call(given: dict[str, Any]) -> Call:
    """One tool call, from {"function": {"name", "arguments"}} or {"name", "arguments"}; arguments may be a string."""
    function = _function(given)
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        arguments = _loaded(arguments, default={"arguments": arguments})
    if not isinstance(arguments, dict):
        arguments = {} if arguments is None else {"arguments": arguments}
    return Call(str(function.get("name", "")), [(str(name), written(value)) for name, value in arguments.items()])


def _function(given: dict[str, Any]) -> dict[str, Any]:
    """What stands under "function", or the object itself where that level was left out."""
    inner = given.get("function")
    return inner if isinstance(inner, dict) else given


def written(value: Any) -> str:
    """A value as JSON on one line: "Oslo", 3, ["a", "b"]."""
    return json.dumps(value, ensure_ascii=False)


def _turn(message: dict[str, Any]) -> Turn:
    role = str(message.get("role", ""))
    text = _plain(message.get("content"))
    title = ROLES.get(role, role)
    if role == "tool" and message.get("name"):
        title = f"{title} of {message['name']}"
    laid_out = _laid_out(text) if role == "tool" else None
    return Turn(
        role=role,
        title=title,
        text=text if laid_out is None else laid_out,
        reasoning=_plain(message.get("reasoning_content")),
        calls=[call(given) for given in message.get("tool_calls") or [] if isinstance(given, dict)],
        structured=laid_out is not None,
    )


def _plain(content: Any) -> str:
    """Content as text: a string, the text parts of a list, or JSON of whatever else stands there."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) and "text" in part for part in content):
        return "\n".join(str(part["text"]) for part in content)
    return written(content)


def _laid_out(text: str) -> str | None:
    """JSON objects and lists over lines when they are long; None when the text is neither."""
    value = _loaded(text, default=None)
    if not isinstance(value, dict | list):
        return None
    return text if len(text) <= 80 else json.dumps(value, ensure_ascii=False, indent=2)


def _loaded(text: str, default: Any) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return default


def _tool(function: dict[str, Any]) -> Tool:
    schema = function.get("parameters")
    schema = schema if isinstance(schema, dict) else {}
    properties = schema.get("properties")
    required = schema.get("required")
    required = required if isinstance(required, list) else []
    return Tool(
        name=str(function.get("name", "")),
        help=str(function.get("description") or ""),
        parameters=[
            _parameter(name, details if isinstance(details, dict) else {}, name in required)
            for name, details in (properties.items() if isinstance(properties, dict) else ())
        ],
    )


def _parameter(name: str, details: dict[str, Any], required: bool) -> Parameter:
    kind = details.get("type", "any")
    kind = " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind)
    if choices := details.get("enum"):
        kind = f"one of {', '.join(map(written, choices))}" if isinstance(choices, list) else kind
    return Parameter(name, kind, required, str(details.get("description") or ""))
