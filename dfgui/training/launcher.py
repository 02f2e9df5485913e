"""The queue: one run at a time, in a thread of this process.

The thread claims the oldest run that waits, executes it and looks again. A reload, a second browser or a second process
on the same home sees the same queue, since it is the store's.
"""

import logging
import shutil
import threading
import time
from pathlib import Path

from dfgui.settings import Settings
from dfgui.store import Store, owner
from dfgui.store.runs import ACTIVE, ENDED

logger = logging.getLogger("dfgui")

LOOK_SECONDS = 0.5
ORPHAN_SECONDS = 5.0


def start(settings: Settings) -> threading.Thread:
    """Starts the thread that runs what is queued for the app."""
    thread = threading.Thread(target=_work, args=(settings,), name="dfgui-runner", daemon=True)
    thread.start()
    return thread


def _work(settings: Settings) -> None:
    store = Store(settings.store_path)
    _clear(settings.exports)
    swept = 0.0
    while True:
        if time.monotonic() - swept > ORPHAN_SECONDS:
            swept = time.monotonic()
            store.runs.interrupt_orphans()
        if run := store.runs.claim("app"):
            from dfgui.training import worker  # here, so that an idle app never imports what training needs

            worker.execute(run, settings)
        else:
            time.sleep(LOOK_SECONDS)


def _clear(folder: Path) -> None:
    """Deletes what an app that was killed had merged for a download."""
    for left in folder.iterdir():
        shutil.rmtree(left, ignore_errors=True)


def shutdown(settings: Settings, seconds: float) -> bool:
    """Asks what this process runs to stop with a checkpoint and waits at most `seconds`; whether all have ended."""
    store = Store(settings.store_path)
    mine = [run["id"] for run in store.runs.all() if run["status"] in ACTIVE and run["owner"] == owner.me()]
    for run in mine:
        store.commands.add(run, "stop", by="shutdown")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if all(store.runs.get(run)["status"] in ENDED for run in mine):
            return True
        time.sleep(0.1)
    return not mine


def run_here(run: str, settings: Settings) -> None:
    """Waits for a run's turn and executes it in the calling thread: the command line's way."""
    store = Store(settings.store_path)
    while store.runs.claim(store.runs.get(run)["executor"]) != run:
        store.runs.interrupt_orphans()
        time.sleep(LOOK_SECONDS)
    from dfgui.training import worker

    worker.execute(run, settings)
