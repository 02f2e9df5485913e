"""The writer: a thread between the trainer and the disk, so that writing never slows training down.

The trainer hands over a dict and goes on; a batch is committed at most 50 ms later. It wakes nobody by that, which
would cost it more than the rest: the thread looks every 50 ms by itself. A locked store or a full disk is retried until
it works, and reported in `trouble`. Only a store that stays unwritable for 30 s after the run's end loses what was not
written yet, and that is logged.
"""

import json
import logging
import math
import queue
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from dfgui.store.metrics import WIDTHS
from dfgui.store.outbox import PUT
from dfgui.store.schema import connect

logger = logging.getLogger("dfgui")

BATCH_SECONDS = 0.05
HEARTBEAT_SECONDS = 2.0
RETRY_SECONDS = 0.5
CLOSING_SECONDS = 30.0  # how long a run's end waits for a store that cannot be written

METRIC = "INSERT OR REPLACE INTO metrics (run, name, step, value, time) VALUES (?, ?, ?, ?, ?)"
ROLLUP = """
    INSERT INTO rollups (run, name, width, bucket, low, high, last, last_step, nans, total, count)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (run, name, width, bucket) DO UPDATE SET
        low = coalesce(min(low, excluded.low), low, excluded.low),
        high = coalesce(max(high, excluded.high), high, excluded.high),
        last = excluded.last, last_step = excluded.last_step, nans = nans + excluded.nans,
        total = total + excluded.total, count = count + excluded.count
"""
EVENT = "INSERT INTO events (run, time, step, kind, text) VALUES (?, ?, ?, ?, ?)"
TAKE = "UPDATE commands SET taken_at_step = ? WHERE id = ?"
FINISH = "UPDATE commands SET outcome = ?, done_at = ? WHERE id = ?"
CHECKPOINT = (  # one that is saved again at its step stays kept, if it was
    "INSERT INTO checkpoints (run, step, path, kind, bytes, eval_loss, created_at) VALUES (?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (run, step) DO UPDATE SET path = excluded.path, kind = excluded.kind, bytes = excluded.bytes, "
    "eval_loss = excluded.eval_loss, created_at = excluded.created_at"
)
FACTS = "UPDATE runs SET facts = json_patch(facts, ?) WHERE id = ?"

Point = tuple[str, int, float | None, float]  # name, step, value (None is NaN), time


