"""Runs in processes of their own: they outlive whoever started them, stop on SIGTERM, and their end has a reason."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from dfgui import actions
from dfgui.config import RunConfig
from dfgui.store import Store
from dfgui.training import apart, launcher

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(where):
    return Store(where.store_path)


@pytest.fixture
def long(values):
    """A run that somebody has to end."""
    return {**values, "run": {"placement": "process"}, "training": {**values["training"], "max_steps": 5000}}


def until(true, seconds=90):
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.fixture
def running(where, store, long):
    """A run that trains in a process of its own, started by the queue's thread; ended after the test."""
    run = actions.start(where, long)
    thread = launcher.start(where)
    row = until(lambda: (row := store.runs.get(run))["global_step"] > 2 and row)
    yield run
    launcher._closing.set()
    thread.join(20)
    if row["owner"] and psutil.pid_exists(row["owner"]["pid"]):
        psutil.Process(row["owner"]["pid"]).kill()


def process_of(store, run):
    return psutil.Process(store.runs.get(run)["owner"]["pid"])


def test_it_trains_in_a_session_of_its_own_and_says_so(store, running):
    process = process_of(store, running)
    assert process.pid != os.getpid() and os.getsid(process.pid) == process.pid
    assert store.runs.get(running)["facts"]["runs_in"] == f"a process of its own, {process.pid}"


def test_it_goes_on_while_the_app_is_gone_and_the_next_app_sees_it_whole(where, store, running):
    assert launcher.shutdown(where, 5)  # it waits for nothing: what runs apart is not this process's
    step = store.runs.get(running)["global_step"]
    until(lambda: store.runs.get(running)["global_step"] > step + 5)
    launcher.start(where)
    command = actions.command(where, running, "stop", by="me")
    until(lambda: store.runs.get(running)["ended_at"])
    row = store.runs.get(running)
    assert row["status"] == "stopped" and f"checkpoint {row['global_step']} is kept" in row["reason"]
    assert store.commands.get(command)["outcome"].startswith("saved at step")
    steps = [step for step, _ in store.metrics.points(running, "loss")]
    assert steps == list(range(1, row["global_step"] + 1))


def test_in_a_container_it_is_saved_before_the_app_goes(where, store, running):
    assert launcher.shutdown(replace(where, contained=True), 60)
    row = store.runs.get(running)
    assert row["status"] == "stopped" and f"checkpoint {row['global_step']} is kept" in row["reason"]


def test_another_app_is_never_told_to_end(where, store, values, monkeypatch):
    """Its thread may be slow to answer; a signal would end all that it does."""
    monkeypatch.setattr(apart, "TERM_SECONDS", 0)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    run = actions.start(where, values)
    started_at = psutil.Process(other.pid).create_time()
    store.runs.claim("app")
    store.runs.update(run, owner={"host": socket.gethostname(), "pid": other.pid, "started_at": started_at})
    actions.command(where, run, "stop", by="me")
    apart.press(store, store.runs.get(run))
    assert other.poll() is None and not [one for one in store.events.tail(run) if one["kind"] == "pressed"]
    other.kill()
    other.wait()


def test_sigterm_saves_first(store, running):
    process_of(store, running).terminate()
    row = until(lambda: (row := store.runs.get(running))["ended_at"] and row)
    assert row["status"] == "stopped"
    assert row["reason"].startswith(f"Stopped by the system at step {row['global_step']} of 5000; checkpoint")
    assert [one["step"] for one in store.checkpoints.of(running)][-1] == row["global_step"]


def test_a_kill_interrupts_it_with_the_reason_and_it_resumes_in_the_app(where, store, running):
    actions.command(where, running, "save", by="me")
    until(lambda: store.checkpoints.of(running))
    process_of(store, running).kill()
    row = until(lambda: (row := store.runs.get(running))["ended_at"] and row)
    assert row["status"] == "interrupted" and "SIGKILL" in row["error"]["what"]
    step = actions.resume(where, running)
    until(lambda: store.parts.of(running))
    assert store.parts.of(running)[0]["from_step"] == step
    until(lambda: store.runs.get(running)["global_step"] > step + 2)
    actions.command(where, running, "stop", by="me")
    until(lambda: store.runs.get(running)["ended_at"])


