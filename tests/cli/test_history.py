"""rename, note and delete answer as every command to a run does."""

import os

import pytest

from dfgui import settings
from dfgui.config import RunConfig
from dfgui.store import Store


@pytest.fixture
def run(tmp_path):
    store = Store(settings.load(home=tmp_path).store_path)
    run = store.runs.create(RunConfig(name="weather-lora"), f"pid:{os.getpid()}")
    store.runs.withdraw(run, "Taken out.")
    return run


def test_rename_note_and_delete(dfgui, run):
    code, answer = dfgui("runs", "rename", run, "more", "rows")
    assert (code, answer) == (0, {"run": run, "command": "rename", "taken_at_step": 0, "outcome": "named more rows"})
    assert dfgui("runs", "note", run, "learned too fast")[1]["outcome"] == "noted: learned too fast"
    assert dfgui("runs", "show", run)[1]["note"] == "learned too fast"
    assert dfgui("runs", "note", run, "")[1]["outcome"] == "the note is gone"
    code, answer = dfgui("runs", "delete", run)
    assert (code, answer["command"], answer["outcome"]) == (0, "delete", "more rows, 0 bytes, is deleted")
    assert dfgui("runs", "list")[1]["runs"] == []


def test_a_refusal_is_in_json_and_its_code_is_2(dfgui, run, tmp_path):
    waiting = Store(tmp_path / "dfgui.db").runs.create(RunConfig(name="later"), f"pid:{os.getpid()}")
    code, answer = dfgui("runs", "delete", waiting)
    assert (code, answer["error"]["do"]) == (2, "Stop it first.")
    assert dfgui("runs", "rename", run, " ")[0] == 2
