"""The format of a dataset is seen in its first rows, and named."""

import pytest

from dfgui.data.conversation import RowError
from dfgui.data.formats import FORMATS, describe, detect, to_conversation
from dfgui.errors import UserError
from tests.data.rows import PLAIN, assistant, deepfabric, sharegpt, user

ROWS = {
    "messages": {"messages": PLAIN},
    "sharegpt": {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}]},
    "alpaca": {"instruction": "Say ho.", "input": "", "output": "Ho"},
    "prompt_completion": {"prompt": "Hi", "completion": "Ho"},
    "text": {"text": "Once"},
}


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
