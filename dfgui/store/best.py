"""Which checkpoint of a run is the best: the one with the best value of the metric that the run was asked to watch.

A checkpoint that was not evaluated as it was saved is never the best.
"""

from typing import Any

from sqlite_utils import Database

from dfgui.config import EarlyStopping

ASKED = "SELECT id, json_extract(config, '$.early_stopping') AS asked FROM runs"
VALUES = "SELECT step, value FROM metrics WHERE run = ? AND name = ? AND value IS NOT NULL"


def step(db: Database, run: str, rows: list[dict[str, Any]]) -> int | None:
    """The step of the best of these checkpoints; None before one was evaluated. The first wins among equals."""
    asked = next((row["asked"] for row in db.query(f"{ASKED} WHERE id = ?", [run])), None)
    return _best(db, run, rows, _watched(asked))


def steps(db: Database, rows: list[dict[str, Any]]) -> dict[str, int | None]:
    """By run, the step of the best of its checkpoints. `rows`: those of any number of runs."""
    asked = {row["id"]: row["asked"] for row in db.query(ASKED)}
    of: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        of.setdefault(row["run"], []).append(row)
    return {run: _best(db, run, its, _watched(asked.get(run))) for run, its in of.items()}


def _best(db: Database, run: str, rows: list[dict[str, Any]], watched: EarlyStopping) -> int | None:
    if watched.metric == "eval_loss":
        known = {row["step"]: row["eval_loss"] for row in rows if row["eval_loss"] is not None}
    else:
        values = {row["step"]: row["value"] for row in db.query(VALUES, [run, watched.metric])}
        known = {row["step"]: values[row["step"]] for row in rows if row["step"] in values}
    sign = -1 if watched.greater else 1
    return min(known, key=lambda at: (sign * known[at], at), default=None)


def _watched(asked: str | None) -> EarlyStopping:
    """What a run watches; runs of before that could be chosen watch eval_loss."""
    return EarlyStopping.model_validate_json(asked) if asked else EarlyStopping()