class Writer:
    """Writes one run's metrics, events and progress. Use as a context manager; leaving it writes what is left.

    A `mute` one takes everything and writes nothing: of several processes that train one run, one tells.
    """

    def __init__(self, path: Path, run: str, mute: bool = False):
        self.run = run
        self.mute = mute
        self.trouble: str | None = None  # why the last attempt to write failed; None when all is well
        self._path = path
        self._inbox: queue.SimpleQueue[tuple[str, Any] | None] = queue.SimpleQueue()
        self._wanted = threading.Event()  # set where somebody waits for what he has handed over
        self._closing_at: float | None = None
        self._thread = threading.Thread(target=self._work, name=f"dfgui-writer-{run}", daemon=True)

    def __enter__(self) -> "Writer":
        if not self.mute:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.mute:
            return
        self._closing_at = time.monotonic()
        self._inbox.put(None)
        self._wanted.set()
        self._thread.join()

    def log(self, step: int, values: dict[str, float]) -> None:
        """Records scalars at a step. NaN is kept as NaN. `values` must not change afterwards."""
        self._put("log", (step, values, time.time()))

    def event(self, kind: str, text: str, step: int | None = None) -> None:
        self._put("sql", (EVENT, (self.run, time.time(), step, kind, text)))

    def take(self, command: int, step: int) -> None:
        """The run has taken a command at this step."""
        self._put("sql", (TAKE, (step, command)))

    def finish(self, command: int, outcome: str) -> None:
        self._put("sql", (FINISH, (outcome, time.time(), command)))

    def checkpoint(self, step: int, folder: str, kind: str, size: int, eval_loss: float | None) -> None:
        """A complete checkpoint is on the disk. `folder` lies inside the run's folder; `size` in bytes."""
        self._put("sql", (CHECKPOINT, (self.run, step, folder, kind, size, eval_loss, time.time())))

    def facts(self, **facts: Any) -> None:
        """Lays `facts` over what is known of the run: device, precision, rows, ..."""
        self._put("sql", (FACTS, (json.dumps(facts), self.run)))

    def outbox(self, event: str, payload: dict[str, Any]) -> None:
        """An event for another service (store/outbox.py). The payload is JSON, without NaN."""
        self._put("sql", (PUT, (self.run, event, json.dumps(payload, allow_nan=False), time.time())))

    def progress(self, **fields: Any) -> None:
        """Sets columns of the run: global_step, epoch, phase, ... The last value of a batch wins.

        A function stands for what it returns, and is called by the writer's thread.
        """
        self._put("progress", fields)

    def flush(self, timeout: float = CLOSING_SECONDS) -> bool:
        """Waits until everything handed over so far is committed; False when `timeout` seconds were not enough."""
        if self.mute:
            return True
        done = threading.Event()
        self._put("flush", done)
        self._wanted.set()
        return done.wait(timeout)

    def _put(self, kind: str, payload: Any) -> None:
        if not self.mute:
            self._inbox.put((kind, payload))

    def _work(self) -> None:
        db = connect(self._path, busy_seconds=RETRY_SECONDS)  # it tries again by itself
        heartbeat = 0.0
        open_for_more = True
        while open_for_more:
            batch, open_for_more = self._collect()
            if time.time() - heartbeat > HEARTBEAT_SECONDS:
                heartbeat = time.time()
                batch.append(("progress", {"heartbeat_at": heartbeat}))
            if batch:
                self._commit_until_it_works(db.conn, batch)
        db.close()

    def _collect(self) -> tuple[list[tuple[str, Any]], bool]:
        """What has arrived within one batch's time, and whether more may come."""
        self._wanted.wait(BATCH_SECONDS)
        self._wanted.clear()
        batch: list[tuple[str, Any]] = []
        while True:
            try:
                item = self._inbox.get_nowait()
            except queue.Empty:
                return batch, True
            if item is None:
                return batch, False
            batch.append(item)

    def _commit_until_it_works(self, connection: sqlite3.Connection, batch: list[tuple[str, Any]]) -> None:
        logs = [payload for kind, payload in batch if kind == "log"]
        points = [(name, step, value, at) for step, values, at in logs for name, value in _scalars(values)]
        statements = [payload for kind, payload in batch if kind == "sql"]
        fields: dict[str, Any] = {}
        for kind, payload in batch:
            if kind == "progress":
                fields.update(payload)
        while not self._commit(connection, points, statements, fields):
            if self._closing_at and time.monotonic() - self._closing_at > CLOSING_SECONDS:
                logger.error("Run %s: %d points could not be written: %s", self.run, len(points), self.trouble)
                break
            time.sleep(RETRY_SECONDS)
        for kind, payload in batch:
            if kind == "flush":
                payload.set()

    def _commit(self, connection: sqlite3.Connection, points: list[Point], statements: list[Any], fields: dict) -> bool:
        try:
            with connection:
                if self.trouble:
                    text = f"The store could not be written for a while ({self.trouble}); nothing was lost."
                    connection.execute(EVENT, (self.run, time.time(), None, "warning", text))
                connection.executemany(METRIC, [(self.run, *point) for point in points])
                connection.executemany(ROLLUP, [(self.run, *row) for row in rollups(points)])
                for statement, values in statements:
                    connection.execute(statement, values)
                if fields:
                    names = ", ".join(f"{name} = ?" for name in fields)
                    connection.execute(
                        f"UPDATE runs SET {names} WHERE id = ?", [*map(_plain, fields.values()), self.run]
                    )
            self.trouble = None
        except sqlite3.OperationalError as error:
            self.trouble = str(error)
            return False
        except sqlite3.Error:  # it would be refused again: the next batch shall not wait behind it
            logger.exception("Run %s: the store refused %d points", self.run, len(points))
        return True


def rollups(points: list[Point]) -> list[tuple[Any, ...]]:
    """The buckets that `points` fall into: (name, width, bucket, low, high, last, last_step, nans, total, count)."""
    buckets: dict[tuple[str, int, int], list[Any]] = {}
    for name, step, value, _ in points:
        for width in WIDTHS:
            kept = buckets.setdefault((name, width, step // width), [value, value, value, step, 0, 0.0, 0])
            if value is None:
                kept[4] += 1
            elif kept[0] is None:
                kept[0] = kept[1] = value
            else:
                kept[0], kept[1] = min(kept[0], value), max(kept[1], value)
            kept[2], kept[3] = value, step
            if value is not None and math.isfinite(value):  # else inf - inf, which SQLite has no word for
                kept[5] += value
                kept[6] += 1
    return [(*key, *bucket) for key, bucket in buckets.items()]


def _scalars(values: dict[str, Any]) -> list[tuple[str, float | None]]:
    """Numbers only; NaN becomes None, since SQLite has no NaN."""
    return [
        (name, None if math.isnan(value) else float(value))
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]


def _plain(value: Any) -> Any:
    value = value() if callable(value) else value
    return json.dumps(value) if isinstance(value, dict) else value