def test_one_that_does_not_answer_is_told_again_and_then_ended_by_force(where, store, running, monkeypatch):
    monkeypatch.setattr(apart, "TERM_SECONDS", 1)
    monkeypatch.setattr(apart, "KILL_SECONDS", 1)
    process = process_of(store, running)
    process.suspend()  # it hangs
    actions.command(where, running, "stop", by="me")
    row = until(lambda: (row := store.runs.get(running))["ended_at"] and row)
    assert row["status"] == "interrupted" and not process.is_running()
    pressed = [event["text"] for event in store.events.tail(running) if event["kind"] == "pressed"]
    assert ["SIGTERM" in pressed[0], "by force" in pressed[1]] == [True, True]


def test_what_was_told_before_a_resume_does_not_count_for_the_next_stop(store, where, values, monkeypatch):
    sent = []
    monkeypatch.setattr(apart, "TERM_SECONDS", 0)
    monkeypatch.setattr(apart.os, "kill", lambda pid, number: sent.append(number))
    pid = os.getppid()  # some other process that lives; nothing is sent to it
    run = actions.start(where, values, executor=f"pid:{pid}")
    store.runs.claim(f"pid:{pid}")
    started_at = psutil.Process(pid).create_time()
    store.runs.update(run, owner={"host": socket.gethostname(), "pid": pid, "started_at": started_at})
    for text in ("told again by SIGTERM", "ended by force"):
        store.events.add(run, "pressed", text)
    actions.command(where, run, "stop", by="me")
    for _ in range(2):
        apart.press(store, store.runs.get(run))
    assert sent == [signal.SIGTERM]
    monkeypatch.setattr(apart, "KILL_SECONDS", 0)
    apart.press(store, store.runs.get(run))
    assert sent == [signal.SIGTERM, signal.SIGKILL]


def test_one_whose_process_cannot_begin_fails_with_its_last_words(where, store, long, monkeypatch):
    monkeypatch.setattr(apart, "command", lambda *_: [sys.executable, "-c", "raise SystemExit('no such thing')"])
    run = actions.start(where, long)
    thread = launcher.start(where)
    row = until(lambda: (row := store.runs.get(run))["ended_at"] and row)
    assert row["status"] == "failed" and "no such thing" in row["error"]["why"]
    launcher._closing.set()
    thread.join(20)


def test_after_a_cuda_error_in_the_thread_the_next_run_goes_to_a_process_of_its_own(where, store, values, monkeypatch):
    from tests.training.control import commanding
    from tests.training.test_resume import broken

    commanding(monkeypatch, {}, each=broken)
    first, second = actions.start(where, values), actions.start(where, values)
    thread = launcher.start(where)
    until(lambda: store.runs.get(second)["ended_at"])
    assert [store.runs.get(run)["status"] for run in (first, second)] == ["failed", "finished"]
    facts = store.runs.get(second)["facts"]
    assert facts["runs_in"].startswith("a process of its own") and "CUDA error" in facts["runs_there_because"]
    launcher._closing.set()
    thread.join(20)


ACCELERATE = """
compute_environment: LOCAL_MACHINE
distributed_type: MULTI_GPU  # of a plain config accelerate starts one process, however many it names
num_processes: 2
num_machines: 1
machine_rank: 0
main_process_port: 0  # any that is free
mixed_precision: "no"
use_cpu: false  # the trainer finds that there is no GPU
"""


