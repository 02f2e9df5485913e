"""The format of a dataset is seen in its first rows, and named."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dfgui.data.conversation import RowError
from dfgui.data.formats import FORMATS, describe, detect, to_conversation
from dfgui.errors import UserError
from tests.data.rows import ROWS, assistant, deepfabric, sharegpt, user

COLUMNS = list(dict.fromkeys(column for row in ROWS.values() for column in row))
KEYS = ["role", "content", "from", "value", "tool_calls", "function", "name", "arguments", "type", "text", "parameters"]


@pytest.mark.parametrize("format", ROWS)
def test_each_format_is_told_from_its_rows(format):
    assert detect([ROWS[format]] * 3) == format
    assert to_conversation(ROWS[format], format)


def test_every_format_has_a_row_here():
    assert list(ROWS) == list(FORMATS)


def test_deepfabric_rows_are_messages_though_they_have_other_columns_too():
    row = deepfabric("Oslo") | {"text": "rendered before", "instruction": "x", "output": "y"}
    assert detect([row]) == "messages"


def test_a_few_odd_rows_do_not_change_the_format():
    assert detect([{"oops": 1}, ROWS["alpaca"], ROWS["alpaca"], ROWS["text"]]) == "alpaca"


def test_people_read_the_format_in_words():
    assert describe([sharegpt("Oslo")], "sharegpt") == "ShareGPT with tools"
    assert describe([ROWS["sharegpt"]], "sharegpt") == "ShareGPT"
    assert describe([deepfabric("Oslo")], "messages") == "DeepFabric / OpenAI messages with tools"


def test_unknown_columns_are_named_beside_those_that_are_known():
    with pytest.raises(UserError) as caught:
        detect([{"question": "Hi", "reply": "Ho"}])
    assert "`question`, `reply`" in caught.value.why
    assert "`messages`" in caught.value.why


def test_no_rows_are_no_dataset():
    with pytest.raises(UserError, match="has no rows"):
        detect([])


def test_a_row_of_another_format_is_refused_with_what_it_needs():
    with pytest.raises(RowError) as caught:
        to_conversation(ROWS["text"], "alpaca")
    assert caught.value.at(4).what == "Row 4 is not written as Alpaca."
    assert "`instruction` and `output`" in caught.value.do


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "row",
    [
        {},
        {"messages": None, "conversations": None, "instruction": None, "output": None, "text": None},
        {
            "messages": 3,
            "conversations": "x",
            "instruction": 1,
            "output": [],
            "prompt": None,
            "completion": None,
            "text": 0,
        },
        {
            "messages": [],
            "conversations": [],
            "instruction": "",
            "output": "",
            "prompt": [],
            "completion": [],
            "text": "",
        },
        {"messages": [3], "conversations": [{}], "instruction": {}, "output": "x", "prompt": [{}], "completion": [{}]},
        {
            "messages": [{"role": []}],
            "conversations": [{"from": []}],
            "history": [[1, 2, 3]],
            "instruction": 1,
            "output": 2,
        },
        {"messages": [user("Hi")], "conversations": [{"from": "gpt"}], "tools": [3], "instruction": "a", "output": "b"},
        {"messages": [assistant("", tool_calls=[{"x": 1}])], "conversations": [{"from": "function_call", "value": 3}]},
        {"messages": [user("Hi")], "tools": "[broken", "conversations": [{"from": "function_call", "value": "[3]"}]},
        {"messages": [user("Hi")], "tools": [{"name": 3}], "available_tools": [{"parameters": [3]}]},
    ],
)
def test_a_broken_row_is_refused_in_words_or_read_and_never_an_accident(format, row):
    try:
        assert to_conversation(row, format)
    except RowError as error:
        assert error.said
        assert error.why
        assert error.do


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(["user", "gpt", "[]", "{}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(row=st.dictionaries(st.sampled_from([*COLUMNS, "tools", "system", "history", "tool_context"]), JSON))
def test_no_row_at_all_is_an_accident(format, row):
    try:
        conversation = to_conversation(row, format)
    except RowError:
        return
    assert all(isinstance(message["content"], str) for message in conversation.messages)
    assert "null" not in json.dumps([without_lists(message) for message in conversation.messages])


def without_lists(value):
    """Without lists and texts, where null is data."""
    if isinstance(value, dict):
        return {key: without_lists(inner) for key, inner in value.items() if key not in ("name", "role", "content")}
    return "" if isinstance(value, str | list) else value
