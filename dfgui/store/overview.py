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
        """By run: {count, kept, last, best}: how many, how many marked, and steps; no best where none was evaluated."""
        with opened(self.path) as db:
            rows = list(db.query("SELECT run, step, eval_loss, kept FROM checkpoints ORDER BY run, step"))
            found = best.steps(db, rows)
        counted, kept = (Counter(row["run"] for row in some) for some in (rows, [row for row in rows if row["kept"]]))
        last = {row["run"]: row["step"] for row in rows}  # the last one of each stays
        return {run: {"count": counted[run], "kept": kept[run], "last": last[run], "best": found[run]} for run in found}
