"""Which checkpoint of a run is the best: the one with the best value of the metric that the run was asked to watch.

A checkpoint that was not evaluated as it was saved is never the best.
"""

from typing import Any

from sqlite_utils import Database

from dfgui.config import EarlyStopping

ASKED = "SELECT json_extract(config, '$.early_stopping') AS asked FROM runs WHERE id = ?"
VALUES = "SELECT step, value FROM metrics WHERE run = ? AND name = ? AND value IS NOT NULL"


def step(db: Database, run: str, rows: list[dict[str, Any]]) -> int | None:
    """The step of the best of these checkpoints; None before one was evaluated. The first wins among equals."""
    watched = _watched(db, run)
    if watched.metric == "eval_loss":
        known = {row["step"]: row["eval_loss"] for row in rows if row["eval_loss"] is not None}
    else:
        values = {row["step"]: row["value"] for row in db.query(VALUES, [run, watched.metric])}
        known = {row["step"]: values[row["step"]] for row in rows if row["step"] in values}
    sign = -1 if watched.greater else 1
    return min(known, key=lambda at: (sign * known[at], at), default=None)


def _watched(db: Database, run: str) -> EarlyStopping:
    """What the run watches; runs of before that could be chosen watch eval_loss."""
    asked = next((row["asked"] for row in db.query(ASKED, [run])), None)
    return EarlyStopping.model_validate_json(asked) if asked else EarlyStopping()
