"""The queue: what stands in it, and what it outlives."""

import os
import socket
import sqlite3
import sys
import threading
import time
from types import ModuleType

import pytest

from dfgui import actions
from dfgui.config import RunConfig
from dfgui.store import Store, owner
from dfgui.store.runs import Runs
from dfgui.training import apart, launcher, memory, worker


@pytest.fixture
def store(where):
    return Store(where.store_path)


@pytest.fixture
def executed(monkeypatch, store):
    """Runs that were begun. Each takes until somebody asks it to stop."""
    begun = []

    def execute(run, settings):
        begun.append(run)
        while not store.commands.waiting(run):
            time.sleep(0.02)
        store.runs.move(run, "stopped", "Asked to.")

    monkeypatch.setattr(worker, "execute", execute)
    yield begun
    launcher._closing.set()


def until(true, seconds=10):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_run_whose_folder_cannot_be_made_fails_and_the_next_one_runs(where, store):
    first = store.runs.create(RunConfig())
    where.run_folder(first).write_text("a file where its folder should be")
    second = store.runs.create(RunConfig())
    where.run_folder(second).write_text("another")
    launcher.start(where)
    until(lambda: store.runs.get(second)["ended_at"], 60)
    for run in (first, second):
        row = store.runs.get(run)
        assert row["status"] == "failed" and row["reason"] and row["error"]["do"]
    launcher.shutdown(where, 1)


def test_only_what_a_dead_app_had_merged_is_cleared_at_the_start(where, store):
    mine, dead = owner.folder_name(), owner.folder_name().replace(f".{os.getpid()}.", ".4194304.")
    elsewhere = dead.replace(socket.gethostname(), "another.host")
    for name in (mine, dead, elsewhere, "notes.of.mine"):
        (where.exports / name / "run-20").mkdir(parents=True)
    runner = launcher.start(where)
    until(lambda: not (where.exports / dead).exists())
    assert sorted(path.name for path in where.exports.iterdir()) == sorted([mine, elsewhere, "notes.of.mine"])
    launcher.shutdown(where, 1)
    runner.join(10)


def test_the_queue_outlives_a_locked_store(where, store, executed, monkeypatch):
    claim = Runs.claim
    troubles = iter([sqlite3.OperationalError("database is locked")])

    def locked_once(self, executor):
        for trouble in troubles:
            raise trouble
        return claim(self, executor)

    monkeypatch.setattr(Runs, "claim", locked_once)
    run = store.runs.create(RunConfig())
    launcher.start(where)
    until(lambda: run in executed)
    actions.command(where, run, "stop", by="a test")


@pytest.mark.parametrize(("code", "status"), [(0, "queued"), (1, "failed")])
def test_a_run_resumed_as_its_last_process_leaves_is_not_said_to_have_failed(where, store, code, status):
    run = store.runs.create(RunConfig())
    apart._tell_how_it_went(code, run, where)
    assert store.runs.get(run)["status"] == status


def test_a_command_line_taken_out_of_the_queue_waits_no_longer(where, store, executed):
    store.runs.create(RunConfig())
    store.runs.claim("app")
    run = store.runs.create(RunConfig(), executor="test")
    waiting = threading.Thread(target=launcher.run_here, args=(run, where), daemon=True)
    waiting.start()
    actions.command(where, run, "stop", by="a page")
    waiting.join(10)
    assert not waiting.is_alive() and executed == []
    assert store.runs.get(run)["reason"] == "Taken out of the queue by a page."


def test_shutdown_leaves_the_queue_to_the_next_start(where, store, executed):
    first, second = store.runs.create(RunConfig()), store.runs.create(RunConfig())
    runner = launcher.start(where)
    until(lambda: first in executed)
    assert launcher.shutdown(where, seconds=10)
    runner.join(10)
    assert not runner.is_alive() and executed == [first]
    assert [store.runs.get(run)["status"] for run in (first, second)] == ["stopped", "queued"]


def test_a_command_that_comes_too_late_is_answered(where, store, monkeypatch):
    run = store.runs.create(RunConfig())
    store.runs.claim("app")
    add = store.commands.add

    def as_it_ends(self, *asked):
        store.runs.move(run, "failed", "It broke.")
        return add(*asked)

    monkeypatch.setattr(type(store.commands), "add", as_it_ends)
    command = actions.command(where, run, "save", by="a page")
    assert store.commands.get(command)["outcome"] == "the run has ended"


def test_torch_that_another_thread_is_only_importing_holds_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))  # it has no cuda yet
    assert memory.held() == 0 and memory.left_since(0) == ""


def test_whatever_fails_after_a_run_is_claimed_ends_it(where, store, monkeypatch):
    def fails():
        raise RuntimeError("no memory to be asked")

    monkeypatch.setattr(worker.memory, "held", fails)
    run = store.runs.create(RunConfig())
    launcher.start(where)
    until(lambda: store.runs.get(run)["ended_at"], 60)
    assert store.runs.get(run)["status"] == "failed"
    launcher.shutdown(where, 1)
