"""What is done with runs that are over, on the command line: rename, note, delete, and to say where their base is.

    python -m dfgui runs rename h3k9x2m4q7 "the one with more rows"

Each answers as a command to a run that goes on does: {run, command, taken_at_step, outcome}.
"""

import argparse
from typing import Any

from dfgui import actions, words
from dfgui.settings import Settings
from dfgui.store import Store

Answer = tuple[int, Any, str | None]  # exit code, the JSON value, the same in words


def add(runs: Any) -> None:
    """Adds the commands below `runs`."""
    rename = runs.add_parser("rename", help="give a run another name")
    rename.add_argument("run")
    rename.add_argument("name", nargs="+", metavar="NAME")
    rename.set_defaults(command=rename_run)
    note = runs.add_parser("note", help='write down a note about a run; "" takes it away')
    note.add_argument("run")
    note.add_argument("text", nargs="+", metavar="TEXT")
    note.set_defaults(command=note_run)
    delete = runs.add_parser("delete", help="delete a run that has ended, with its checkpoints and all its files")
    delete.add_argument("run")
    delete.set_defaults(command=delete_run)

    base = runs.add_parser("base", help="say where a run's base is now, or what its quantised base is made of")
    base.add_argument("run")
    base.add_argument("model", help="a folder, or a model of the Hub")
    base.set_defaults(command=name_base)


def rename_run(asked: argparse.Namespace, where: Settings) -> Answer:
    name = actions.rename(where, asked.run, " ".join(asked.name))
    return _done(asked.run, "rename", _step(where, asked.run), f"named {name}")


def note_run(asked: argparse.Namespace, where: Settings) -> Answer:
    note = actions.annotate(where, asked.run, " ".join(asked.text))
    return _done(asked.run, "note", _step(where, asked.run), f"noted: {note}" if note else "the note is gone")


def delete_run(asked: argparse.Namespace, where: Settings) -> Answer:
    (gone,) = actions.delete(where, [asked.run])
    return _done(asked.run, "delete", gone["step"], words.deleted([gone]))


def name_base(asked: argparse.Namespace, where: Settings) -> Answer:
    told = actions.name_base(where, asked.run, asked.model)
    runs = words.counted(len(told["runs"]), "run")
    return _done(asked.run, "base", _step(where, asked.run), f"its base is {told['base']} ({runs} trained from it)")


def _step(where: Settings, run: str) -> int:
    return Store(where.store_path).runs.get(run)["global_step"]


def _done(run: str, command: str, step: int, outcome: str) -> Answer:
    answer = {"run": run, "command": command, "taken_at_step": step, "outcome": outcome}
    return 0, answer, f"{run}: {outcome}"
