"""ShareGPT rows: {"conversations": [{"from": "human", "value": "Hi"}, ...], "tools": "[...]", "system": "..."}.

Tool turns come as "function_call" ({"name": ..., "arguments": ...} as JSON text, or a list of such) and "observation".
Calls that follow an assistant's words, or one another, are one assistant turn: it spoke, then it called.
"""

from typing import Any

from dfgui.data.conversation import Conversation, RowError, from_json, shortly, to_calls, to_message, to_text, to_tools

ORDER = 20
LABEL = "ShareGPT"
NEEDS = '`conversations`, a list of turns such as {"from": "human", "value": "Hi"}'
CALLS = ("function_call", "tool_call", "tool_calls")
RESULTS = ("observation", "tool_response", "function_response")
SPEAKERS = {"chatgpt": "assistant", "bing": "assistant", "bard": "assistant", **dict.fromkeys(RESULTS, "tool")}


def matches(row: dict) -> bool:
    turns = _turns(row)
    return isinstance(turns, list) and all(isinstance(turn, dict) and {"from", "role"} & turn.keys() for turn in turns)


def to_conversation(row: dict) -> Conversation:
    messages: list[dict] = []
    for turn in _turns(row):
        if _speaker(turn) in CALLS:
            _add_calls(messages, _value(turn))
        else:
            messages.append(_to_message(turn))
    if not messages:
        raise RowError("has no turns.", "`conversations` is empty.", "Remove the row.")
    system = to_text(row.get("system"))
    if system and messages[0]["role"] != "system":
        messages.insert(0, {"role": "system", "content": system})
    return Conversation(messages=messages, tools=to_tools(row.get("tools")))


def _turns(row: dict) -> Any:
    columns = ("conversations", "conversation", "messages")
    return from_json(next((row[column] for column in columns if row.get(column) is not None), None))


def _speaker(turn: dict) -> str:
    return str(turn.get("from") or turn.get("role"))


def _value(turn: dict) -> Any:
    return turn.get("value", turn.get("content"))


def _to_message(turn: dict) -> dict:
    rest = {key: value for key, value in turn.items() if key not in ("from", "value", "role", "content")}
    return to_message({**rest, "role": SPEAKERS.get(_speaker(turn), _speaker(turn)), "content": _value(turn)})


def _add_calls(messages: list[dict], value: Any) -> None:
    calls = from_json(value)
    if not isinstance(calls, (dict, list)):
        raise RowError(
            "has a function_call that is not JSON.",
            f"It is {shortly(value)}.",
            'It should read {"name": "get_weather", "arguments": {"city": "Oslo"}}.',
        )
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant", "content": ""})
    messages[-1]["tool_calls"] = messages[-1].get("tool_calls", []) + to_calls(calls)
