"""Scores: how many held-out tool calls a checkpoint answers rightly. Step 0 is the base model, before any training."""

import json
import time
from pathlib import Path
from typing import Any

from dfgui.store import owner
from dfgui.store.schema import opened

BASE = 0  # the step under which the base model's score stands


class Scores:
    def __init__(self, path: Path):
        self.path = path

    def begin(self, run: str, step: int, total: int) -> None:
        """Starts (again) the score of a checkpoint over `total` questions."""
        row = {"run": run, "step": step, "done": 0, "total": total, "right": 0, "results": "[]", "trouble": None}
        with opened(self.path) as db:
            row |= {"owner": json.dumps(owner.me()), "created_at": time.time()}
            db.table("scores").upsert(row, pk=("run", "step"))

    def advance(self, run: str, step: int, done: int) -> None:
        with opened(self.path) as db:
            db.execute("UPDATE scores SET done = ? WHERE run = ? AND step = ?", [done, run, step])

    def finish(self, run: str, step: int, right: int, results: list[dict[str, Any]]) -> None:
        with opened(self.path) as db:
            db.execute(
                "UPDATE scores SET done = total, right = ?, results = ?, owner = NULL WHERE run = ? AND step = ?",
                [right, json.dumps(results), run, step],
            )

    def fail(self, run: str, step: int, trouble: str) -> None:
        with opened(self.path) as db:
            db.execute("UPDATE scores SET trouble = ?, owner = NULL WHERE run = ? AND step = ?", [trouble, run, step])

    def tallies(self, run: str) -> list[dict[str, Any]]:
        """The same as `of` without the results, which are long."""
        columns = "run, step, done, total, right, '[]' AS results, owner, trouble, created_at"
        with opened(self.path) as db:
            rows = list(db.query(f"SELECT {columns} FROM scores WHERE run = ? ORDER BY step", [run]))
        return [_read(row) for row in rows]

    def of(self, run: str) -> list[dict[str, Any]]:
        """The run's scores by step: done, total, right, results, trouble, and `state`: scoring, done or broken."""
        with opened(self.path) as db:
            rows = list(db.query("SELECT * FROM scores WHERE run = ? ORDER BY step", [run]))
        return [_read(row) for row in rows]


def _read(row: dict[str, Any]) -> dict[str, Any]:
    scorer = json.loads(row["owner"]) if row["owner"] else None
    if scorer and owner.alive(scorer, row["created_at"]):
        state = "scoring"
    elif scorer or row["trouble"]:
        state = "broken"
    else:
        state = "done"
    return {**row, "results": json.loads(row["results"]), "state": state}
