"""Deleting runs with all that they left: their rows in the store, their folders, what was merged for a download.

    runs/7h2kq0x1zz  ->  runs/.deleted-7h2kq0x1zz  ->  the rows go  ->  the folder goes

The folder is renamed first, so that whatever ends the process in between leaves something that `sweep` recognises, and
finishes when the app starts again.
"""

import logging
import shutil
from pathlib import Path
from typing import Any

from dfgui.artifacts import disk
from dfgui.errors import UserError
from dfgui.settings import Settings
from dfgui.store import Store
from dfgui.store.runs import ENDED

logger = logging.getLogger("dfgui")

MARK = ".deleted-"


def delete(settings: Settings, runs: list[str]) -> list[dict[str, Any]]:
    """Deletes runs that have ended: [{run, name, step, checkpoints, bytes}]. Raises UserError, and deletes none, when
    one goes on, or somebody still needs what it left.
    """
    store = Store(settings.store_path)
    store.runs.interrupt_orphans()
    rows = [store.runs.get(run) for run in dict.fromkeys(runs)]
    going = {row["id"] for row in rows}
    for row in rows:
        _require_unused(store, settings, row, going)
    return [_delete(store, settings, row) for row in sorted(rows, key=lambda row: row["created_at"], reverse=True)]


def sweep(settings: Settings) -> None:
    """Finishes what a process that was ended had begun to delete."""
    for marked in settings.runs.glob(f"{MARK}*"):
        run = marked.name.removeprefix(MARK)
        if Store(settings.store_path).deletion.delete(run):
            shutil.rmtree(marked, ignore_errors=True)
        elif not settings.run_folder(run).exists():  # it goes on after all
            marked.replace(settings.run_folder(run))


def _delete(store: Store, settings: Settings, row: dict[str, Any]) -> dict[str, Any]:
    run = row["id"]
    folder, marked = settings.run_folder(run), settings.runs / f"{MARK}{run}"
    checkpoints = len(store.checkpoints.of(run))
    taken = sum(disk.files(folder).values())
    if folder.is_dir():
        _rename(folder, marked)
    if not store.deletion.delete(run):  # it was put into the queue again in this very moment
        if marked.is_dir():
            marked.replace(folder)
        raise _goes_on(store.runs.get(run))
    for left in [marked, *settings.exports.glob(f"*/{run}-*")]:
        shutil.rmtree(left, ignore_errors=True)  # what cannot go now is swept when the app starts
    logger.info("Deleted run %s (%s)", run, row["name"])
    return {"run": run, "name": row["name"], "step": row["global_step"], "checkpoints": checkpoints, "bytes": taken}


def _rename(folder: Path, marked: Path) -> None:
    try:
        shutil.rmtree(marked, ignore_errors=True)
        folder.replace(marked)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be deleted.", f"{error.strerror or error}.", "Close what uses it, or mend its rights."
        ) from error


def _require_unused(store: Store, settings: Settings, row: dict[str, Any], going: set[str]) -> None:
    """`going`: runs that are deleted together with this one."""
    if row["status"] not in ENDED:
        raise _goes_on(row)
    if steps := sorted(store.holds.of(row["id"])):
        raise UserError(
            f"{row['name']} is in use.",
            f"Its checkpoint {steps[0]} is being read just now.",
            "Delete it when that has ended.",
        )
    if any(score["state"] == "scoring" for score in store.scores.of(row["id"])):
        raise UserError(
            f"{row['name']} is in use.", "Its answers are being counted on Evaluate.", "Delete it when that has ended."
        )
    for other in store.deletion.built_on(row["id"]):
        if other["id"] in going:
            continue
        if not other["ended"]:
            raise UserError(
                f"{other['name']} begins from {row['name']}.",
                "It has not ended, and reads that run's checkpoint.",
                f"Stop {other['name']} first, or wait for its end.",
            )
        if other["adapters"] and Path(other["base"] or "").is_relative_to(settings.run_folder(row["id"])):
            raise UserError(
                f"{other['name']} is built on {row['name']}.",
                "Its adapter works on top of a checkpoint of that run, and is nothing without it.",
                f"Delete {other['name']} first, or both together.",
            )


def _goes_on(row: dict[str, Any]) -> UserError:
    what = "waits in the queue" if row["status"] == "queued" else "is still going on"
    return UserError(f"{row['name']} {what}.", "Only a run that has ended is deleted.", "Stop it first.")
