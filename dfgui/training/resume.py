"""Resume: an ended run goes back into the queue, to go on from one of its checkpoints with the schedule it had."""

from typing import Any

from dfgui import recipe
from dfgui.artifacts import checkpoints
from dfgui.artifacts.checkpoints import Checkpoint
from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.settings import Settings
from dfgui.store import Store
from dfgui.store.runs import ENDED

RESUMABLE = ("logging_steps", "save_steps", "eval_steps", "save_total_limit")  # what a checkpoint does not decide


def resume(
    settings: Settings, run: str, step: int | None = None, changes: list[str] | None = None, executor: str = "app"
) -> int:
    """Puts an ended run back into the queue, to go on from a checkpoint: the last one, or that of `step`; returns it.

    The schedule stays. `changes` are NAME=VALUE of settings that may differ from here on (RESUMABLE); every other one
    is in the checkpoint, and a UserError says so.
    """
    store = Store(settings.store_path)
    store.runs.interrupt_orphans()
    row = store.runs.get(run)
    if row["status"] not in ENDED:
        raise UserError(f"{row['name']} has not ended.", f"It is {row['status']}.", "Stop it first, or let it go on.")
    if row["max_steps"] and row["global_step"] >= row["max_steps"] and step is None:
        raise UserError(
            f"{row['name']} has done all its {row['max_steps']} steps.",
            "Its schedule is at its end.",
            "Train longer: a new run and a new schedule from these weights.",
        )
    folder = _resumable(settings, row, step)
    config = _changed(row, changes) if changes else None
    if not store.runs.resume(run, folder.step, executor, config):
        raise UserError(f"{row['name']} has just begun again.", "Somebody else resumed it.", "Watch it on Monitor.")
    return folder.step


def _resumable(settings: Settings, row: dict[str, Any], step: int | None) -> Checkpoint:
    """The checkpoint to go on from: whole, and with the state of the optimiser."""
    store = Store(settings.store_path)
    known = [one["step"] for one in store.checkpoints.of(row["id"]) if step is None or one["step"] == step]
    for candidate in reversed(known):
        found = checkpoints.describe(settings.run_folder(row["id"]) / f"checkpoint-{candidate}")
        if found.complete:
            return found
    raise _nothing_whole(row, step, [one["step"] for one in store.checkpoints.of(row["id"])])


def whole_checkpoints(settings: Settings, run: str) -> list[dict[str, Any]]:
    """The checkpoints that a run can go on from, as the store knows them. Raises UserError where there is none."""
    store = Store(settings.store_path)
    row = store.runs.get(run)
    folder = settings.run_folder(run)
    known = store.checkpoints.of(run)
    whole = [one for one in known if checkpoints.describe(folder / f"checkpoint-{one['step']}").complete]
    if not whole:
        raise _nothing_whole(row, None, [])
    return whole


def _nothing_whole(row: dict[str, Any], step: int | None, known: list[int]) -> UserError:
    others = [one for one in known if one != step]
    which = "no checkpoint" if step is None else f"no whole checkpoint at step {step}"
    do = "Start it again from the beginning: Duplicate on its page fills the form with its settings."
    if step is not None and others:
        do = f"Choose another one: {', '.join(map(str, others))}."
    return UserError(f"{row['name']} cannot be resumed.", f"It has {which} on the disk.", do)


def _changed(row: dict[str, Any], changes: list[str]) -> RunConfig:
    before = RunConfig.model_validate(row["config"])
    after = recipe.from_yaml(recipe.to_yaml(before), changes)
    old, new = recipe.flat(before.model_dump()), recipe.flat(after.model_dump())
    kept = [name for name in new if new[name] != old.get(name) and name.removeprefix("training.") not in RESUMABLE]
    if kept:
        raise UserError(
            f"{kept[0]} is kept from the checkpoint.",
            f"Only {', '.join(RESUMABLE)} can be another from here on: the rest is in the optimiser and its schedule.",
            "Leave it, or train longer: a new run with new settings from these weights.",
            field=kept[0],
        )
    return after
