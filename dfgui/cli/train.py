"""`dfgui train` and `dfgui runs resume`: a run from its file, or from a checkpoint, followed to its end."""

import argparse
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from dfgui import actions
from dfgui.cli import progress
from dfgui.cli.asked import BAD, DONE, Answer, add_set, read, text
from dfgui.errors import UserError
from dfgui.integrations.deepfabric.forwarder import forwarding
from dfgui.settings import Settings
from dfgui.store import Store, owner
from dfgui.store.runs import ENDED
from dfgui.training import launcher


def add(commands: Any) -> None:
    train = commands.add_parser("train", help="train what a YAML file describes, to its end")
    train.add_argument("file", type=Path)
    add_set(train)
    train.set_defaults(command=run_training)


def add_resume(runs: Any) -> None:
    resume = runs.add_parser("resume", help="go on from a checkpoint, in a process of its own")
    resume.add_argument("run")
    resume.add_argument("--checkpoint", type=int, metavar="STEP", help="the last one if left out")
    resume.add_argument("--wait", action="store_true", help="answer when it has ended")
    add_set(resume)
    resume.set_defaults(command=resume_run)


def run_training(asked: argparse.Namespace, where: Settings) -> Answer:
    if not asked.file.is_file():
        raise UserError(f"{asked.file} is not a file.", "train reads a YAML file.", "Check the path.")
    config = read(text(asked.file), asked.overrides, asked.file.name)
    run = actions.start(where, config, executor=f"pid:{os.getpid()}")
    apart = config.run.placement != "thread"
    with forwarding(where, config.trackers):
        return _ended(run, _followed_to_its_end(run, where, launcher.run_apart if apart else launcher.run_here))


def resume_run(asked: argparse.Namespace, where: Settings) -> Answer:
    """Answers once the run's own process has it; it goes on without this one."""
    run, store = asked.run, Store(where.store_path)
    step = actions.resume(where, run, asked.checkpoint, asked.overrides, executor=f"pid:{os.getpid()}")
    if asked.wait:
        return _ended(run, _followed_to_its_end(run, where, launcher.run_apart))
    worker = threading.Thread(target=launcher.run_apart, args=(run, where), name="dfgui-runner", daemon=True)
    worker.start()
    mine = owner.me()
    while worker.is_alive() and (row := store.runs.get(run))["owner"] == mine:
        time.sleep(0.1)
    row = store.runs.get(run)
    answer = {"run": run, "command": "resume", "taken_at_step": step, "outcome": row["reason"] or row["status"]}
    return (BAD if row["status"] in ENDED else DONE), answer, f"{run} goes on from checkpoint {step}: {row['status']}"


def _followed_to_its_end(run: str, where: Settings, execute: Callable[[str, Settings], None]) -> dict[str, Any]:
    """Trains in a thread or a process, so that Ctrl-C and SIGTERM can ask for a stop with a checkpoint meanwhile."""
    store = Store(where.store_path)
    asked_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked_to_stop.set())
    worker = threading.Thread(target=execute, args=(run, where), name="dfgui-runner", daemon=True)
    worker.start()
    with progress.telling() as tell:
        while worker.is_alive():
            worker.join(0.2)
            if asked_to_stop.is_set():
                asked_to_stop.clear()
                tell.say("Stopping with a checkpoint ...")
                with suppress(UserError):  # it has just ended
                    actions.command(where, run, "stop", by="the terminal")
            tell(progress.of_run(store.runs.get(run), store, time.time()))
        tell(progress.of_run(store.runs.get(run), store, time.time()))  # what its last moments changed
    store.runs.interrupt_orphans()
    return store.runs.get(run)


def _ended(run: str, row: dict[str, Any]) -> Answer:
    answer = {name: row[name] for name in ("status", "reason", "global_step", "train_loss", "eval_loss")}
    code = DONE if row["status"] in ("finished", "stopped") else BAD
    return code, {"run": run, **answer}, _end_in_words(row)


def _end_in_words(row: dict[str, Any]) -> str:
    """How a run ended, and what can be done about it if it failed."""
    error = row["error"] or {}
    return "\n".join([f"{row['id']}: {row['reason']}", *(error[part] for part in ("why", "do") if part in error)])
