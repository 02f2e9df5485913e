"""Events: what happened in a run, in words, in order."""

import time
from pathlib import Path
from typing import Any

from dfgui.store.schema import opened


class Events:
    def __init__(self, path: Path):
        self.path = path

    def add(self, run: str, kind: str, text: str, step: int | None = None) -> None:
        with opened(self.path) as db:
            db.table("events").insert({"run": run, "time": time.time(), "step": step, "kind": kind, "text": text})

    def once(self, run: str, kind: str, text: str) -> None:
        """Adds what is not among the run's events in these words already, whoever has said it."""
        with opened(self.path) as db:
            db.execute(
                "INSERT INTO events (run, time, kind, text) SELECT ?, ?, ?, ? "
                "WHERE NOT EXISTS (SELECT 1 FROM events WHERE run = ? AND text = ?)",
                [run, time.time(), kind, text, run, text],
            )

    def tail(self, run: str, after: int = 0, limit: int = 200) -> list[dict[str, Any]]:
        """The newest `limit` events with an id above `after`, oldest first."""
        with opened(self.path) as db:
            rows = db.query(
                "SELECT * FROM events WHERE run = ? AND id > ? ORDER BY id DESC LIMIT ?", [run, after, limit]
            )
            return list(rows)[::-1]
