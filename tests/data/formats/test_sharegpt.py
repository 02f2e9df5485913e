"""ShareGPT rows: their turns, their calls, their columns."""

import json

import pytest

from dfgui.data.conversation import RowError
from dfgui.data.formats.sharegpt import matches, to_conversation
from tests.data.rows import PLAIN, WEATHER, answered, assistant, calls, sharegpt, user


def turns(*pairs: tuple[str, object], **columns: object) -> dict:
    return {"conversations": [{"from": speaker, "value": value} for speaker, value in pairs], **columns}


CALL = json.dumps({"name": "get_weather", "arguments": {"city": "Oslo"}})


def test_a_call_and_its_observation_become_an_assistant_and_a_tool_turn():
    conversation = to_conversation(sharegpt("Oslo"))
    assert conversation.messages == [
        user("Weather in Oslo?"),
        calls({"city": "Oslo"}),
        answered('{"c":4}'),
        assistant("It is 4 degrees in Oslo."),
    ]
    assert conversation.tools == [WEATHER]


@pytest.mark.parametrize(
    "value",
    [
        {"name": "get_weather", "arguments": {"city": "Oslo"}},
        CALL,
        json.dumps({"name": "get_weather", "arguments": '{"city": "Oslo"}'}),
        f"[{CALL}]",
        json.dumps({"name": "get_weather", "parameters": {"city": "Oslo"}}),
    ],
)
def test_a_call_may_be_an_object_or_json_text_with_arguments_as_either(value):
    assert to_conversation(turns(("human", "Hi"), ("function_call", value))).messages[1] == calls({"city": "Oslo"})


def test_several_calls_are_one_turn_in_a_list_or_one_after_the_other():
    two = calls({"city": "Oslo"}, {"city": "Oslo"})
    assert to_conversation(turns(("human", "Hi"), ("function_call", f"[{CALL}, {CALL}]"))).messages[1] == two
    assert to_conversation(turns(("human", "Hi"), ("function_call", CALL), ("function_call", CALL))).messages[1] == two


def test_words_before_a_call_stay_with_it():
    messages = to_conversation(turns(("human", "Hi"), ("gpt", "Let me look."), ("function_call", CALL))).messages
    assert messages == [user("Hi"), calls({"city": "Oslo"}, text="Let me look.")]


def test_the_system_column_comes_first_unless_there_is_a_system_turn():
    assert to_conversation(turns(("human", "Hi"), system="Be brief.")).messages[0] == {
        "role": "system",
        "content": "Be brief.",
    }
    both = to_conversation(turns(("system", "Be kind."), ("human", "Hi"), system="Be brief."))
    assert [message["content"] for message in both.messages] == ["Be kind.", "Hi"]


def test_turns_may_have_role_and_content_already():
    assert to_conversation({"conversations": PLAIN}).messages == PLAIN
    assert to_conversation(turns(("user", "Hi"), ("assistant", "Ho"))).messages == [user("Hi"), assistant("Ho")]


def test_messages_written_with_from_and_value_are_sharegpt():
    row = {"messages": [{"from": "human", "value": "Hi"}]}
    assert matches(row)
    assert to_conversation(row).messages == [user("Hi")]


def test_a_call_that_is_not_json_is_refused():
    with pytest.raises(RowError, match="has a function_call that is not JSON"):
        to_conversation(turns(("human", "Hi"), ("function_call", "get_weather(Oslo)")))
