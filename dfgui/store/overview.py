"""What a table of all runs wants to know of each, in one question instead of one for each run."""

from collections import Counter
from pathlib import Path
from typing import Any

from dfgui.store import best
from dfgui.store.schema import opened


class Overview:
    def __init__(self, path: Path):
        self.path = path

    def checkpoints(self) -> dict[str, dict[str, Any]]:
        """By run: {count, last, best}, `last` and `best` being steps; `best` is None where none was evaluated."""
        with opened(self.path) as db:
            rows = list(db.query("SELECT run, step, eval_loss FROM checkpoints ORDER BY run, step"))
            found = best.steps(db, rows)
        counted = Counter(row["run"] for row in rows)
        last = {row["run"]: row["step"] for row in rows}  # the last one of each stays
        return {run: {"count": counted[run], "last": last[run], "best": found[run]} for run in found}
