"""Rows and conversations that several tests speak about."""

import json
from pathlib import Path
from typing import Any

# Real rows, where they lie beside the checkout: never copied into it.
SHARED = Path(__file__).parents[3] / "shared" / "data"

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
NEWS = {
    "type": "function",
    "function": {"name": "get_news", "description": "News", "parameters": {"type": "object", "properties": {}}},
}


def user(text: str) -> dict:
    return {"role": "user", "content": text}


def assistant(text: str, **more: Any) -> dict:
    return {"role": "assistant", "content": text, **more}


def calls(*arguments: Any, name: str = "get_weather", text: str = "") -> dict:
    made = [{"type": "function", "function": {"name": name, "arguments": each}} for each in arguments]
    return assistant(text, tool_calls=made)


def answered(text: str) -> dict:
    return {"role": "tool", "content": text}


PLAIN = [user("Hi 🦜"), assistant("Hello wörld."), user("And now?"), assistant("Fine.")]
SYSTEM = [{"role": "system", "content": "Be brief."}, *PLAIN]
TOOLS = [
    user("Weather in Oslo?"),
    calls({"city": 'Os"lo', "days": [1, {"a": 2}]}),
    answered('{"c": 4}'),
    assistant("4 C."),
]

# One row of each format, by the format's name.
ROWS = {
    "messages": {"messages": PLAIN},
    "sharegpt": {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}]},
    "alpaca": {"instruction": "Say ho.", "input": "", "output": "Ho"},
    "prompt_completion": {"prompt": "Hi", "completion": "Ho"},
    "text": {"text": "Once"},
}


def deepfabric(city: str) -> dict:
    """A row as DeepFabric writes it: arguments as JSON text, the tools' answers also in tool_context."""
    call = {
        "id": "aB3dE6gH9",
        "type": "function",
        "function": {"name": "get_weather", "arguments": f'{{"city":"{city}"}}'},
    }
    return {
        "messages": [
            user(f"Weather in {city}?"),
            assistant("", tool_calls=[call]),
            {"role": "tool", "content": '{"c":4}', "tool_call_id": "aB3dE6gH9"},
            assistant(f"It is 4 degrees in {city}."),
        ],
        "tools": [WEATHER],
        "tool_context": {"executions": [{"function_name": "get_weather", "arguments": "{}", "result": "{}"}]},
        "metadata": {"topic_id": "t1"},
        "question": "",
        "final_answer": "",
    }


def sharegpt(city: str) -> dict:
    call = json.dumps({"name": "get_weather", "arguments": {"city": city}})
    return {
        "conversations": [
            {"from": "human", "value": f"Weather in {city}?"},
            {"from": "function_call", "value": call},
            {"from": "observation", "value": '{"c":4}'},
            {"from": "gpt", "value": f"It is 4 degrees in {city}."},
        ],
        "tools": json.dumps([WEATHER["function"]]),
    }


def jsonl(rows: list[dict]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
