"""A run apart from the process that wants it: how its process is started, watched, and ended when it does not answer.

It is the leader of a session of its own, so it outlives whoever started it. A stop goes to it in three steps, each
after some time: the command, which it takes at the end of its step; SIGTERM, which is heard in the phases before the
first step too, and saves as well; and in the end SIGKILL, which leaves what was saved before.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.settings import Settings, environment
from dfgui.store import Store, owner
from dfgui.store.commands import STOPS
from dfgui.store.runs import ENDED
from dfgui.training import log

logger = logging.getLogger("dfgui")

LOOK_SECONDS = 0.2
TERM_SECONDS = 60  # from the command until it is told again by SIGTERM
KILL_SECONDS = 300  # from then until it is ended by force; saving a large checkpoint takes minutes
LEAVE_SECONDS = 30  # for a process whose run has ended
WHY = "As it was asked for: it survives the app."


def command(run: str, config: RunConfig, home: Path, executor: str = "app", why: str = "") -> list[str]:
    """The command line that executes the run. Several processes are the business of torchrun or accelerate."""
    work = ["-m", "dfgui.training.worker", run, "--home", str(home), "--executor", executor, "--why", why or WHY]
    if config.run.placement != "accelerate":
        return [sys.executable, *work]
    if config.run.accelerate_config:
        start = ["-m", "accelerate.commands.launch", "--config_file", config.run.accelerate_config]
    else:  # `accelerate launch --cpu` starts one process whatever it is asked for
        start = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes(config)}"]
    return [sys.executable, *start, *work]


def processes(config: RunConfig) -> int:
    """How many processes train the run: as asked for, else one for each GPU, and two without one."""
    from dfgui.models import hardware

    return config.run.processes or max(hardware.look().devices, 2)


def start(
    run: str,
    config: RunConfig,
    settings: Settings,
    executor: str = "app",
    why: str = "",
    secrets: Mapping[str, str] | None = None,
) -> subprocess.Popen:
    """Starts the run's process. What it prints goes to a file: nobody need be there to read it.

    `why` it executes there is told with the run; `secrets` are environment variables for it alone.
    """
    folder = settings.run_folder(run)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / log.PRINTED).open("ab") as printed:
        return subprocess.Popen(
            command(run, config, settings.home, executor, why),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            env=environment(**(secrets or {})),
            start_new_session=True,
        )


def watch(process: subprocess.Popen, run: str, settings: Settings, closing: threading.Event) -> None:
    """Waits until the process is gone, or until this one closes: the run goes on without it."""
    store = Store(settings.store_path)
    ended_at: float | None = None
    since = store.runs.get(run)["queued_at"]
    while process.poll() is None and not closing.is_set():
        row = store.runs.get(run)
        if row["status"] in ENDED or row["queued_at"] != since:  # it may be in the queue again
            ended_at = ended_at or time.monotonic()
            if time.monotonic() - ended_at > LEAVE_SECONDS:
                _signal_all(process, signal.SIGKILL)
        else:
            press(store, row)
        time.sleep(LOOK_SECONDS)
    if process.poll() is not None and ended_at is None and store.runs.get(run)["queued_at"] == since:
        _tell_how_it_went(process.returncode, run, settings)


def press(store: Store, run: dict[str, Any]) -> None:
    """Tells a run that was asked to stop and has not answered once more, and in the end by force."""
    if run["status"] != "stopping" or not owner.is_here(run["owner"]):
        return
    if run["executor"] != f"pid:{run['owner']['pid']}":  # a thread of another app, which would go with all that it does
        return
    asked = [row for row in store.commands.of(run["id"]) if row["command"] in STOPS and row["outcome"] is None]
    if not asked:
        return
    since = min(row["requested_at"] for row in asked)
    waited = time.time() - since
    told = sum(event["kind"] == "pressed" and event["time"] >= since for event in store.events.tail(run["id"]))
    if told == 0 and waited > TERM_SECONDS:
        store.events.add(run["id"], "pressed", f"It has not answered for {TERM_SECONDS} s: told again by SIGTERM.")
        os.kill(run["owner"]["pid"], signal.SIGTERM)
    elif told == 1 and waited > TERM_SECONDS + KILL_SECONDS:
        store.events.add(run["id"], "pressed", "It still does not answer: ended by force.")
        os.kill(run["owner"]["pid"], signal.SIGKILL)


def _tell_how_it_went(code: int, run: str, settings: Settings) -> None:
    """Gives a reason to a run whose process is gone without one."""
    store = Store(settings.store_path)
    row = store.runs.get(run)
    if row["status"] in ENDED or (row["status"] == "queued" and code == 0):  # resumed as soon as it had ended
        return
    if row["status"] == "queued" and row["executor"] == "app":
        error = UserError(
            "The process of this run could not begin.",
            f"It ended with code {code}. {log.last_words(settings.run_folder(run))}",
            "Read process.log in the run's folder, or run it in a thread.",
        )
        store.runs.move(run, "failed", error.what, error)
        return
    if code < 0 and owner.alive(row["owner"], None):  # torchrun is gone and a process of it is not
        return
    from dfgui.training import failures

    said = log.tail(settings.run_folder(run), name=log.PRINTED)
    error = failures.killed(code, said, RunConfig.model_validate(row["config"]))
    store.runs.move(run, "interrupted", f"Interrupted at step {row['global_step']}: {error.what}", error)


def _signal_all(process: subprocess.Popen, number: int) -> None:
    """To the process and those it has started."""
    try:
        parent = psutil.Process(process.pid)
        for one in [*parent.children(recursive=True), parent]:
            one.send_signal(number)
    except psutil.Error:  # gone meanwhile
        return
