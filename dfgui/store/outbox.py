"""The outbox: events of runs that another service wants, kept until it has them.

A run puts them in with its metrics; whoever forwards them takes a run's lease, sends what is `next` and marks it sent
once the service has said yes. So a place in the line survives any process, and no two of them send the same event.

An event is sent in the batch that it was first sent in, however often that takes: a service can tell a batch that it
has seen by the batch's number.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dfgui.store import owner
from dfgui.store.schema import opened

MOST = 50  # metrics in a batch
WAITS = "sent_at IS NULL AND refused IS NULL"
PUT = "INSERT INTO outbox (run, event, payload, created_at) VALUES (?, ?, ?, ?)"


@dataclass(frozen=True)
class Entry:
    id: int
    event: str  # run_start, metrics, run_end
    payload: dict[str, Any]


class Outbox:
    def __init__(self, path: Path):
        self.path = path

    def waiting(self) -> list[str]:
        """The runs of which something waits to be sent."""
        with opened(self.path) as db:
            return [row[0] for row in db.execute(f"SELECT run FROM outbox WHERE {WAITS} GROUP BY run ORDER BY min(id)")]

    def counts(self, run: str) -> dict[str, int]:
        """How many of a run's events wait, are sent, and were refused."""
        with opened(self.path) as db:
            row = db.execute(
                f"SELECT total({WAITS}), total(sent_at IS NOT NULL), total(refused IS NOT NULL) "
                "FROM outbox WHERE run = ?",
                [run],
            ).fetchone()
        return dict(zip(("waiting", "sent", "refused"), map(int, row), strict=True))

    def claim(self, run: str, token: str) -> bool:
        """Takes a run's lease, or keeps it alive; False while another holds it who lives."""
        mine = json.dumps({**owner.me(), "token": token})
        with opened(self.path) as db:
            held = db.execute("SELECT owner, heartbeat_at FROM outbox_leases WHERE run = ?", [run]).fetchone()
            if held and held[0] != mine and _holds(*held):
                return False
            cursor = db.execute(  # unless somebody else was quicker
                "INSERT INTO outbox_leases (run, owner, heartbeat_at) VALUES (?, ?, ?) "
                "ON CONFLICT (run) DO UPDATE SET owner = excluded.owner, heartbeat_at = excluded.heartbeat_at "
                "WHERE owner = ?",
                [run, mine, time.time(), held[0] if held else mine],
            )
            return cursor.rowcount == 1

    def release(self, run: str, token: str) -> None:
        with opened(self.path) as db:
            mine = json.dumps({**owner.me(), "token": token})
            db.execute("DELETE FROM outbox_leases WHERE run = ? AND owner = ?", [run, mine])

    def next(self, run: str) -> list[Entry]:
        """What goes next: the start or the end of the run alone, or metrics in a row. Empty when nothing waits."""
        with opened(self.path) as db:
            rows = list(
                db.query(
                    f"SELECT id, event, payload, batch FROM outbox WHERE run = ? AND {WAITS} ORDER BY id LIMIT ?",
                    [run, MOST],
                )
            )
            batch = _first_batch(rows)
            if batch and batch[0]["batch"] is None:
                db.execute(f"UPDATE outbox SET batch = ? WHERE id IN ({_ids(batch)})", [batch[0]["id"]])
        return [Entry(row["id"], row["event"], json.loads(row["payload"])) for row in batch]

    def sent(self, entries: list[Entry]) -> None:
        """The service has them; what they said is not kept any longer."""
        self._mark("sent_at = ?, payload = ''", time.time(), entries)

    def refuse(self, entries: list[Entry], why: str) -> None:
        """The service will never have them."""
        self._mark("refused = ?", why, entries)

    def split(self, entries: list[Entry]) -> None:
        """From now on each of them goes alone."""
        for entry in entries:
            self._mark("batch = ?", entry.id, [entry])

    def _mark(self, change: str, value: Any, entries: list[Entry]) -> None:
        numbers = ", ".join(str(entry.id) for entry in entries)
        with opened(self.path) as db:
            db.execute(f"UPDATE outbox SET {change} WHERE id IN ({numbers})", [value])


def _holds(held: str, heartbeat_at: float) -> bool:
    """Whether the one who has a lease still sends: he lives, and has said so not long ago."""
    return time.time() - heartbeat_at < owner.SILENT_SECONDS and owner.alive(json.loads(held), heartbeat_at)


def _first_batch(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that travel with the first: those of its batch, or, where it has none yet, the metrics beside it."""
    if not rows:
        return []
    first = rows[0]
    if first["batch"] is not None:
        return [row for row in rows if row["batch"] == first["batch"]]
    if first["event"] != "metrics":
        return [first]
    alike = [row["event"] == "metrics" and row["batch"] is None for row in rows]
    return rows[: alike.index(False) if False in alike else len(rows)]


def _ids(rows: list[dict[str, Any]]) -> str:
    return ", ".join(str(row["id"]) for row in rows)
