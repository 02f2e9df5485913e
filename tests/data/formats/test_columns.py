"""Columns with names of their own."""

import pytest
from pydantic import ValidationError

from dfgui.config import Data
from dfgui.data.conversation import RowError
from dfgui.data.formats.columns import guess, to_conversation
from dfgui.data.prepare import prepare
from tests.data.rows import WEATHER, assistant, user

ROW = {"frage": "Hallo?", "antwort": "Hello.", "mehr": "Politely.", "regel": "Be brief.", "werkzeug": [WEATHER]}
ALL = {"prompt": "frage", "answer": "antwort", "context": "mehr", "system": "regel", "tools": "werkzeug"}


def test_every_column_has_its_place():
    spoken = to_conversation(ROW, ALL)
    system = {"role": "system", "content": "Be brief."}
    assert spoken.messages == [system, user("Hallo?\nPolitely."), assistant("Hello.")]
    assert spoken.tools == [WEATHER]


def test_prompt_and_answer_are_enough():
    assert to_conversation(ROW, {"prompt": "frage", "answer": "antwort"}).messages == [
        user("Hallo?"),
        assistant("Hello."),
    ]


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(RowError, match="has no column `antwort`") as caught:
        to_conversation({"frage": "Hallo?"}, {"prompt": "frage", "answer": "antwort"})
    assert "`frage`" in caught.value.why


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (["question", "reply", "id"], {"prompt": "question", "answer": "reply"}),
        (["Instruction", "Context", "Response"], {"prompt": "Instruction", "answer": "Response", "context": "Context"}),
        (["System Prompt", "text", "label"], {"system": "System Prompt", "prompt": "text", "answer": "label"}),
        (["a", "b"], {}),
    ],
)
def test_usual_names_are_guessed(columns, found):
    assert guess(columns) == found


@pytest.mark.parametrize("given", [{}, {"prompt_column": "a"}, {"answer_column": "b"}])
def test_both_prompt_and_answer_are_asked_for(given):
    with pytest.raises(ValidationError, match="Choose a column"):
        Data(format="columns", **given)


def test_a_csv_with_columns_of_its_own_trains(written, home, qwen3):
    lines = "\n".join(f"{n},What is {n}?,It is {n}." for n in range(10))
    path = written("rows.csv", f"id,frage,antwort\n{lines}\n")
    data = Data(source=str(path), format="columns", prompt_column="frage", answer_column="antwort", eval_fraction=0.2)
    prepared = prepare(data, qwen3, 1024, 42, home)
    assert (len(prepared.train), len(prepared.eval)) == (8, 2)
    assert "It is " in qwen3.decode(prepared.train[0]["input_ids"])
