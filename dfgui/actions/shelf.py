"""The checkpoints of a run side by side: what was measured at each, which are kept, and deleting one."""

from typing import Any

from dfgui.actions.runs import checked
from dfgui.artifacts import discard
from dfgui.errors import UserError
from dfgui.settings import Settings
from dfgui.store import Store

# What was measured at a checkpoint: the newest point that is not after it, or for evaluations the one at its step.
MEASURED = ("loss", "mean_token_accuracy", "learning_rate")
EVALUATED = ("eval_loss", "eval_mean_token_accuracy")


def shelf(settings: Settings, run: str) -> list[dict[str, Any]]:
    """The run's checkpoints, oldest first.

    [{step, epoch, loss, eval_loss, mean_token_accuracy, eval_mean_token_accuracy, learning_rate, bytes, best, kept,
    created_at, score: {right, total} or None}]
    """
    store = Store(settings.store_path)
    with store.together():
        row = store.runs.get(checked(run))
        saved = store.checkpoints.of(run)
        steps = [one["step"] for one in saved]
        points = {name: store.metrics.at(run, name, steps) for name in (*MEASURED, *EVALUATED)}
        epochs = _epochs(row, steps)
        counted = [one for one in store.scores.tallies(run) if one["state"] == "done"]
        scores = {one["step"]: {"right": one["right"], "total": one["total"]} for one in counted}
    names = ("step", "bytes", "best", "kept", "created_at")
    return [
        {
            **{name: one[name] for name in names},
            "epoch": epochs[place],
            **{name: _value(found[place], one["step"], name in EVALUATED) for name, found in points.items()},
            **({"eval_loss": one["eval_loss"]} if one["eval_loss"] is not None else {}),
            "score": scores.get(one["step"]),
        }
        for place, one in enumerate(saved)
    ]


def unfinished(settings: Settings, run: str) -> list[str]:
    """Folders of checkpoints that are on the disk and were never told to be whole: ["checkpoint-60"]."""
    known = {one["path"] for one in Store(settings.store_path).checkpoints.of(checked(run))}
    return sorted(one.name for one in settings.run_folder(run).glob("checkpoint-*") if one.name not in known)


def keep(settings: Settings, run: str, step: int, kept: bool = True) -> dict[str, Any]:
    """Marks a checkpoint to stay whatever else goes, or takes the mark off. Raises UserError where there is none."""
    store = Store(settings.store_path)
    store.runs.get(checked(run))
    if not store.checkpoints.keep(run, step, kept):
        store.checkpoints.get(run, step)  # says which there are
        raise UserError(f"Checkpoint {step} has just gone.", "It was deleted meanwhile.", "Choose another one.")
    return {"run": run, "step": step, "kept": kept}


def delete_checkpoint(settings: Settings, run: str, step: int) -> dict[str, Any]:
    """Deletes one checkpoint: {run, step, bytes}. Raises UserError where it is kept, in use or needed."""
    return discard.discard(settings, checked(run), step)


def _value(point: tuple[int, float | None] | None, step: int, exactly: bool) -> float | None:
    """What was measured; an evaluation tells nothing of a checkpoint that was saved later."""
    return point[1] if point and (point[0] == step or not exactly) else None


def _epochs(run: dict[str, Any], steps: list[int]) -> list[float | None]:
    """Epochs go evenly with the steps."""
    known = run["epoch"] and run["global_step"]
    return [round(step * run["epoch"] / run["global_step"], 4) if known else None for step in steps]
