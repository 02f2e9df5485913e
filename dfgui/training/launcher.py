"""The queue: one run at a time, and where it executes: in a thread of this process, or apart from it.

The thread takes the oldest run that waits, executes it or starts a process for it, and looks again. A reload, a second
browser or a second process on the same home sees the same queue, since it is the store's.
"""

import logging
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from dfgui.config import RunConfig
from dfgui.integrations.connections import Secrets, no_secrets
from dfgui.settings import Settings
from dfgui.store import Store, owner
from dfgui.store.runs import ENDED
from dfgui.training import apart
from dfgui.training.phases import Place

logger = logging.getLogger("dfgui")

LOOK_SECONDS = 0.5
ORPHAN_SECONDS = 5.0
TROUBLE_SECONDS = 2.0

SPOILT = "A CUDA error has left the app's own process unable to use the GPU; a restart of dfgui mends it."

_closing = threading.Event()  # set while this process ends: what waits in the queue is left to the next one


def start(settings: Settings, secrets: Secrets = no_secrets) -> threading.Thread:
    """Starts the thread that runs what is queued for the app. `secrets`: what was handed to a run, see connections."""
    _closing.clear()
    thread = threading.Thread(target=_work, args=(settings, secrets), name="dfgui-runner", daemon=True)
    thread.start()
    return thread


def _work(settings: Settings, secrets: Secrets) -> None:
    store = Store(settings.store_path)
    cleared, swept, spoilt = False, 0.0, False
    while not _closing.is_set():
        try:
            cleared = cleared or _clear(settings.exports)
            if time.monotonic() - swept > ORPHAN_SECONDS:
                swept = time.monotonic()
                store.runs.interrupt_orphans()
                for run in store.runs.active():  # of a process that another app had started
                    apart.press(store, run)
            if (following := store.runs.next("app")) is None:
                time.sleep(LOOK_SECONDS)
            else:
                spoilt = _runs(following, settings, secrets, spoilt)
        except Exception:  # a locked store, a full disk: the queue outlives them
            logger.exception("The queue could not be served; trying again.")
            time.sleep(TROUBLE_SECONDS)


def _runs(run: dict[str, Any], settings: Settings, secrets: Secrets, spoilt: bool) -> bool:
    """Executes the run whose turn it is; returns whether a CUDA error has spoilt this process for the next ones."""
    config = RunConfig.model_validate(run["config"])
    given = secrets(run["id"])
    if config.run.placement == "thread" and not spoilt:
        from dfgui.training import failures, worker  # here, so that an idle app never imports what training needs

        if Store(settings.store_path).runs.claim("app") != run["id"]:  # after that nothing may fail but what is told
            return spoilt
        problem = worker.execute(run["id"], settings.with_secrets(given))
        return problem is not None and failures.is_cuda_fault(problem)
    why = SPOILT if spoilt and config.run.placement == "thread" else ""
    process = apart.start(run["id"], config, settings, why=why, secrets=given)
    apart.watch(process, run["id"], settings, _closing)
    return spoilt


def _clear(folder: Path) -> bool:
    """Deletes what an app that was killed had merged for a download; another app on this home may be at it now."""
    for left in folder.iterdir():
        if owner.left_behind(left.name):
            shutil.rmtree(left, ignore_errors=True)
    return True


def shutdown(settings: Settings, seconds: float) -> bool:
    """Asks what this process runs to stop with a checkpoint and waits at most `seconds`; whether all have ended.

    What runs apart goes on, except in a container: there nothing outlives the app.
    """
    _closing.set()
    store = Store(settings.store_path)
    deadline = time.monotonic() + seconds
    asked: set[str] = set()
    while mine := {run["id"] for run in store.runs.active() if _ends_with_us(run, settings)}:
        for run in mine - asked:
            store.commands.add(run, "stop", by="shutdown")
            asked.add(run)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _ends_with_us(run: dict[str, Any], settings: Settings) -> bool:
    return run["owner"] == owner.me() or (settings.contained and owner.is_here(run["owner"]))


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

    worker.execute(run, settings, Place(words="a thread of the command line"))


def run_apart(run: str, settings: Settings) -> None:
    """Starts the run's own process, which waits for its turn, and returns when it is gone.

    The run outlives the caller.
    """
    row = Store(settings.store_path).runs.get(run)
    process = apart.start(run, RunConfig.model_validate(row["config"]), settings, row["executor"])
    apart.watch(process, run, settings, threading.Event())
