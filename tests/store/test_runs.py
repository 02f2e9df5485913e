"""The life of a run, as its row tells it."""

import json
import os
import socket
import subprocess
import sys
import threading
import time

import psutil
import pytest

from dfgui.config import Model, RunConfig
from dfgui.errors import UserError
from dfgui.store import Store, owner
from dfgui.store.runs import ENDED, FOLLOWS


def test_a_new_run_waits_in_the_queue_under_a_name_made_from_what_it_trains(store, run):
    row = store.runs.get(run)
    assert (row["status"], row["name"], row["global_step"]) == ("queued", "demo-lora", 0)
    assert RunConfig.model_validate(row["config"]) == RunConfig()


def test_a_command_line_that_waits_its_turn_is_left_waiting(store):
    run = store.runs.create(RunConfig(), executor="pid:1")
    assert store.runs.interrupt_orphans() == []
    assert store.runs.get(run)["status"] == "queued"


def test_ids_are_letters_and_digits(run):
    assert len(run) >= 8 and run.isalnum() and run == run.lower()


def test_one_run_at_a_time_the_oldest_first(store, run):
    second = store.runs.create(RunConfig(name="second"))
    assert store.runs.claim("app") == run
    assert store.runs.claim("app") is None
    store.runs.move(run, "failed")
    assert store.runs.claim("app") == second


