"""How far a command is stands on stderr: bars on a terminal, lines elsewhere, and nothing of it on stdout."""

import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from dfgui import settings
from dfgui.cli import progress as cli_progress
from dfgui.cli.progress import Bars, Lines, Stage
from dfgui.config import RunConfig
from dfgui.store import Store

ROOT = Path(__file__).parents[2]
RUN = """
model: {name: demo}
data: {source: demo, limit: 40}
adapter: {r: 4}
training: {max_steps: 4, per_device_train_batch_size: 2, gradient_accumulation_steps: 1, logging_steps: 1,
  eval_steps: 2, save_steps: 4, max_length: 512}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run.yaml").write_text(RUN)
    return tmp_path


@pytest.fixture
def store(tmp_path):
    return Store(settings.load(home=tmp_path).store_path)


def started(folder, stderr, *arguments):
    command = [sys.executable, "-m", "dfgui", *arguments, "--json", "--home", str(folder / "home")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=stderr)


def on_a_terminal(folder, *arguments, columns=120):
    """Runs a command whose stderr is a terminal; what it drew there, and its JSON value."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = started(folder, its, *arguments)
    os.close(its)
    drawn = b""
    while part := _read(ours):
        drawn += part
    os.close(ours)
    printed = process.communicate(timeout=240)[0]
    assert process.returncode == 0, drawn.decode()
    return drawn.decode(), json.loads(printed)


def _read(terminal):
    try:
        return os.read(terminal, 4096)
    except OSError:  # how Linux says that nobody writes to it any more
        return b""


def to_a_file(folder, *arguments):
    process = started(folder, subprocess.PIPE, *arguments)
    printed, told = process.communicate(timeout=240)
    assert process.returncode == 0, told.decode()
    return told.decode(), json.loads(printed)


PHASES = [
    *("waiting for its turn", "preparing", "starting TRL", "loading the tokenizer", "tokenising"),
    *("loading the model", "working on the first step", "training"),
]


def test_a_run_on_a_terminal_draws_a_bar_for_each_phase_and_one_for_its_steps(folder):
    drawn, answer = on_a_terminal(folder, "train", "run.yaml")
    assert answer["status"] == "finished"
    names = [re.split(r":| \[", line)[0].strip() for line in re.split(r"[\r\n]+", drawn) if line.strip()]
    bars = [name for name, before in zip(names, ["", *names], strict=False) if name != before]
    assert bars[0] in PHASES and bars[-1] == "training"
    assert bars == [phase for phase in PHASES if phase in bars]  # one for each, in this order
    assert "starting TRL" in bars  # the others may be over before anybody looks
    last = [line for line in re.split(r"[\r\n]+", drawn) if line.strip()][-1]
    assert re.match(r"training: 100%\|.+\| 4/4 \[\d\d:\d\d, loss [\d.]+, eval loss [\d.]+, lr [\de.-]+\]", last), last
    assert "Loading weights" not in drawn


def test_a_run_into_a_file_tells_lines_that_a_log_can_hold(folder):
    told, answer = to_a_file(folder, "train", "run.yaml")
    assert answer["status"] == "finished"
    lines = told.splitlines()
    assert "\r" not in told and "\x1b" not in told and "%|" not in told
    assert "starting TRL" in lines
    assert re.fullmatch(r"step 4/4  loss [\d.]+  eval loss [\d.]+  lr [\de.-]+", lines[-1]), lines[-1]


def test_a_check_counts_its_rows(folder):
    drawn, answer = on_a_terminal(folder, "check", "run.yaml")
    assert re.search(r"checking: 100%\|.+\| 40/40 \[.*rows/s, \d+ findings?\]", drawn)
    told, same = to_a_file(folder, "check", "run.yaml")
    assert same == answer
    assert told.splitlines()[0] == "checking" and re.match(r"40 of 40 rows  \d+ finding", told.splitlines()[-1])


def test_lines_come_at_each_phase_now_and_then_and_at_the_end():
    now, out = [0.0], io.StringIO()
    lines = Lines(out, clock=lambda: now[0])
    for second, name, line in [
        (0, "tokenising", "tokenising"),
        (1, "tokenising", "tokenising 10 of 90 rows"),
        (5, "tokenising", "tokenising 50 of 90 rows"),
        (6, "training", "step 1/60"),
        (10, "training", "step 2/60"),
        (11, "training", "step 3/60"),
        (30, "training", "step 3/60"),
        (31, "training", "step 4/60"),
        (32, "training", "step 5/60"),
    ]:
        now[0] = second
        lines(Stage(name, line))
    lines.close()
    told = ["tokenising", "tokenising 50 of 90 rows", "step 1/60", "step 3/60", "step 4/60", "step 5/60"]
    assert out.getvalue().splitlines() == told


def test_a_phase_that_another_follows_is_drawn_as_done():
    out = io.StringIO()
    bars = Bars(out)
    bars(Stage("tokenising", "", 0, 600, "rows"))
    bars(Stage("downloading", "", 2_000_000, 8_000_000, "bytes"))
    bars.say("Stopping with a checkpoint ...")
    bars.close()
    assert re.search(r"tokenising: 100%\|.*\| 600/600 ", out.getvalue())
    assert re.search(r"downloading:  25%\|.*\| 2\.00M/8\.00M ", out.getvalue())
    assert "Stopping with a checkpoint ...\n" in out.getvalue()


def test_a_run_is_told_by_where_it_stands(store):
    run = store.runs.create(RunConfig(name="weather-lora"), f"pid:{os.getpid()}")
    row, now = store.runs.get(run), time.time()
    assert cli_progress.of_run(row, store, now).line == "waiting for its turn"
    preparing = {**row, "status": "preparing", "phase": "tokenising"}
    assert cli_progress.of_run(preparing, store, now).line == "tokenising"
    counted = {**preparing, "phase_done": 300, "phase_total": 540, "phase_unit": "rows"}
    assert cli_progress.of_run(counted, store, now) == Stage(
        "tokenising", "tokenising 300 of 540 rows", 300, 540, "rows"
    )
    running = {**row, "status": "running", "phase": "training", "first_step_at": now - 10, "max_steps": 60}
    running["global_step"] = 21
    assert cli_progress.of_run(running, store, now).line == "step 21/60  20 s left"
    evaluating = {**running, "phase": "evaluating", "phase_done": 3, "phase_total": 8, "phase_unit": "batches"}
    stage = cli_progress.of_run(evaluating, store, now)
    assert (stage.name, stage.more) == ("training", ("evaluating 3 of 8 batches",))
