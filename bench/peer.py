"""Trackio's side of the benchmarks that measure it beside dfgui. Run by an interpreter that has trackio, and no dfgui.

PYTHON bench/peer.py version
PYTHON bench/peer.py fill FOLDER RUNS ROWS        runs of five scalars a step, in its own database
PYTHON bench/peer.py show FOLDER PORT             its dashboard, until it is ended
PYTHON bench/peer.py live FOLDER RATE             the first run goes on, until stdin ends
PYTHON bench/peer.py log FOLDER ROWS PAUSE SEEN   a line in the file SEEN for each row (bench/writing.py)
"""

import os
import random
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

PROJECT, FIRST = "bench", "run-0"


def main() -> None:
    what, *given = sys.argv[1:]
    if given:
        os.environ["TRACKIO_DIR"] = given[0]
    globals()[what](*given)


def version() -> None:
    import trackio

    print(trackio.__version__)


def fill(folder: str, runs: str, rows: str) -> None:
    from trackio.sqlite_storage import SQLiteStorage

    began, steps = datetime(2026, 1, 1, tzinfo=UTC), list(range(1, int(rows) + 1))
    for number in range(int(runs)):
        SQLiteStorage.bulk_log(
            PROJECT,
            f"run-{number}",
            [values(step) for step in steps],
            steps=steps,
            timestamps=[(began + timedelta(seconds=step)).isoformat() for step in steps],
            config={"learning_rate": 2e-4},
            run_id=f"id-{number}",
        )


def show(folder: str, port: str) -> None:
    import trackio

    trackio.show(open_browser=False, server_port=int(port), block_thread=True)


def live(folder: str, rate: str) -> None:
    import sqlite3

    import trackio

    with sqlite3.connect(Path(folder) / f"{PROJECT}.db") as db:
        step = db.execute("SELECT max(step) FROM metrics").fetchone()[0]
    trackio.init(project=PROJECT, name=FIRST, resume="must")
    left = threading.Event()

    def listen() -> None:
        sys.stdin.read()
        left.set()

    threading.Thread(target=listen, daemon=True).start()
    print(FIRST, flush=True)
    while not left.wait(1 / float(rate)):
        step += 1
        trackio.log(values(step), step=step)
    trackio.finish()


def log(folder: str, rows: str, pause: str, seen: str) -> None:
    import trackio
    from stopwatch import each_row

    trackio.init(project=PROJECT, name=FIRST, auto_log_gpu=False)
    each_row(int(rows), float(pause), Path(seen), lambda step: trackio.log(values(step), step=step))
    trackio.finish()


def values(step: int) -> dict[str, float]:
    return {
        "train/loss": 2.0 / (1 + step * 1e-3) + 0.1 * random.random(),
        "train/grad_norm": 1.0 + random.random(),
        "train/learning_rate": 2e-4 / (1 + step * 1e-6),
        "train/mean_token_accuracy": 0.5 + 0.1 * random.random(),
        "train/epoch": step / 1000,
    }


if __name__ == "__main__":
    main()
