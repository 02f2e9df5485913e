"""OpenAI and DeepFabric rows, today's and older ones."""

import json

from dfgui.data.formats.messages import matches, to_conversation
from tests.data.rows import PLAIN, WEATHER, deepfabric, user


def test_a_deepfabric_row_keeps_its_calls_with_arguments_as_objects():
    conversation = to_conversation(deepfabric("Oslo"))
    call = conversation.messages[1]["tool_calls"][0]
    assert call == {
        "id": "aB3dE6gH9",
        "type": "function",
        "function": {"name": "get_weather", "arguments": {"city": "Oslo"}},
    }
    assert conversation.messages[2] == {"role": "tool", "content": '{"c":4}', "tool_call_id": "aB3dE6gH9"}
    assert conversation.tools == [WEATHER]


def test_messages_may_be_json_text():
    row = {"messages": json.dumps(PLAIN)}
    assert matches(row)
    assert to_conversation(row).messages == PLAIN


def test_tools_are_found_in_every_column_that_holds_them():
    for column in ("tools", "functions", "available_tools"):
        assert to_conversation({"messages": PLAIN, column: [WEATHER]}).tools == [WEATHER]
    older = {"messages": PLAIN, "tools": None, "tool_context": {"available_tools": [WEATHER], "executions": []}}
    assert to_conversation(older).tools == [WEATHER]


def test_an_older_deepfabric_tool_becomes_a_schema():
    parameters = [
        {"name": "city", "type": "str", "description": "City", "required": True},
        {"name": "days", "type": "int"},
    ]
    tool = {"name": "get_weather", "description": "Weather", "parameters": parameters, "returns": None}
    assert to_conversation({"messages": [user("Hi")], "available_tools": [tool]}).tools == [
        {
            "type": "function",
            "function": {
                "name": "get_weather",
                "description": "Weather",
                "parameters": {
                    "type": "object",
                    "properties": {"city": {"type": "string", "description": "City"}, "days": {"type": "integer"}},
                    "required": ["city"],
                },
            },
        }
    ]