@pytest.mark.parametrize(
    "starts", [pytest.param("torch.distributed.run", marks=pytest.mark.slow), "accelerate.commands.launch"]
)
def test_two_processes_train_one_run_and_obey_together(where, store, long, tmp_path, starts):
    long["run"] = {"placement": "accelerate", "processes": 2}
    if starts.startswith("accelerate"):
        file = tmp_path / "accelerate.yaml"
        file.write_text(ACCELERATE)
        long["run"] = {"placement": "accelerate", "accelerate_config": str(file)}
    run = actions.start(where, long)
    thread = launcher.start(where)
    until(lambda: store.runs.get(run)["global_step"] > 2, 180)
    assert starts in process_of(store, run).parent().cmdline()
    saved = actions.command(where, run, "save", by="me")
    scored = actions.command(where, run, "evaluate", by="me")
    until(lambda: store.commands.get(saved)["outcome"] and store.commands.get(scored)["outcome"])
    actions.command(where, run, "stop", by="me")
    row = until(lambda: (row := store.runs.get(run))["ended_at"] and row)
    assert row["status"] == "stopped" and row["facts"]["runs_in"].startswith("2 processes")
    steps = [step for step, _ in store.metrics.points(run, "loss")]
    assert steps == list(range(1, row["global_step"] + 1))
    taken = store.commands.get(saved)["taken_at_step"]
    assert store.commands.get(saved)["outcome"] == f"saved at step {taken}"
    folder = where.run_folder(run)
    for step in (taken, row["global_step"]):  # each process has written its own part
        assert {"rng_state_0.pth", "rng_state_1.pth"} <= {
            file.name for file in (folder / f"checkpoint-{step}").iterdir()
        }
    until(lambda: not [one for one in psutil.process_iter(["cmdline"]) if run in (one.info["cmdline"] or [])])

    assert actions.resume(where, run) == row["global_step"]
    until(lambda: store.runs.get(run)["global_step"] > row["global_step"] + 2, 180)
    actions.command(where, run, "stop-without-checkpoint", by="me")
    row = until(lambda: (row := store.runs.get(run))["ended_at"] and row)
    steps = [step for step, _ in store.metrics.points(run, "loss")]
    assert row["status"] == "stopped" and steps == list(range(1, row["global_step"] + 1))
    launcher._closing.set()
    thread.join(40)


def test_the_command_line_starts_it_and_ctrl_c_stops_it_with_a_checkpoint(where, store, long, tmp_path):
    import yaml

    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(long))
    command = [sys.executable, "-m", "dfgui", "train", str(file), "--home", str(where.home), "--json"]
    followed = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    run = until(lambda: store.runs.all() and store.runs.all()[0]["id"])
    until(lambda: store.runs.get(run)["global_step"] > 2)
    assert process_of(store, run).pid != followed.pid
    followed.send_signal(signal.SIGINT)
    out, _ = followed.communicate(timeout=90)
    assert followed.returncode == 0 and '"status": "stopped"' in out

    resume = [sys.executable, "-m", "dfgui", "runs", "resume", run, "--home", str(where.home), "--json"]
    answer = subprocess.run(resume, cwd=ROOT, capture_output=True, text=True, timeout=90)
    assert answer.returncode == 0 and '"command": "resume"' in answer.stdout
    step = store.checkpoints.of(run)[-1]["step"]
    until(lambda: store.runs.get(run)["global_step"] > step + 2)
    actions.command(where, run, "stop", by="me")
    until(lambda: store.runs.get(run)["ended_at"])


def test_the_launcher_of_several_processes_is_torchrun_or_accelerate(where):
    home = where.home
    two = RunConfig.model_validate({"run": {"placement": "accelerate", "processes": 3}})
    assert "--nproc_per_node=3" in apart.command("r", two, home)
    configured = RunConfig.model_validate({"run": {"placement": "accelerate", "accelerate_config": "/x/fsdp.yaml"}})
    started = apart.command("r", configured, home)
    assert started[1:5] == ["-m", "accelerate.commands.launch", "--config_file", "/x/fsdp.yaml"]
    assert started[5:7] == ["-m", "dfgui.training.worker"]


def test_stopped_while_it_waits_in_the_queue_its_process_goes(where, store, long):
    store.runs.create(RunConfig(), executor="test")
    store.runs.claim("test")
    run = actions.start(where, long, executor=f"pid:{os.getpid()}")
    thread = threading.Thread(target=launcher.run_apart, args=(run, where))
    thread.start()
    until(lambda: store.runs.get(run)["owner"]["pid"] != os.getpid())
    actions.command(where, run, "stop", by="me")
    thread.join(30)
    assert not thread.is_alive() and store.runs.get(run)["status"] == "stopped"
