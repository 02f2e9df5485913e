"""What logging costs the trainer's thread, when a row can be read by another process, and what a kill takes with it.

    python bench/writing.py                                      3 rounds of 2,000 rows, 200 rows read, 20 kills
    python bench/writing.py --rounds 1 --rows 500 --kills 3      a quick try
    python bench/writing.py --trackio PYTHON --json writing.json

The logger is a process of its own that computes between two rows, at least 5 ms, as a trainer does; Trackio's, with
--trackio, takes turns with it. One log call is `on_log` of training/callbacks.py, the callback with TrainerState and
all that a run has; Trackio's is its `log`. It comes straight after a product of matrices that has emptied the caches:
the worst that a trainer meets. `one after another` is without any work between, the best; bench/overhead.py asks a real
training, and what all callbacks take of its step. Readable: this process looks into the store every 2 ms, from the call
until the row is there. A kill: SIGKILL at a random moment; lost is what was logged more than 0.2 s before and is gone.
"""

import argparse
import functools
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

from bench.rows import values  # noqa: E402
from bench.stopwatch import each_row, noted  # noqa: E402
from dfgui import settings  # noqa: E402
from dfgui.config import RunConfig  # noqa: E402
from dfgui.store import Store, Writer  # noqa: E402

PEER = str(PROJECT / "bench" / "peer.py")
P50, P99, READABLE = 20e-6, 200e-6, 0.1  # seconds
PAUSE = 0.005  # between two rows
PAUSE_READ = 0.12  # between two rows whose arrival is waited for
LOOK = 0.002
SEEN_SECONDS = 0.2  # what was logged longer ago than this must survive a kill
START_SECONDS = 120
EXECUTOR = f"pid:{os.getpid()}"

Place = tuple[Path, str]  # where a logger's rows are: the database, and the question for their steps
Logger = Callable[[Path], tuple[list[str], Place]]  # its command in a folder, and where the rows come to


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="of the log calls")
    parser.add_argument("--rows", type=int, default=2000, help="of each round; a tenth as many are waited for")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--trackio", metavar="PYTHON", help="an interpreter that has trackio")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write all that was measured")
    parser.add_argument("--log", nargs=4, metavar=("FOLDER", "ROWS", "PAUSE", "SEEN"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.log:
        folder, rows, pause, seen = asked.log
        log(Path(folder), int(rows), float(pause), Path(seen))
        return
    found: dict[str, Any] = {"load": os.getloadavg()[0], **measured(asked)}
    told(found)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))


def log(home: Path, rows: int, pause: float, seen: Path) -> None:
    """Our logger: a run's writer and its callback, without a trainer."""
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from dfgui.training.callbacks import Recorder

    store = Store(settings.load(home=home, jailed=False).store_path)
    run = store.runs.create(RunConfig(name="logged"), EXECUTOR)
    state, control = TrainerState(max_steps=rows), TrainerControl()
    arguments = TrainingArguments(str(home / "unused"), report_to="none", use_cpu=True)
    with Writer(store.path, run) as writer:
        recorder = Recorder(writer, None)

        logs = [values(step, rows) for step in range(rows + 1)]

        def call(step: int) -> None:
            state.global_step = step
            recorder.on_log(arguments, state, control, logs=logs[step])

        each_row(rows, pause, seen, call)


