"""Checkpoints that are complete: `Writer` adds a row once the folder is on the disk, so a torn one is never offered.

One that is `kept` stays until somebody says otherwise: no limit and no click takes it away.
"""

from pathlib import Path
from typing import Any

from dfgui.errors import UserError
from dfgui.store import best
from dfgui.store.schema import opened

FORGET = (  # in one statement, so that nobody keeps or begins to read it in between
    "DELETE FROM checkpoints WHERE run = ? AND step = ? AND NOT kept "
    "AND step NOT IN (SELECT step FROM holds WHERE run = checkpoints.run)"
)


class Checkpoints:
    def __init__(self, path: Path):
        self.path = path

    def of(self, run: str) -> list[dict[str, Any]]:
        """The run's checkpoints, oldest first, each with `best`: whether none is better by the metric it watches."""
        with opened(self.path) as db:
            rows = list(db.query("SELECT * FROM checkpoints WHERE run = ? ORDER BY step", [run]))
            best_step = best.step(db, run, rows)
        return [{**row, "kept": bool(row["kept"]), "best": row["step"] == best_step} for row in rows]

    def get(self, run: str, step: int) -> dict[str, Any]:
        """One checkpoint. Raises UserError when the run has none at that step."""
        found = next((row for row in self.of(run) if row["step"] == step), None)
        if found is None:
            steps = ", ".join(str(row["step"]) for row in self.of(run)) or "none yet"
            raise UserError(f"Run {run} has no checkpoint at step {step}.", f"It has: {steps}.", "Choose one of them.")
        return found

    def keep(self, run: str, step: int, kept: bool) -> bool:
        """Whether it stays whatever else goes; False where there is no such checkpoint any more."""
        with opened(self.path) as db:
            asked = [int(kept), run, step]
            return db.execute("UPDATE checkpoints SET kept = ? WHERE run = ? AND step = ?", asked).rowcount == 1

    def forget(self, run: str, step: int) -> bool:
        """The checkpoint is about to be deleted, and offered no longer; False where it is kept, or held, or gone."""
        with opened(self.path) as db:
            return db.execute(FORGET, [run, step]).rowcount == 1
