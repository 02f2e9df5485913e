"""One row for each thing that can be wrong with a row, in each format in which it can be wrong."""

import json
from typing import Any

from tests.data.rows import NEWS, WEATHER, answered, assistant, calls, user

CALL = calls({"city": "Oslo"})
TALK = [user("Weather in Oslo?"), CALL, answered('{"c": 4}'), assistant("4 degrees.")]
CITY = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": 7}}}


def messages(*turns: dict, tools: list | None = None) -> dict:
    return {"messages": list(turns), "tools": [WEATHER] if tools is None else tools}


def sharegpt(*turns: tuple[str, Any], tools: list | None = None) -> dict:
    offered = json.dumps([WEATHER] if tools is None else tools)
    return {"conversations": [{"from": who, "value": value} for who, value in turns], "tools": offered}


def chat(*turns: dict) -> dict:
    """Prompt and completion as lists of messages: all but the last turn, and the last."""
    return {"prompt": list(turns[:-1]), "completion": [turns[-1]], "tools": [WEATHER]}


def said(name: str, **arguments: Any) -> tuple[str, str]:
    return "function_call", json.dumps({"name": name, "arguments": arguments})


ASK, RESULT, DONE = ("human", "Weather in Oslo?"), ("observation", '{"c": 4}'), ("gpt", "4 degrees.")
LONG = "long " * 2000

# check -> format -> a row in which that check finds something; those that are cut are cut at 1,200 tokens.
BROKEN: dict[str, dict[str, dict]] = {
    "unreadable": {
        "messages": messages(user("Hi"), {"role": "narrator", "content": "x"}),
        "sharegpt": sharegpt(ASK, ("function_call", "no JSON")),
        "alpaca": {"instruction": "Say ho.", "output": None},
        "prompt_completion": {"prompt": "Hi", "completion": None},
        "text": {"text": ""},
    },
    "mixed_formats": {
        "messages": {"text": "Once"},
        "sharegpt": {"text": "Once"},
        "alpaca": {"text": "Once"},
        "prompt_completion": {"text": "Once"},
        "text": {"prompt": "Hi", "completion": "Ho"},
    },
    "no_answer": {
        "messages": messages(user("Hi")),
        "sharegpt": sharegpt(ASK),
        "prompt_completion": chat(user("Hi"), user("Are you there?")),
    },
    "answer_lost": {
        "messages": messages(user(LONG), assistant("Ho")),
        "sharegpt": sharegpt(("human", LONG), DONE),
        "alpaca": {"instruction": LONG, "output": "Ho"},
        "prompt_completion": {"prompt": LONG, "completion": "Ho"},
    },
    "answer_cut": {
        "messages": messages(user("Hi"), assistant(LONG)),
        "sharegpt": sharegpt(ASK, ("gpt", LONG)),
        "alpaca": {"instruction": "Hi", "output": LONG},
        "prompt_completion": {"prompt": "Hi", "completion": LONG},
        "text": {"text": LONG},
    },
    "cut": {
        "messages": messages(user("Hi"), assistant("Ho"), user(LONG)),
        "sharegpt": sharegpt(ASK, DONE, ("human", LONG)),
    },
    "unknown_tool": {
        "messages": messages(user("Hi"), calls({}, name="get_wether")),
        "sharegpt": sharegpt(ASK, said("get_wether")),
        "prompt_completion": chat(user("Hi"), calls({}, name="get_wether")),
    },
    "arguments": {
        "messages": messages(user("Hi"), calls({"city": 7})),
        "sharegpt": sharegpt(ASK, said("get_weather", town="Oslo")),
        "prompt_completion": chat(user("Hi"), calls({"city": "Oslo", "day": "today"})),
    },
    "tool_schema": {
        "messages": messages(user("Hi"), assistant("Ho"), tools=[CITY]),
        "sharegpt": sharegpt(ASK, DONE, tools=[CITY]),
    },
    "result_without_call": {
        "messages": messages(user("Hi"), answered("4"), assistant("Ho")),
        "sharegpt": sharegpt(ASK, RESULT, DONE),
        "prompt_completion": chat(user("Hi"), answered("4"), assistant("Ho")),
    },
    "call_without_result": {
        "messages": messages(user("Hi"), CALL, user("And?"), assistant("Ho")),
        "sharegpt": sharegpt(ASK, said("get_weather", city="Oslo"), ("human", "And?"), DONE),
        "prompt_completion": chat(user("Hi"), CALL, user("And?"), assistant("Ho")),
    },
    "role_order": {
        "messages": messages(user("Hi"), user("Hi?"), assistant("Ho")),
        "sharegpt": sharegpt(ASK, DONE, ("human", "And?")),
        "prompt_completion": chat(assistant("Ho"), assistant("Ho")),
    },
    "empty_turn": {
        "messages": messages(user("Hi"), assistant("Ho"), user(" "), assistant("Ho")),
        "sharegpt": sharegpt(ASK, DONE, ("human", ""), DONE),
        "alpaca": {"instruction": "Hi", "output": ""},
        "prompt_completion": chat(user(""), assistant("Ho")),
    },
    "not_text": {
        "messages": messages(user("Hi"), assistant(12)),  # type: ignore[arg-type]
        "sharegpt": sharegpt(("human", None), DONE),
        "alpaca": {"instruction": "2 + 2", "output": 4},
        "prompt_completion": {"prompt": "2 + 2 =", "completion": 4},
        "text": {"text": 4},
    },
}
FINE: dict[str, dict] = {
    "messages": messages(*TALK, tools=[WEATHER, NEWS]),
    "sharegpt": sharegpt(ASK, said("get_weather", city="Oslo"), RESULT, DONE),
    "alpaca": {"instruction": "Say ho.", "input": "", "output": "Ho"},
    "prompt_completion": {"prompt": "Hi", "completion": "Ho"},
    "text": {"text": "Once upon a time"},
}
