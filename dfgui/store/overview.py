"""What a table of all runs wants to know of each, in one question instead of one for each run."""

from pathlib import Path
from typing import Any

from dfgui.store.schema import opened

KEPT = "SELECT run, count(*) AS count, max(step) AS last FROM checkpoints GROUP BY run"
BEST = (  # the row that min() found, which is the first of equals
    "SELECT run, step, min(eval_loss) FROM checkpoints WHERE eval_loss IS NOT NULL GROUP BY run"
)


class Overview:
    def __init__(self, path: Path):
        self.path = path

    def checkpoints(self) -> dict[str, dict[str, Any]]:
        """By run: {count, last, best}, `last` and `best` being steps; `best` is None where none was evaluated."""
        with opened(self.path) as db:
            best = {run: step for run, step, _ in db.execute(BEST)}
            return {row["run"]: {**row, "best": best.get(row["run"])} for row in db.query(KEPT)}
