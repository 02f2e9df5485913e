"""Metrics: one row for each (run, name, step), and buckets of them, so that reading never depends on length.

A chart asks for `series` once and then for what is `since` its cursor. A bucket is [step, low, high, last, nans, mean]:
lowest, highest and mean value in it, the last one with its step, and how many were NaN: nothing is hidden.
"""

from itertools import accumulate
from pathlib import Path
from typing import Any

from dfgui.store.schema import opened

WIDTHS = [4**power for power in range(2, 12)]  # steps per bucket: 16, 64, ... 4,194,304

Bucket = list[Any]  # [last_step, low, high, last, nans, mean]; values are None when all were NaN


# Two look-ups in the key; min and max in one SELECT would read every row between them.
FIRST_AND_LAST = """
    SELECT (SELECT min(step) FROM metrics WHERE run = ? AND name = ? AND step >= ? AND step <= ?),
           (SELECT max(step) FROM metrics WHERE run = ? AND name = ? AND step >= ? AND step <= ?)
"""


class Metrics:
    def __init__(self, path: Path):
        self.path = path

    def names(self, run: str) -> list[str]:
        """Which metrics the run has logged. A loose index scan: its cost is the number of names, not of rows."""
        found: list[str] = []
        with opened(self.path) as db:
            while True:
                row = db.execute(
                    "SELECT name FROM metrics WHERE run = ? AND name > ? ORDER BY name LIMIT 1",
                    [run, found[-1] if found else ""],
                ).fetchone()
                if row is None:
                    return found
                found.append(row[0])

    def since(self, run: str, name: str, step: int, limit: int = 1000) -> list[list[Any]]:
        """Points [step, value] after `step`, oldest first, at most `limit`."""
        with opened(self.path) as db:
            rows = db.execute(
                "SELECT step, value FROM metrics WHERE run = ? AND name = ? AND step > ? ORDER BY step LIMIT ?",
                [run, name, step, limit],
            )
            return [list(row) for row in rows]

    def last(self, run: str, name: str, upto: int = 2**62) -> tuple[int, float | None] | None:
        """(step, value) of the newest point, or of the newest that is not after `upto`; None where there is none."""
        with opened(self.path) as db:
            return db.execute(
                "SELECT step, value FROM metrics WHERE run = ? AND name = ? AND step <= ? ORDER BY step DESC LIMIT 1",
                [run, name, upto],
            ).fetchone()

    def at(self, run: str, name: str, steps: list[int]) -> list[tuple[int, float | None] | None]:
        """For each of `steps` (step, value) of the newest point that is not after it; None where there is none."""
        newest = "SELECT step, value FROM metrics WHERE run = ? AND name = ? AND step <= ? ORDER BY step DESC LIMIT 1"
        with opened(self.path) as db:
            return [db.execute(newest, [run, name, step]).fetchone() for step in steps]

    def behind(self, run: str, name: str, steps: list[int]) -> list[int]:
        """How many points there are after each of `steps`, which ascend. Each point is counted once."""
        between = "SELECT count(*) FROM metrics WHERE run = ? AND name = ? AND step > ? AND step <= ?"
        ends = [*steps, 2**62][1:]
        with opened(self.path) as db:
            counts = [
                db.execute(between, [run, name, step, end]).fetchone()[0] for step, end in zip(steps, ends, strict=True)
            ]
        return list(accumulate(reversed(counts)))[::-1]

    def points(self, run: str, name: str) -> list[list[Any]]:
        """Every point [step, value]: for files and the command line, never for a page."""
        with opened(self.path) as db:
            rows = db.execute("SELECT step, value FROM metrics WHERE run = ? AND name = ? ORDER BY step", [run, name])
            return [list(row) for row in rows]

    def series(self, run: str, name: str, buckets: int = 500, start: int = 0, end: int | None = None) -> list[Bucket]:
        """At most `buckets` buckets (one more at a ragged edge) over the steps start..end, oldest first."""
        with opened(self.path) as db:
            low, high = db.execute(
                FIRST_AND_LAST, [*(run, name, start, end if end is not None else 2**62) * 2]
            ).fetchone()
            if low is None:
                return []
            width = next((w for w in [1, *WIDTHS] if (high - low + 1) / w <= buckets), WIDTHS[-1])
            if width == 1:
                rows = db.execute(
                    "SELECT step, value, value, value, value IS NULL, value FROM metrics "
                    "WHERE run = ? AND name = ? AND step BETWEEN ? AND ? ORDER BY step",
                    [run, name, low, high],
                )
            else:
                rows = db.execute(
                    "SELECT last_step, low, high, last, nans, total / nullif(count, 0) FROM rollups "
                    "WHERE run = ? AND name = ? AND width = ? AND bucket BETWEEN ? AND ? ORDER BY bucket",
                    [run, name, width, low // width, high // width],
                )
            return [list(row) for row in rows]
