"""Runs: started, told what to do, resumed, named, deleted."""

import re
from collections.abc import Callable
from typing import Any

from dfgui import recipe
from dfgui.artifacts import deletion
from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.models import earlier
from dfgui.settings import Settings, existing
from dfgui.store import Store
from dfgui.store.commands import STOPS
from dfgui.store.runs import new_id

RUN_ID = re.compile(r"[a-z0-9]{8,32}")
NAME_LENGTH, NOTE_LENGTH = 80, 1000  # characters


def start(
    settings: Settings,
    values: dict[str, Any] | RunConfig,
    executor: str = "app",
    hand: Callable[[str], None] | None = None,
) -> str:
    """Queues a run and returns its id. Raises UserError, and queues nothing, when it could not work.

    `hand` is called with the id before anybody can take the run out of the queue: it gets its secrets then.
    """
    from dfgui.training import preflight

    run = values if isinstance(values, RunConfig) else recipe.parse(values)
    preflight.require(run, settings)
    run = settled(settings, run)
    store = Store(settings.store_path)
    queued = new_id()
    if hand:
        hand(queued)
    store.runs.create(run, executor, queued)
    if words := earlier.words(run, settings):
        store.events.add(queued, "note", words)
    return queued


def settled(settings: Settings, run: RunConfig) -> RunConfig:
    """The config as it is kept: what it names can be found from everywhere, and stays what it is now."""
    return earlier.settled(_independent_of_folder(run), settings)


def _independent_of_folder(run: RunConfig) -> RunConfig:
    """The config with relative paths made absolute, so that it means the same from everywhere."""
    run = run.model_copy(deep=True)
    for block, name in ((run.model, "name"), (run.data, "source"), (run.data, "eval_source")):
        setattr(block, name, _absolute(getattr(block, name)))
    run.data.also = [_absolute(name) for name in run.data.also]
    return run


def _absolute(name: str) -> str:
    """A path that is there made absolute; every other name as it is."""
    here = existing(name) if name and name != "demo" else None
    return str(here) if here else name


def launch_notes(settings: Settings, values: dict[str, Any]) -> list[dict[str, Any]]:
    """What to know before the start: [{kind: ok|warn|stop, title, text, field}]."""
    from dfgui.training import preflight

    return [note.to_dict() for note in preflight.notes(recipe.parse(values), settings)]


def callbacks(settings: Settings) -> dict[str, str]:
    """The callbacks that pages may name, and what each hears: {"my.module:Mine": "hears on_log and on_save."}."""
    from dfgui.training import callback_source

    return callback_source.offered(settings)


def command(settings: Settings, run: str, name: str, by: str) -> int:
    """Asks a run for one of `store.commands.COMMANDS`; returns the command's id. A run in the queue stops at once."""
    store = Store(settings.store_path)
    row = store.runs.get(checked(run))
    if row["ended_at"]:
        raise UserError(
            f"{row['name']} has already ended.", f"It is {row['status']}.", "Choose a run that is going on."
        )
    if name == "evaluate" and row["facts"].get("eval_rows") == 0:
        raise UserError(
            "There is nothing to evaluate on.", "This run holds no rows out.", "Hold some out in the next run."
        )
    asked = store.commands.add(run, name, by)
    if name in STOPS and not store.runs.withdraw(run, f"Taken out of the queue by {by}."):
        store.runs.move(run, "stopping")
    now = store.runs.get(run)
    if now["ended_at"]:  # while this was asked
        store.commands.close_all(run, now["global_step"], "the run has ended")
    return asked


def resume(
    settings: Settings, run: str, step: int | None = None, changes: list[str] | None = None, executor: str = "app"
) -> int:
    """Puts an ended run back into the queue, to go on from a checkpoint; returns its step. See training/resume.py."""
    from dfgui.training import resume as resuming

    return resuming.resume(settings, checked(run), step, changes, executor)


def whole_checkpoints(settings: Settings, run: str) -> list[dict[str, Any]]:
    """The checkpoints that a run can go on from. Raises UserError where there is none."""
    from dfgui.training import resume as resuming

    return resuming.whole_checkpoints(settings, checked(run))


def rename(settings: Settings, run: str, name: str) -> str:
    """Gives a run another name; returns it as it is kept: on one line, trimmed. Raises UserError."""
    kept = " ".join(_printable(name).split())
    if not kept:
        raise UserError("A run needs a name.", "Nothing was written.", "Write what tells it apart from the others.")
    _require_short(kept, NAME_LENGTH, "name", "Shorten it; a note has room for more.")
    _update(settings, run, name=kept)
    return kept


def annotate(settings: Settings, run: str, note: str) -> str:
    """Writes down a note about a run, in place of the one before; "" takes it away. Returns it as it is kept."""
    kept = _printable(note).strip()
    _require_short(kept, NOTE_LENGTH, "note", "Keep it shorter.")
    _update(settings, run, note=kept)
    return kept


def _require_short(text: str, most: int, what: str, cure: str) -> None:
    if len(text) > most:
        raise UserError(
            f"That {what} is too long.", f"It has {len(text):,} characters, and {most:,} is the most.", cure
        )


def _printable(text: str) -> str:
    """Without what a terminal or a table would stumble over; line breaks and tabs stay."""
    return "".join(sign for sign in text.replace("\r\n", "\n") if sign.isprintable() or sign in "\n\t")


def _update(settings: Settings, run: str, **columns: str) -> None:
    runs = Store(settings.store_path).runs
    runs.update(runs.get(checked(run))["id"], **columns)


def delete(settings: Settings, runs: list[str]) -> list[dict[str, Any]]:
    """Deletes runs with their files: [{run, name, step, checkpoints, bytes}]. All of them, or none and a UserError."""
    return deletion.delete(settings, [checked(run) for run in runs])


def checked(run: str) -> str:
    """The id if it is one. Raises UserError."""
    if not RUN_ID.fullmatch(run):
        raise UserError(
            "That is not the id of a run.", "An id is ten letters and digits.", "Choose a run from the list."
        )
    return run


def log_tail(settings: Settings, run: str, lines: int = 200) -> str:
    """The end of the run's train.log; empty before there is one."""
    from dfgui.training import log

    return log.tail(settings.run_folder(checked(run)), lines)
