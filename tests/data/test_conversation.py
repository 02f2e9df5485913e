"""Whatever a row was written as, a conversation has one shape: no nulls, text content, arguments as an object."""

import json

import pytest

from dfgui.data import formats
from dfgui.data.conversation import RowError, called, require_answer, without_nulls
from dfgui.data.shape import with_used_tools
from tests.data.rows import NEWS, WEATHER, assistant, calls, deepfabric, user


def converted(row: dict, format: str = "messages"):
    return formats.to_conversation(row, format)


def message(turn: dict) -> dict:
    return converted({"messages": [turn]}).messages[0]


def test_s2_null_keys_at_any_depth_are_as_if_they_were_absent():
    clean = {"messages": [user("Hi"), calls({"city": "Oslo"}), assistant("4 C.")], "tools": [WEATHER]}
    nulls = json.loads(json.dumps(clean))
    for turn in nulls["messages"]:
        turn |= {"tool_calls": turn.get("tool_calls"), "tool_call_id": None, "name": None, "reasoning_content": None}
    nulls["messages"][1]["content"] = None
    nulls["messages"][1]["tool_calls"][0] |= {"id": None}
    nulls["messages"][1]["tool_calls"][0]["function"]["arguments"] |= {"unit": None, "deep": {"a": None}}
    nulls["tools"][0]["function"]["parameters"]["properties"] |= {
        "unit": None,
        "city": {"type": "string", "enum": None},
    }
    nulls["tools"][0]["function"] |= {"strict": None}
    clean["messages"][1]["tool_calls"][0]["function"]["arguments"]["deep"] = {}
    assert converted(nulls) == converted(clean)


def test_none_inside_a_list_is_data_and_stays():
    assert without_nulls({"a": [1, None, {"b": None}], "c": None}) == {"a": [1, None, {}]}


@pytest.mark.parametrize(
    "tools",
    [
        [WEATHER],
        json.dumps([WEATHER]),
        [json.dumps(WEATHER)],
        [WEATHER["function"]],
        json.dumps([WEATHER["function"]]),
        WEATHER,
        {"tools": [WEATHER]},
        [{**WEATHER["function"], "parameters": None, "input_schema": WEATHER["function"]["parameters"]}],
    ],
)
def test_s3_tools_may_be_a_list_or_json_text_flat_or_nested(tools):
    assert converted({"messages": [user("Hi")], "tools": tools}).tools == [WEATHER]


@pytest.mark.parametrize("tools", [None, "", "[]", "null", [], {}])
def test_no_tools_are_an_empty_list_however_they_are_written(tools):
    assert converted({"messages": [user("Hi")], "tools": tools}).tools == []


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        ({"city": "Oslo"}, {"city": "Oslo"}),
        ('{"city": "Oslo"}', {"city": "Oslo"}),
        (json.dumps('{"city": "Oslo"}'), {"city": "Oslo"}),
        ('{"n": 10000000000000000000000, "text": "{}"}', {"n": 10**22, "text": "{}"}),
        ("", {}),
        ("{}", {}),
        ("null", {}),
        (None, {}),
    ],
)
def test_s3_arguments_become_an_object(given, arguments):
    assert message(calls(given))["tool_calls"][0]["function"]["arguments"] == arguments


@pytest.mark.parametrize("given", ["3", "[1]", '"Oslo"', "Oslo", "{'city': 'Oslo'}", '{"city": ', [1], 3])
def test_arguments_that_are_no_object_are_refused(given):
    with pytest.raises(RowError) as caught:
        message(calls(given))
    assert caught.value.said == "calls get_weather with arguments that are not a JSON object."


@pytest.mark.parametrize(
    "call",
    [
        {"name": "get_weather", "arguments": {"city": "Oslo"}},
        {"function": {"name": "get_weather", "arguments": {"city": "Oslo"}}},
        {"type": "function", "name": "get_weather", "parameters": {"city": "Oslo"}},
    ],
)
def test_calls_may_be_flat_or_nested_and_come_as_json_text(call):
    expected = calls({"city": "Oslo"})["tool_calls"]
    assert message(assistant("", tool_calls=[call]))["tool_calls"] == expected
    assert message(assistant("", tool_calls=json.dumps([call])))["tool_calls"] == expected
    assert message(assistant("", function_call=call.get("function", call)))["tool_calls"] == expected


def test_an_empty_list_of_calls_is_no_call():
    assert message(assistant("Hi", tool_calls=[])) == assistant("Hi")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, ""),
        (3, "3"),
        (2.5, "2.5"),
        (True, "true"),
        ({"c": 4}, '{"c": 4}'),
        ([], ""),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b", "image": None}], "ab"),
        (["a", "b"], "ab"),
        ([1, 2], "[1, 2]"),
    ],
)
def test_content_becomes_text(content, text):
    assert message({"role": "tool", "content": content})["content"] == text
    assert message({"role": "tool"})["content"] == ""


def test_images_are_refused_with_their_kind():
    with pytest.raises(RowError, match="has content of type image_url"):
        message(user([{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "x"}}]))


@pytest.mark.parametrize(
    ("role", "one"), [("human", "user"), ("GPT", "assistant"), ("developer", "system"), ("function", "tool")]
)
def test_roles_have_the_four_names_that_templates_know(role, one):
    assert message({"role": role, "content": "x"})["role"] == one


@pytest.mark.parametrize("role", ["narrator", None, "", 3, {"a": 1}])
def test_an_unknown_role_is_refused(role):
    with pytest.raises(RowError, match="has a message with the role"):
        formats.messages.to_conversation({"messages": [{"role": role, "content": "x"}]})


@pytest.mark.parametrize("key", ["reasoning_content", "thinking", "reasoning"])
def test_reasoning_stands_in_reasoning_content(key):
    assert message(assistant("Hi", **{key: "Hm."})) == assistant("Hi", reasoning_content="Hm.")


def test_keys_that_a_template_may_read_are_kept():
    assert message({**user("Hi"), "name": "Ann", "weight": None}) == {**user("Hi"), "name": "Ann"}


def test_a_row_without_an_assistant_turn_says_so():
    with pytest.raises(RowError) as caught:
        require_answer(converted({"messages": [user("Hi")]}))
    assert caught.value.at(212).what == "Row 212 has no assistant turn."


def test_only_the_tools_that_are_called_are_kept_if_any_is():
    row = deepfabric("Oslo") | {"tools": [NEWS, WEATHER]}
    assert called(converted(row)) == ["get_weather"]
    assert with_used_tools(converted(row)).tools == [WEATHER]
    silent = converted({"messages": [user("Hi"), assistant("Ho")], "tools": [NEWS, WEATHER]})
    assert with_used_tools(silent).tools == [NEWS, WEATHER]
