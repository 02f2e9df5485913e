"""Parts: a run that was resumed is trained in several, and its curve is made of them.

What a part had logged after the checkpoint that the next one goes on from is set aside: kept, and not mixed in.
"""

import time
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from dfgui.store.metrics import WIDTHS
from dfgui.store.schema import opened
from dfgui.store.writer import ROLLUP, rollups

POINTS = "SELECT name, step, value, time FROM metrics WHERE run = ? AND step BETWEEN ? AND ? ORDER BY name, step"
FINER = """
    SELECT name, low, high, last, last_step, nans, total, count FROM rollups
    WHERE run = ? AND width = ? AND bucket BETWEEN ? AND ? ORDER BY name, bucket
"""


class Parts:
    def __init__(self, path: Path):
        self.path = path

    def of(self, run: str) -> list[dict[str, Any]]:
        """Where the run was resumed, oldest first: part, from_step, left_at_step, started_at."""
        with opened(self.path) as db:
            return list(db.query("SELECT * FROM parts WHERE run = ? ORDER BY part", [run]))

    def begin(self, run: str, step: int) -> int:
        """The run goes on from its checkpoint at `step`: what lies behind is set aside. Returns the part's number."""
        with opened(self.path) as db:
            part = db.execute("SELECT coalesce(max(part), 1) + 1 FROM parts WHERE run = ?", [run]).fetchone()[0]
            came_to = db.execute("SELECT global_step FROM runs WHERE id = ?", [run]).fetchone()[0]
            db.execute("INSERT INTO parts VALUES (?, ?, ?, ?, ?)", [run, part, step, came_to, time.time()])
            db.execute(
                "INSERT INTO aside SELECT run, ?, name, step, value, time FROM metrics WHERE run = ? AND step > ?",
                [part - 1, run, step],
            )
            _cut(db, run, step)
            db.execute("DELETE FROM checkpoints WHERE run = ? AND step > ?", [run, step])
            db.execute("DELETE FROM scores WHERE run = ? AND step > ?", [run, step])
            db.execute(
                "UPDATE runs SET global_step = ?, begun_at_step = ?, resume_step = NULL, was = NULL, "
                "train_loss = NULL, eval_loss = (SELECT value FROM metrics WHERE run = ? AND name = 'eval_loss' "
                "ORDER BY step DESC LIMIT 1) WHERE id = ?",
                [step, step, run, run],
            )
            return part

    def aside(self, run: str, name: str) -> list[list[Any]]:
        """The points [part, step, value] of a metric that were set aside."""
        with opened(self.path) as db:
            rows = db.execute(
                "SELECT part, step, value FROM aside WHERE run = ? AND name = ? ORDER BY part, step", [run, name]
            )
            return [list(row) for row in rows]


def _cut(db: Database, run: str, step: int) -> None:
    """Takes the points after `step` out of the metrics and out of their buckets.

    Whole buckets go. The one that `step` lies in is made again, each from the finer ones, so that it costs the same for
    a long run as for a short one.
    """
    db.execute("DELETE FROM metrics WHERE run = ? AND step > ?", [run, step])
    for width in WIDTHS:
        db.execute("DELETE FROM rollups WHERE run = ? AND width = ? AND bucket >= ?", [run, width, step // width])
    first = WIDTHS[0]
    points = db.execute(POINTS, [run, step // first * first, step]).fetchall()
    db.conn.executemany(ROLLUP, [(run, *bucket) for bucket in rollups(points) if bucket[1] == first])
    for width, narrower in zip(WIDTHS[1:], WIDTHS, strict=False):
        start = step // width * width // narrower
        finer = db.query(FINER, [run, narrower, start, step // narrower])
        merged = [(run, name, width, step // width, *_merged(list(same))) for name, same in groupby(finer, BY_NAME)]
        db.conn.executemany(ROLLUP, merged)


BY_NAME = itemgetter("name")


def _merged(buckets: list[dict[str, Any]]) -> tuple[Any, ...]:
    """One bucket of several that follow each other: (low, high, last, last_step, nans, total, count)."""
    known = [bucket for bucket in buckets if bucket["low"] is not None]
    last = buckets[-1]
    return (
        min((bucket["low"] for bucket in known), default=None),
        max((bucket["high"] for bucket in known), default=None),
        last["last"],
        last["last_step"],
        sum(bucket["nans"] for bucket in buckets),
        sum(bucket["total"] for bucket in buckets),
        sum(bucket["count"] for bucket in buckets),
    )
