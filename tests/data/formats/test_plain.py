"""Alpaca, prompt/completion and text: the formats without turns of their own."""

import json

import pytest

from dfgui.config import Data
from dfgui.data import formats, rows
from dfgui.data.conversation import RowError
from dfgui.data.formats import alpaca, prompt_completion, text
from dfgui.data.sources import Row
from tests.data.rows import PLAIN, WEATHER, assistant, user


def test_alpaca_joins_instruction_and_input_to_one_question():
    row = {"instruction": "Translate.", "input": "Hallo", "output": "Hello"}
    assert alpaca.to_conversation(row).messages == [user("Translate.\nHallo"), assistant("Hello")]
    assert alpaca.to_conversation(row | {"input": ""}).messages == [user("Translate."), assistant("Hello")]


def test_alpaca_puts_system_and_history_before_the_question():
    row = {"instruction": "And?", "output": "No.", "system": "Be brief.", "history": json.dumps([["Hi", "Ho"]])}
    messages = alpaca.to_conversation(row).messages
    assert messages == [
        {"role": "system", "content": "Be brief."},
        user("Hi"),
        assistant("Ho"),
        user("And?"),
        assistant("No."),
    ]


@pytest.mark.parametrize(
    "row", [{"instruction": "Hi", "output": None}, {"instruction": "", "input": "", "output": "x"}]
)
def test_alpaca_without_question_or_answer_is_refused(row):
    with pytest.raises(RowError):
        alpaca.to_conversation(row)


def test_prompt_and_completion_as_text_need_no_template():
    conversation = prompt_completion.to_conversation({"prompt": "2 + 2 =", "completion": " 4"})
    assert conversation.segments == [("2 + 2 =", False), (" 4", True)]
    assert conversation.messages == []


def test_a_prompt_that_happens_to_be_json_is_text():
    row = {"prompt": "[1, 2]", "completion": "3"}
    assert prompt_completion.to_conversation(row).segments == [("[1, 2]", False), ("3", True)]


@pytest.mark.parametrize("as_text", [json.dumps, lambda turns: turns])
def test_prompt_and_completion_as_messages_remember_where_the_completion_begins(as_text):
    row = {"prompt": as_text(PLAIN[:3]), "completion": as_text(PLAIN[3:]), "tools": [WEATHER]}
    conversation = prompt_completion.to_conversation(row)
    assert (conversation.messages, conversation.train_from, conversation.segments) == (PLAIN, 3, None)
    assert conversation.tools == [WEATHER]


def test_one_of_the_two_may_be_text_beside_messages():
    conversation = prompt_completion.to_conversation({"prompt": [user("Hi")], "completion": "Ho"})
    assert conversation.messages == [user("Hi"), assistant("Ho")]


@pytest.mark.parametrize("completion", [None, "", []])
def test_no_completion_is_refused(completion):
    with pytest.raises(RowError, match="has no completion"):
        prompt_completion.to_conversation({"prompt": "Hi", "completion": completion})


def test_text_is_learned_as_it_stands():
    assert text.to_conversation({"text": "Once\n"}).segments == [("Once\n", True)]
    with pytest.raises(RowError, match="has no text"):
        text.to_conversation({"text": ""})


def test_text_may_stand_in_a_column_of_another_name():
    assert formats.to_conversation({"body": "Once."}, "text", {"text": "body"}).segments == [("Once.", True)]
    with pytest.raises(RowError, match="no column `body`"):
        formats.to_conversation({"text": "Once."}, "text", {"text": "body"})


def test_who_names_a_text_column_has_plain_text():
    head = [Row(1, {"body": "Once.", "messages": []})]
    assert rows.format_in(head, Data(text_column="body")) == "text"
    assert dict(rows.options(Data(text_column="body"), "text", None).columns) == {"text": "body"}
    assert rows.options(Data(text_column="body"), "messages", None).columns == ()
