"""The queue: one run at a time, in a thread of this process.

The thread claims the oldest run that waits, executes it and looks again. A reload, a second browser or a second process
on the same home sees the same queue, since it is the store's.
"""

import logging
import shutil
import threading
import time
from pathlib import Path

from dfgui.integrations.connections import Secrets, no_secrets
from dfgui.settings import Settings
from dfgui.store import Store, owner
from dfgui.store.runs import ENDED

logger = logging.getLogger("dfgui")

LOOK_SECONDS = 0.5
ORPHAN_SECONDS = 5.0
TROUBLE_SECONDS = 2.0

_closing = threading.Event()  # set while this process ends: what waits in the queue is left to the next one


def start(settings: Settings, secrets: Secrets = no_secrets) -> threading.Thread:
    """Starts the thread that runs what is queued for the app. `secrets`: what was handed to a run, see connections."""
    _closing.clear()
    thread = threading.Thread(target=_work, args=(settings, secrets), name="dfgui-runner", daemon=True)
    thread.start()
    return thread


def _work(settings: Settings, secrets: Secrets) -> None:
    store = Store(settings.store_path)
    cleared, swept = False, 0.0
    while not _closing.is_set():
        try:
            cleared = cleared or _clear(settings.exports)
            if time.monotonic() - swept > ORPHAN_SECONDS:
                swept = time.monotonic()
                store.runs.interrupt_orphans()
            if not _runs_the_next(store, settings, secrets):
                time.sleep(LOOK_SECONDS)
        except Exception:  # a locked store, a full disk: the queue outlives them
            logger.exception("The queue could not be served; trying again.")
            time.sleep(TROUBLE_SECONDS)


def _runs_the_next(store: Store, settings: Settings, secrets: Secrets) -> bool:
    """Runs what is next in the queue, if anything is."""
    run = store.runs.claim("app")
    if run:
        from dfgui.training import worker  # here, so that an idle app never imports what training needs

        worker.execute(run, settings.with_secrets(secrets(run)))
    return run is not None


def _clear(folder: Path) -> bool:
    """Deletes what an app that was killed had merged for a download; another app on this home may be at it now."""
    for left in folder.iterdir():
        if owner.left_behind(left.name):
            shutil.rmtree(left, ignore_errors=True)
    return True


def shutdown(settings: Settings, seconds: float) -> bool:
    """Asks what this process runs to stop with a checkpoint and waits at most `seconds`; whether all have ended."""
    _closing.set()
    store = Store(settings.store_path)
    deadline = time.monotonic() + seconds
    asked: set[str] = set()
    while mine := {run["id"] for run in store.runs.active() if run["owner"] == owner.me()}:
        for run in mine - asked:
            store.commands.add(run, "stop", by="shutdown")
            asked.add(run)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def run_here(run: str, settings: Settings) -> None:
    """Waits for a run's turn and executes it in the calling thread: the command line's way.

    Returns at once when somebody takes the run out of the queue.
    """
    store = Store(settings.store_path)
    while store.runs.claim(store.runs.get(run)["executor"]) != run:
        if store.runs.get(run)["status"] in ENDED:
            return
        store.runs.interrupt_orphans()
        time.sleep(LOOK_SECONDS)
    from dfgui.training import worker

    worker.execute(run, settings)
