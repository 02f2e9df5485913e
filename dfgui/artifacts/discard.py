"""Deleting one checkpoint of a run: what stands against it, then its row, then its folder.

    discard(settings, "7h2kq0x1zz", 60)  ->  {"run", "step", "bytes"}

Kept ones stay until the mark is taken off. So does what somebody reads, what a run that goes on would go on from, and
what another run is built on.
"""

import logging
from pathlib import Path
from typing import Any

from dfgui.artifacts import checkpoints
from dfgui.errors import UserError
from dfgui.settings import Settings
from dfgui.store import Store
from dfgui.store.runs import ENDED

logger = logging.getLogger("dfgui")


def discard(settings: Settings, run: str, step: int) -> dict[str, Any]:
    """Deletes a checkpoint: {run, step, bytes}. Raises UserError, and deletes nothing, where it may not."""
    store = Store(settings.store_path)
    store.runs.interrupt_orphans()
    row = store.runs.get(run)
    found = store.checkpoints.get(run, step)
    _require_unneeded(store, settings, row, found)
    if not store.checkpoints.forget(run, step):  # in this very moment somebody kept it, or began to read it
        raise _in_use(step)
    folder = settings.run_folder(run) / found["path"]
    checkpoints.remove(folder)
    logger.info("Deleted checkpoint %s of run %s (%s)", step, run, row["name"])
    return {"run": run, "step": step, "bytes": found["bytes"]}


def _require_unneeded(store: Store, settings: Settings, row: dict[str, Any], found: dict[str, Any]) -> None:
    step = found["step"]
    if found["kept"]:
        raise UserError(
            f"Checkpoint {step} is kept.", "Somebody marked it to stay.", "Take the mark off first, then delete it."
        )
    if step in store.holds.of(row["id"]):
        raise _in_use(step)
    if any(score["state"] == "scoring" and score["step"] == step for score in store.scores.tallies(row["id"])):
        raise UserError(
            f"Checkpoint {step} is in use.", "Its answers are being counted on Evaluate.", "Delete it when that ended."
        )
    if row["status"] not in ENDED and (why := _needed(store, row, step)):
        raise UserError(f"{row['name']} still needs checkpoint {step}.", why, "Delete it when the run has ended.")
    folder = settings.run_folder(row["id"]) / found["path"]
    for other in store.deletion.built_on(row["id"]):
        if not other["ended"] and other["model"] in (f"run:{row['id']}@{step}", f"run:{row['id']}"):
            raise UserError(
                f"{other['name']} begins from checkpoint {step}.",
                "It has not ended, and reads it.",
                f"Stop {other['name']} first, or wait for its end.",
            )
        if other["adapters"] and Path(other["base"] or "").is_relative_to(folder):
            raise UserError(
                f"{other['name']} is built on checkpoint {step}.",
                "Its adapter works on top of it, and is nothing without it.",
                f"Delete {other['name']} first.",
            )


def _needed(store: Store, row: dict[str, Any], step: int) -> str:
    """Why a run that goes on, or waits to, cannot do without this checkpoint; "" where it can."""
    known = store.checkpoints.of(row["id"])
    if step == row["resume_step"]:
        return "It is about to go on from it."
    if step == known[-1]["step"]:
        return "It is the newest one, from which it would go on after an interruption."
    best = Path((row["state"] or {}).get("best_model_checkpoint") or "").name
    is_best = next(one["best"] or one["path"] == best for one in known if one["step"] == step)
    if is_best and row["config"].get("early_stopping", {}).get("load_best_model_at_end"):
        return "It is the best one so far, with which it will end."
    return ""


def _in_use(step: int) -> UserError:
    return UserError(
        f"Checkpoint {step} is in use.",
        "It is being downloaded, merged, pushed or asked just now.",
        "Delete it when that has ended.",
    )
