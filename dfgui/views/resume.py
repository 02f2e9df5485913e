"""Going on with a run that has ended: whether it can, from which checkpoints, and what happens to what lies behind."""

from typing import Any

from dfgui import words
from dfgui.fields import specs
from dfgui.store.runs import ENDED


def offered(run: dict[str, Any], checkpoints: list[dict[str, Any]]) -> bool:
    """Whether the run ended before its schedule did, with a checkpoint to go on from."""
    if run["status"] not in ENDED or not run["max_steps"]:
        return False
    early = run["status"] != "finished" or run["global_step"] < run["max_steps"]
    return early and any(row["step"] < run["max_steps"] for row in checkpoints)


def choices(
    run: dict[str, Any], checkpoints: list[dict[str, Any]], behind: list[int], names: tuple[str, ...]
) -> dict[str, Any]:
    """What the dialog offers: the checkpoints, newest first, each with what would happen, and settings that may change.

    `checkpoints` are the whole ones, oldest first; `behind` is how many points were logged after each; `names` are the
    settings of `training` that a checkpoint does not decide.
    """
    early = [(row, points) for row, points in zip(checkpoints, behind, strict=True) if row["step"] < run["max_steps"]]
    steps = [row["step"] for row in checkpoints]
    return {
        "name": run["name"],
        "checkpoints": [
            {
                "step": row["step"],
                "label": _label(row),
                "words": _words(run, row["step"], points, sum(step > row["step"] for step in steps)),
            }
            for row, points in reversed(early)
        ],
        "settings": _settings(run, names),
    }


def _label(checkpoint: dict[str, Any]) -> str:
    """ "40 · held-out loss 0.712, the best"."""
    if checkpoint["eval_loss"] is None:
        return words.whole(checkpoint["step"])
    best = ", the best" if checkpoint["best"] else ""
    return f"{words.whole(checkpoint['step'])} · held-out loss {words.number(checkpoint['eval_loss'])}{best}"


def _words(run: dict[str, Any], step: int, points: int, checkpoints: int) -> str:
    at = words.whole(step)
    goes_on = f"Goes on from checkpoint {at} to step {words.whole(run['max_steps'])}, with the same schedule."
    counted = [_counted(points, "point"), _counted(checkpoints, "checkpoint")]
    behind = ", ".join(filter(None, counted))
    return f"{goes_on} What was logged after step {at} ({behind}) is set aside, not lost." if behind else goes_on


def _counted(count: int, noun: str) -> str:
    return f"{words.whole(count)} {noun}{'' if count == 1 else 's'}" if count else ""


def _settings(run: dict[str, Any], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Those that have an effect in this run, with its values."""
    training = run["config"]["training"]
    silent = {"save_steps": training["save_strategy"] != "steps", "eval_steps": not _evaluates_by_steps(run)}
    known = {spec.path: spec for spec in specs()}
    return [
        {
            "name": name,
            "title": known[f"training.{name}"].title,
            "help": known[f"training.{name}"].help,
            "value": training[name],
            "minimum": int(known[f"training.{name}"].minimum or 0),
        }
        for name in names
        if not silent.get(name)
    ]


def _evaluates_by_steps(run: dict[str, Any]) -> bool:
    return run["config"]["training"]["eval_strategy"] == "steps" and run["facts"].get("eval_rows") != 0
