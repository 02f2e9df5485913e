"""Holds: checkpoints that somebody reads just now. They are not deleted until he has done, or is gone."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dfgui.store import owner
from dfgui.store.schema import opened


class Holds:
    def __init__(self, path: Path):
        self.path = path

    @contextmanager
    def hold(self, run: str, step: int) -> Iterator[None]:
        """The checkpoint stays while the block lasts."""
        number = self.take(run, step)
        try:
            yield
        finally:
            self.release(number)

    def take(self, run: str, step: int) -> int:
        """The checkpoint stays until `release` is called with the number returned."""
        with opened(self.path) as db:
            return db.execute(
                "INSERT INTO holds (run, step, owner) VALUES (?, ?, ?) RETURNING id",
                [run, step, json.dumps(owner.me())],
            ).fetchone()[0]

    def release(self, number: int) -> None:
        with opened(self.path) as db:
            db.execute("DELETE FROM holds WHERE id = ?", [number])

    def of(self, run: str) -> set[int]:
        """The steps of the run's checkpoints that are read now. What a process that is gone had held is let go."""
        with opened(self.path) as db:
            rows = list(db.query("SELECT * FROM holds WHERE run = ?", [run]))
            gone = [row["id"] for row in rows if not owner.alive(json.loads(row["owner"]), None)]
            db.conn.executemany("DELETE FROM holds WHERE id = ?", [[number] for number in gone])
        return {row["step"] for row in rows if row["id"] not in gone}
