"""Runs that train nothing, written to a home's store as a trainer writes: five scalars a step, through the Writer.

    python bench/rows.py HOME --runs 50 --rows 2000       fifty finished runs; prints the id of each
    python bench/rows.py HOME --rows 100000 --rate 10     one that goes on at ten steps a second until its stdin ends

Whoever watches cannot tell it from a training. The first steps are written as fast as the store takes them.
"""

import argparse
import os
import random
import sys
import threading
import time
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

from dfgui import settings  # noqa: E402
from dfgui.config import RunConfig  # noqa: E402
from dfgui.store import Store, Writer  # noqa: E402

EXECUTOR = f"pid:{os.getpid()}"
HANDED_OVER = 20_000  # steps that may wait for the writer
STEPS_PER_EPOCH = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("home", type=Path)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--rows", type=int, default=1000, help="logged steps of each")
    parser.add_argument("--rate", type=float, help="steps a second, after those")
    asked = parser.parse_args()
    store = Store(settings.load(home=asked.home, jailed=False).store_path)
    for number in range(asked.runs):
        written(store, f"run-{number}", asked.rows, asked.rate)


def written(store: Store, name: str, rows: int, rate: float | None) -> None:
    run = store.runs.create(RunConfig(name=name), EXECUTOR)
    assert store.runs.claim(EXECUTOR) == run, "another run holds the queue"
    store.runs.move(run, "running")
    with Writer(store.path, run) as writer:
        writer.progress(max_steps=10 * rows if rate else rows, num_train_epochs=3.0, first_step_at=time.time())
        for step in range(1, rows + 1):
            writer.log(step, values(step, rows))
            if step % HANDED_OVER == 0:
                writer.flush(timeout=600)
        writer.progress(global_step=rows, epoch=rows / STEPS_PER_EPOCH)
        writer.flush(timeout=600)
        print(run, flush=True)
        if rate:
            go_on(writer, rows, rate)
    store.runs.move(run, "finished", "All steps are done.")


def values(step: int, rows: int) -> dict[str, float]:
    """What TRL logs at a step; figures that no rounding shortens."""
    return {
        "loss": 2.0 / (1 + step * 1e-3) + 0.1 * random.random(),
        "grad_norm": 1.0 + random.random(),
        "learning_rate": 2e-4 * (1 - step / (10 * rows)),
        "mean_token_accuracy": 0.5 + 0.1 * random.random(),
        "epoch": step / STEPS_PER_EPOCH,
    }


def go_on(writer: Writer, step: int, rate: float) -> None:
    """Step after step as training/callbacks.py tells them, until whoever began this closes stdin."""
    rows, left = step, threading.Event()

    def listen() -> None:
        sys.stdin.read()
        left.set()

    threading.Thread(target=listen, daemon=True).start()
    while not left.wait(1 / rate):
        step += 1
        state = {"global_step": step, "max_steps": 10 * rows, "log_history": step, "is_world_process_zero": True}
        writer.progress(global_step=step, epoch=step / STEPS_PER_EPOCH)
        writer.progress(state=state)
        writer.log(step, values(step, rows))


if __name__ == "__main__":
    main()