def measured(asked: argparse.Namespace) -> dict[str, Any]:
    """{"dfgui": {"waits": [seconds], "at_once": [...], "readable": [...], "kills": [{"logged": 83, ...}]}, ...}"""
    loggers: dict[str, Logger] = {"dfgui": ours}
    if asked.trackio:
        loggers["trackio"] = functools.partial(theirs, asked.trackio)
    found: dict[str, Any] = {name: {"waits": [], "readable": [], "kills": []} for name in loggers}
    for _ in range(asked.rounds):
        for name, logger in loggers.items():
            found[name]["waits"] += in_a_folder(waits, logger, asked.rows, PAUSE)
    for name, logger in loggers.items():
        found[name]["at_once"] = in_a_folder(waits, logger, asked.rows, 0)
        found[name]["readable"] = in_a_folder(arrivals, logger, max(asked.rows // 10, 10))
    for number in range(asked.kills):
        for name, logger in loggers.items():
            found[name]["kills"].append(in_a_folder(killed, logger))
        print(f"kill {number + 1}", {name: found[name]["kills"][-1] for name in loggers}, file=sys.stderr, flush=True)
    return found


def ours(folder: Path) -> tuple[list[str], Place]:
    command = [sys.executable, __file__, "--log", str(folder)]
    return command, (folder / "dfgui.db", "SELECT step FROM metrics WHERE name = 'loss'")


def theirs(python: str, folder: Path) -> tuple[list[str], Place]:
    return [python, PEER, "log", str(folder)], (folder / "bench.db", "SELECT step FROM metrics")


def in_a_folder(work: Callable[..., Any], *given: Any) -> Any:
    with tempfile.TemporaryDirectory() as name:
        return work(Path(name), *given)


def begun(folder: Path, logger: Logger, rows: int, pause: float) -> tuple[subprocess.Popen, Place, Path]:
    command, place = logger(folder)
    seen = folder / "seen.txt"
    process = subprocess.Popen([*command, str(rows), str(pause), str(seen)], stdout=subprocess.DEVNULL)
    return process, place, seen


def waits(folder: Path, logger: Logger, rows: int, pause: float) -> list[float]:
    """Seconds that the caller waited for each of so many rows."""
    process, _, seen = begun(folder, logger, rows, pause)
    assert process.wait(START_SECONDS + rows * PAUSE * 10) == 0
    return [waited for _, _, waited in noted(seen)]


def arrivals(folder: Path, logger: Logger, rows: int) -> list[float]:
    """Seconds from each log call until another process, this one, could read the row."""
    process, place, seen = begun(folder, logger, rows, PAUSE_READ)
    there: dict[int, float] = {}
    while process.poll() is None:
        for step in steps(place) - there.keys():
            there[step] = time.time()
        time.sleep(LOOK)
    assert process.returncode == 0
    return [there[step] - at for step, at, _ in noted(seen) if step in there]


def killed(folder: Path, logger: Logger) -> dict[str, int]:
    """How many rows were logged long enough before a kill, and how many of them are gone."""
    process, place, seen = begun(folder, logger, 100_000, PAUSE)
    until = time.monotonic() + START_SECONDS
    while not noted(seen) and time.monotonic() < until:
        time.sleep(LOOK)
    time.sleep(random.uniform(0.5, 2))
    process.kill()
    at = time.time()
    process.wait(30)
    logged = {step for step, when, _ in noted(seen) if when < at - SEEN_SECONDS}
    return {"logged": len(logged), "lost": len(logged - steps(place))}


def steps(place: Place) -> set[int]:
    """Those that can be read; none while the database is being made."""
    path, question = place
    if not path.exists():
        return set()
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            return {step for (step,) in db.execute(question)}
    except sqlite3.OperationalError:
        return set()


def p99(values: list[float]) -> float:
    return sorted(values)[min(int(0.99 * len(values)), len(values) - 1)]


def told(found: dict[str, Any]) -> None:
    print(f"load {found['load']:.1f}")
    for name in (name for name in ("dfgui", "trackio") if name in found):
        each = found[name]
        readable, kills = each["readable"], each["kills"]
        for words, calls in (("log call", each["waits"]), ("   one after another", each["at_once"])):
            p50 = 1e6 * statistics.median(calls)
            print(f"{name}: {words} p50 {p50:.1f} us, p99 {1e6 * p99(calls):.1f} us of {len(calls):,}")
        print(
            f"   readable after {1e3 * statistics.median(readable):.0f} ms (median), p99 {1e3 * p99(readable):.0f} ms"
        )
        lost, logged = (sum(kill[part] for kill in kills) for part in ("lost", "logged"))
        print(f"   {len(kills)} kills: {lost} of {logged:,} rows lost that were logged more than 0.2 s before")


if __name__ == "__main__":
    main()