def test_only_one_of_many_claimers_gets_the_run(store, run):
    got = []
    threads = [threading.Thread(target=lambda: got.append(store.runs.claim("app"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got, key=str) == sorted([run] + [None] * 7, key=str)


def test_a_run_of_the_command_line_is_not_taken_by_the_app(store):
    run = store.runs.create(RunConfig(), executor="pid:1")
    assert store.runs.claim("app") is None
    assert store.runs.claim("pid:1") == run


@pytest.mark.parametrize("end", ENDED)
def test_nothing_follows_an_end(store, run, end):
    store.runs.claim("app")
    store.runs.move(run, "running")
    assert store.runs.move(run, end, "why")
    for status in [*FOLLOWS, *ENDED]:
        assert not store.runs.move(run, status)
    row = store.runs.get(run)
    assert (row["status"], row["reason"], row["owner"]) == (end, "why", None)
    assert row["ended_at"] is not None


def test_a_failed_run_keeps_its_three_sentences(store, run):
    store.runs.claim("app")
    store.runs.move(run, "failed", "It broke.", UserError("It broke.", "Because.", "Mend it."))
    assert store.runs.get(run)["error"] == {"what": "It broke.", "why": "Because.", "do": "Mend it."}


def test_a_run_whose_process_was_killed_is_interrupted(store, run):
    code = (
        "import sys; from pathlib import Path; from dfgui.store import Store\n"
        "print(Store(Path(sys.argv[1])).runs.claim('app'), flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(store.path)], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    assert process.stdout.readline().strip() == run
    assert store.runs.interrupt_orphans() == []
    process.kill()
    process.wait()
    assert store.runs.interrupt_orphans() == [run]
    assert store.runs.get(run)["status"] == "interrupted"


def test_a_reused_pid_does_not_look_alive():
    me = owner.me()
    assert owner.alive(me, None)
    assert not owner.alive({**me, "started_at": me["started_at"] - 100}, None)
    assert not owner.alive({**me, "pid": next(pid for pid in range(2**22 - 1, 1, -1) if not psutil.pid_exists(pid))}, 0)


def test_an_unknown_id_is_named(store):
    with pytest.raises(UserError, match="no run nosuchrun1"):
        store.runs.get("nosuchrun1")


def test_a_store_that_is_not_sqlite_is_refused_with_advice(tmp_path):
    (tmp_path / "dfgui.db").write_text(
        "This is a text file, and long enough to be read as a header of a database file."
    )
    with pytest.raises(UserError, match="--home"):
        Store(tmp_path / "dfgui.db")


def test_owner_is_json_with_host_pid_and_start(store, run):
    store.runs.claim("app")
    row = store.runs.get(run)
    assert row["owner"]["pid"] == os.getpid() and set(row["owner"]) == {"host", "pid", "started_at"}
    json.dumps(row)


def test_only_what_still_waits_is_taken_out_of_the_queue(store, run):
    assert store.runs.withdraw(run, "Not wanted.")
    assert (store.runs.get(run)["status"], store.runs.get(run)["reason"]) == ("stopped", "Not wanted.")
    assert store.runs.claim("app") is None
    second = store.runs.create(RunConfig())
    store.runs.claim("app")
    assert not store.runs.withdraw(second, "Too late.")
    assert store.runs.get(second)["status"] == "preparing"


def test_an_end_answers_what_was_still_asked(store, run):
    store.runs.claim("app")
    store.runs.update(run, global_step=7)
    command = store.commands.add(run, "save", by="a page")
    store.runs.move(run, "interrupted", "The process is gone.")
    row = store.commands.get(command)
    assert (row["taken_at_step"], row["outcome"]) == (7, "the run has ended")


def test_setting_the_clock_ends_no_run(monkeypatch):
    mine = owner.me()
    parent = psutil.Process(os.getppid())
    other = {**mine, "pid": parent.pid, "started_at": parent.create_time()}
    started = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: started(self) + 3600)
    assert owner.me() == mine and owner.alive(mine, None)
    assert owner.alive(other, time.time())
    assert not owner.alive(other, time.time() - 3600)  # nobody writes for it: a new process has its number


def test_an_interrupted_run_is_what_was_left_off_until_another_one_follows(store):
    first = store.runs.create(RunConfig(), executor="test")
    store.runs.claim("test")
    assert store.runs.left_off() is None
    store.runs.move(first, "interrupted", "Its process is gone.")
    assert store.runs.left_off()["id"] == first
    second = store.runs.create(RunConfig(), executor="test")
    assert store.runs.left_off() is None
    store.runs.withdraw(second, "Taken out.")
    assert store.runs.left_off() is None


def test_an_orphan_ended_when_it_was_last_seen_and_its_log_says_so(store):
    run = store.runs.create(RunConfig(), "test")
    store.runs.claim("test")
    gone = {"host": socket.gethostname(), "pid": 4_194_304, "started_at": 1.0}
    store.runs.update(run, owner=gone, heartbeat_at=1000.0, first_step_at=900.0, global_step=7)
    assert store.runs.interrupt_orphans() == [run]
    row = store.runs.get(run)
    assert (row["status"], row["ended_at"]) == ("interrupted", 1000.0)
    assert [(event["kind"], event["text"]) for event in store.events.tail(run)] == [("error", row["reason"])]


@pytest.mark.parametrize("begun", [False, True])
def test_a_resumed_run_that_is_stopped_before_it_went_on_is_what_it_was(store, begun):
    run = store.runs.create(RunConfig(), "test")
    store.runs.claim("test")
    store.runs.move(run, "running")
    store.runs.update(run, first_step_at=time.time() - 60, global_step=6)
    store.runs.move(run, "finished", "All 6 steps are done.")
    before = store.runs.get(run)
    assert store.runs.resume(run, 3, "test", RunConfig(name="changed"))
    if begun:
        assert store.runs.claim("test") == run and store.runs.go_back(run)
    else:
        assert not store.runs.go_back(run) and store.runs.withdraw(run, "Taken out.")
    after = store.runs.get(run)
    for name in ("status", "reason", "error", "seconds_before", "config", "resume_step"):
        assert after[name] == before[name], name
    for name in ("ended_at", "first_step_at"):
        assert after[name] == pytest.approx(before[name], abs=1e-3), name
    assert after["owner"] is None


def test_the_time_of_the_parts_before_is_kept_and_a_run_that_went_on_has_no_way_back(store):
    run = store.runs.create(RunConfig(), "test")
    store.runs.claim("test")
    store.runs.update(run, first_step_at=1000.0, global_step=6)
    store.runs.move(run, "stopped", "Stopped.", ended_at=1060.0)
    store.runs.resume(run, 3, "test")
    assert store.runs.get(run)["seconds_before"] == 60.0
    store.runs.claim("test")
    store.parts.begin(run, 3)
    assert not store.runs.go_back(run)
    assert store.runs.move(run, "stopped", "Stopped again.") and store.runs.get(run)["reason"] == "Stopped again."


def test_the_runs_that_tell_of_the_pace_of_a_model_on_a_device_are_found_the_newest_first(store):
    def ended(name, model="demo", device="CPU", first_step_at=1000.0):
        run = store.runs.create(RunConfig(name=name, model=Model(name=model)), "test")
        store.runs.claim("test")
        store.runs.update(run, first_step_at=first_step_at, facts={"device": device})
        store.runs.move(run, "failed")
        return run

    ended("first")
    ended("another model", model="acme/other")
    ended("another device", device="NVIDIA L4")
    ended("no step", first_step_at=None)
    again = ended("resumed")
    ended("second")
    store.runs.resume(again, 3, "test")
    assert [row["name"] for row in store.runs.timed("CPU", "demo", 10)] == ["second", "first"]
    assert [row["name"] for row in store.runs.timed("CPU", "demo", 1)] == ["second"]
    assert store.runs.timed("CPU", "demo", 1)[0]["facts"] == {"device": "CPU"}
