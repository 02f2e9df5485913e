"""Runs side by side: how they ended, and those settings alone in which they differ.

{"rows": [["Learning rate", "learning_rate", ["2e-4", "1e-3"]]], "equal": 51}
"""

from typing import Any

from dfgui import fields, words
from dfgui.views import monitor
from dfgui.views.runs import Measured, model_name, steps

TITLES = {spec.path: spec.title for spec in fields.specs()}
ABSENT = "–"  # a run of before a setting was there, or one that it does not matter to

Row = list[Any]  # title, exact name, one value for each run


def results(runs: list[dict[str, Any]], found: list[Measured]) -> list[Row]:
    """Status, steps and losses, one column for each run."""
    last = [one.loss for one in found]
    evals = [[value for _, value in one.evals if value is not None] for one in found]
    return [
        ["Status", "", [words.STATUS[run["status"]] for run in runs]],
        ["Steps", "global_step", [steps(run) or ABSENT for run in runs]],
        ["Training loss, last", "loss", [words.number(loss) for loss in last]],
        ["Held-out loss, last", "eval_loss", [words.number(values[-1]) if values else ABSENT for values in evals]],
        [
            "Held-out loss, best",
            "eval_loss at step",
            [monitor.best([*map(list, one.evals)]) or ABSENT for one in found],
        ],
    ]


def differences(runs: list[dict[str, Any]], names: dict[str, str]) -> dict[str, Any]:
    """{"rows": settings that differ, "equal": how many do not}. `names`: what runs are called, by id."""
    columns = [_settings(run["config"], names) for run in runs]
    paths = dict.fromkeys(path for column in columns for path in column)
    rows = [[TITLES.get(path, path), _exact(path), [column.get(path, ABSENT) for column in columns]] for path in paths]
    differing = [row for row in rows if len(set(row[2])) > 1]
    return {"rows": differing, "equal": len(rows) - len(differing)}


def _settings(config: dict[str, Any], names: dict[str, str]) -> dict[str, str]:
    """Every setting that matters to the run, as text by path; the name is no setting."""
    found = {}
    for block, values in config.items():
        if block == "name" or (block == "adapter" and config.get("method") != "lora"):
            continue
        for name, value in values.items() if isinstance(values, dict) else [("", values)]:
            path = f"{block}.{name}" if name else block
            found[path] = model_name(value, names) if path == "model.name" else _said(value)
    return found


def _said(value: Any) -> str:
    if value is None or value == "" or value == []:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _exact(path: str) -> str:
    return path.removeprefix("training.").removeprefix("adapter.")
