"""The checkpoints of a run on the command line: listed, kept, deleted.

    python -m dfgui checkpoints h3k9x2m4q7
    python -m dfgui checkpoints keep h3k9x2m4q7 60

What is done answers as every command to a run does: {run, command, taken_at_step, outcome}; `taken_at_step` is the
checkpoint's.
"""

import argparse
from typing import Any

from dfgui import actions, words
from dfgui.errors import UserError
from dfgui.settings import Settings

Answer = tuple[int, Any, str | None]  # exit code, the JSON value, the same in words

LISTED = ("step", "epoch", "loss", "eval_loss", "bytes", "best", "kept", "created_at")
WRITTEN = "checkpoints RUN, or checkpoints keep|unkeep|delete RUN STEP"
HELP = (
    "list the checkpoints of a run; keep RUN STEP: it stays, whatever save_total_limit deletes; unkeep RUN STEP; "
    "delete RUN STEP: not while it is kept, read or needed"
)


def add(commands: Any) -> None:
    """Adds the command to the others."""
    checkpoints = commands.add_parser("checkpoints", help=HELP, usage=f"python -m dfgui {WRITTEN}", description=HELP)
    checkpoints.add_argument("asked", nargs="+", metavar="RUN")
    checkpoints.set_defaults(command=run_command)


def run_command(asked: argparse.Namespace, where: Settings) -> Answer:
    match asked.asked:
        case [run]:
            return _list(where, run)
        case [("keep" | "unkeep" | "delete") as command, run, step] if step.isdecimal():
            return _done(run, command, int(step), COMMANDS[command](where, run, int(step)))
    raise UserError("That is not how checkpoints are named.", f"It is written: {WRITTEN}.", "See --help.")


def _list(where: Settings, run: str) -> Answer:
    found = actions.shelf(where, run)
    answer = {"checkpoints": [{name: one[name] for name in LISTED} for one in found]}
    return 0, answer, "\n".join(map(_line, found)) or "No checkpoints yet."


def _line(one: dict[str, Any]) -> str:
    """ "    60  epoch 1.20  loss 0.713  held-out 0.741  31 MB  best, kept"."""
    marks = ", ".join(name for name in ("best", "kept") if one[name])
    held = f"held-out {words.number(one['eval_loss'])}"
    measured = f"epoch {words.number(one['epoch'])}  loss {words.number(one['loss'])}  {held}"
    return f"{one['step']:>6}  {measured}  {words.size(one['bytes'])}  {marks}".rstrip()


def _keep(where: Settings, run: str, step: int) -> str:
    actions.keep(where, run, step)
    return f"checkpoint {step} is kept"


def _unkeep(where: Settings, run: str, step: int) -> str:
    actions.keep(where, run, step, kept=False)
    return f"checkpoint {step} is kept no longer"


def _delete(where: Settings, run: str, step: int) -> str:
    gone = actions.delete_checkpoint(where, run, step)
    return f"checkpoint {step} is deleted, {words.size(gone['bytes'])} are free again"


COMMANDS = {"keep": _keep, "unkeep": _unkeep, "delete": _delete}


def _done(run: str, command: str, step: int, outcome: str) -> Answer:
    return 0, {"run": run, "command": command, "taken_at_step": step, "outcome": outcome}, f"{run}: {outcome}"
