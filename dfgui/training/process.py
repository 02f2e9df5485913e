"""What `python -m dfgui.training.worker RUN --home HOME --executor app` does: one run in this process, then its end.

SIGTERM and Ctrl-C mean: save, then stop. In the phases before the first step they are heard at once; in training, at
the end of the step. Of several processes of one run, the first one owns it and the others follow.
"""

import argparse
import os
import signal
import time
from typing import Any

from dfgui import settings
from dfgui.settings import Settings
from dfgui.store import Store
from dfgui.store.runs import ACTIVE, ENDED
from dfgui.training import ranks, worker
from dfgui.training.phases import Place

LOOK_SECONDS = 0.2


def main(argv: list[str] | None = None) -> int:
    """Exit code 0: finished or stopped. 1: it failed, or did not begin."""
    parser = argparse.ArgumentParser(prog="python -m dfgui.training.worker")
    parser.add_argument("run")
    parser.add_argument("--home", required=True)
    parser.add_argument("--executor", default="app", help="in whose name the run waits in the queue")
    parser.add_argument("--why", default="", help="why it executes in a process of its own, in words")
    asked = parser.parse_args(argv)
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    where = settings.load(home=asked.home, jailed=False)
    here = ranks.here()
    words = "a process of its own" if here.world == 1 else f"{here.world} processes"
    place = Place(here, f"{words}, {os.getpid()}", asked.why)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: place.ending.set())
    if not _begins(asked.run, asked.executor, where, place):
        return 1
    problem = worker.execute(asked.run, where, place)
    status = Store(where.store_path).runs.get(asked.run)["status"]
    early = here.world > 1 and not place.trains  # the others may wait for this one: they go down with it
    return 1 if problem or status == "failed" or early else 0


def _begins(run: str, executor: str, where: Settings, place: Place) -> bool:
    """Waits for the run's turn; whether it has come."""
    store = Store(where.store_path)
    if not place.ranks.first:
        return _follows(run, store, place)
    mine = store.runs.adopt(run, executor)
    while mine and store.runs.claim(mine) != run:
        if place.ending.is_set():
            store.runs.withdraw(run, "Its process was asked to end while it waited in the queue.")
        if store.runs.get(run)["status"] in ENDED:
            return False
        store.runs.interrupt_orphans()
        time.sleep(LOOK_SECONDS)
    return mine is not None


def _follows(run: str, store: Store, place: Place) -> bool:
    row: dict[str, Any] = store.runs.get(run)
    while row["status"] not in ACTIVE:
        if row["status"] in ENDED or place.ending.is_set():
            return False
        time.sleep(LOOK_SECONDS)
        row = store.runs.get(run)
    return True
