"""`dfgui runs`: which there are, one with its metrics, and what it is asked to do while it trains."""

import argparse
import time
from typing import Any

from dfgui import actions
from dfgui.cli.asked import DONE, Answer
from dfgui.settings import Settings
from dfgui.store import Store
from dfgui.store.runs import ENDED

COMMANDS = {
    "stop": "save a checkpoint and stop",
    "save": "save a checkpoint now",
    "evaluate": "score the held-out rows now",
    "log": "log the metrics now",
    "end-epoch": "end this epoch at the next step",
}


def add(runs: Any) -> None:
    runs.add_parser("list", help="every run, newest first").set_defaults(command=list_runs)
    show = runs.add_parser("show", help="one run with its metrics and checkpoints")
    show.add_argument("run")
    show.set_defaults(command=show_run)
    for name, help in COMMANDS.items():
        obey = runs.add_parser(name, help=f"{help}; answered when it has been done")
        obey.add_argument("run")
        obey.set_defaults(command=send_command, name=name)
        if name == "stop":
            obey.add_argument("--without-checkpoint", action="store_true", help="save nothing first")


def list_runs(asked: argparse.Namespace, where: Settings) -> Answer:
    store = Store(where.store_path)
    store.runs.interrupt_orphans()
    names = ("name", "status", "reason", "global_step", "max_steps", "created_at")
    runs = [{"run": row["id"], **{name: row[name] for name in names}} for row in store.runs.all()]
    words = "\n".join(f"{r['run']}  {r['status']:<11}  {r['global_step']:>6}  {r['name']}" for r in runs)
    return DONE, {"runs": runs}, words or "No runs yet."


def show_run(asked: argparse.Namespace, where: Settings) -> Answer:
    store = Store(where.store_path)
    store.runs.interrupt_orphans()
    row = store.runs.get(actions.checked(asked.run))
    folder = where.run_folder(row["id"])
    checkpoints = [
        {
            **{name: saved[name] for name in ("step", "eval_loss", "best", "kept", "bytes")},
            "path": str(folder / saved["path"]),
            "complete": (folder / saved["path"]).is_dir(),
        }
        for saved in store.checkpoints.of(row["id"])
    ]
    names = ("name", "status", "reason", "error", "config", "facts", "owner", "global_step", "max_steps", "epoch")
    metrics = {name: store.metrics.points(row["id"], name) for name in store.metrics.names(row["id"])}
    answer = {"run": row["id"], **{name: row[name] for name in names}, "metrics": metrics, "checkpoints": checkpoints}
    answer["note"] = row["note"]
    last = [f"{name} {points[-1][1]}" for name, points in metrics.items()]
    steps = ", ".join(str(saved["step"]) for saved in checkpoints) or "none"
    words = f"{row['name']}: {row['status']}. {row['reason'] or ''}\n{', '.join(last)}\ncheckpoints: {steps}"
    return DONE, answer, words


def send_command(asked: argparse.Namespace, where: Settings) -> Answer:
    """Asks, and waits until the run has answered or ended."""
    store = Store(where.store_path)
    name = "stop-without-checkpoint" if getattr(asked, "without_checkpoint", False) else asked.name
    number = actions.command(where, asked.run, name, by="the command line")
    while (row := store.commands.get(number))["outcome"] is None and not _is_over(store, asked.run):
        time.sleep(0.1)
    row = store.commands.get(number)
    answer = {"run": asked.run, "command": asked.name, "taken_at_step": row["taken_at_step"], "outcome": row["outcome"]}
    return DONE, answer, f"{asked.name}: {row['outcome']}"


def _is_over(store: Store, run: str) -> bool:
    store.runs.interrupt_orphans()
    return store.runs.get(run)["status"] in ENDED
