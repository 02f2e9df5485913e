"""Buttons leave rows; runs answer them."""

import pytest

from dfgui.errors import UserError
from dfgui.store import Writer


def test_a_command_is_requested_taken_and_answered(store, run):
    command = store.commands.add(run, "save", by="a page")
    assert [row["id"] for row in store.commands.waiting(run)] == [command]
    with Writer(store.path, run) as writer:
        writer.take(command, 17)
        writer.finish(command, "saved at step 17")
    assert store.commands.waiting(run) == []
    row = store.commands.get(command)
    assert (row["taken_at_step"], row["outcome"], row["requested_by"]) == (17, "saved at step 17", "a page")


def test_two_browsers_pressing_stop_ask_once(store, run):
    assert store.commands.add(run, "stop", "one") == store.commands.add(run, "stop", "two")
    assert len(store.commands.of(run)) == 1


def test_an_unknown_command_is_refused(store, run):
    with pytest.raises(UserError, match="stop-without-checkpoint, save"):
        store.commands.add(run, "explode", "a page")


def test_what_is_open_when_a_run_ends_is_answered(store, run):
    command = store.commands.add(run, "save", "a page")
    store.commands.close_all(run, 30, "the run has ended")
    assert store.commands.get(command)["outcome"] == "the run has ended"
