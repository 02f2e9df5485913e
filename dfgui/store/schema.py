"""The tables of the store, and how a connection to it is opened.

SQLite in WAL mode: one writer and many readers at once, in any number of threads and processes. Tables grow by
migrations: add a function at the end of this file, never change one that has been released.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from dfgui.errors import UserError

BUSY_SECONDS = 10  # how long a writer waits for another one
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # seconds; SQLite does not wait by itself where the journal's mode changes

migrations = Migrations("dfgui")
_shared: ContextVar[tuple[Path, Database] | None] = ContextVar("shared", default=None)  # of this thread, by `together`


def connect(path: Path, busy_seconds: float = BUSY_SECONDS) -> Database:
    """A connection of the caller's own, usable from any thread. The caller closes it."""
    connection = sqlite3.connect(path, timeout=busy_seconds, check_same_thread=False)
    connection.execute("PRAGMA synchronous=NORMAL")
    return Database(connection)


@contextmanager
def opened(path: Path) -> Iterator[Database]:
    """A connection for one question; what was written is committed at the end, or rolled back by an exception."""
    shared = _shared.get()
    if shared is not None and shared[0] == path:
        with shared[1].conn:
            yield shared[1]
        return
    db = connect(path)
    try:
        with db.conn:
            yield db
    finally:
        db.close()


@contextmanager
def together(path: Path) -> Iterator[None]:
    """All questions of the block go through one connection: opening it costs more than most of them."""
    db = connect(path)
    before = _shared.set((path, db))
    try:
        yield
    finally:
        _shared.reset(before)
        db.close()


def prepare(path: Path) -> None:
    """Creates or upgrades the store at `path`. Raises UserError when that is not a usable store."""
    try:
        for pause in PAUSES:
            try:
                return _upgrade(path)
            except sqlite3.OperationalError:  # somebody else prepares it in this very moment
                time.sleep(pause)
        _upgrade(path)
    except sqlite3.Error as error:
        raise UserError(
            f"The store {path} cannot be opened.",
            f"SQLite says: {error}.",
            "Check the disk and its permissions, or choose another home with --home.",
        ) from error


def _upgrade(path: Path) -> None:
    db = connect(path)
    try:
        db.conn.execute("PRAGMA journal_mode=WAL")
        if migrations.pending(db):
            migrations.apply(db)
    finally:
        db.close()


@migrations()
def m001_first_tables(db: Database) -> None:
    for statement in FIRST_TABLES:
        db.execute(statement)


FIRST_TABLES = [
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        status TEXT NOT NULL,
        reason TEXT,                -- why it ended, in words
        error TEXT,                 -- {what, why, do} as JSON when it failed
        phase TEXT,                 -- what it is doing now: "tokenising"
        phase_done INTEGER,
        phase_total INTEGER,
        phase_unit TEXT,            -- "rows", "bytes"
        config TEXT NOT NULL,       -- RunConfig as JSON
        facts TEXT NOT NULL,        -- what the run found: device, precision, rows, template, ... as JSON
        executor TEXT NOT NULL,     -- who will run it: "app", or "pid:1234" of a command line
        owner TEXT,                 -- {host, pid, started_at} as JSON while somebody runs it
        heartbeat_at REAL,
        created_at REAL NOT NULL,   -- seconds since 1970, as all times here
        started_at REAL,
        first_step_at REAL,
        ended_at REAL,
        global_step INTEGER NOT NULL DEFAULT 0,
        max_steps INTEGER,
        epoch REAL,
        num_train_epochs REAL,
        train_loss REAL,
        eval_loss REAL
    )
    """,
    "CREATE INDEX runs_by_status ON runs (status, created_at)",
    """
    CREATE TABLE metrics (
        run TEXT NOT NULL, name TEXT NOT NULL, step INTEGER NOT NULL,
        value REAL,                 -- NULL is NaN
        time REAL NOT NULL,
        PRIMARY KEY (run, name, step)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE rollups (          -- the same points in buckets of `width` steps
        run TEXT NOT NULL, name TEXT NOT NULL, width INTEGER NOT NULL, bucket INTEGER NOT NULL,
        low REAL, high REAL, last REAL, last_step INTEGER NOT NULL, nans INTEGER NOT NULL,
        total REAL NOT NULL, count INTEGER NOT NULL,  -- of the finite values
        PRIMARY KEY (run, name, width, bucket)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE commands (
        id INTEGER PRIMARY KEY,
        run TEXT NOT NULL, command TEXT NOT NULL,
        requested_at REAL NOT NULL, requested_by TEXT NOT NULL,
        taken_at_step INTEGER, outcome TEXT, done_at REAL
    )
    """,
    "CREATE INDEX commands_by_run ON commands (run, taken_at_step)",
    """
    CREATE TABLE checkpoints (
        run TEXT NOT NULL, step INTEGER NOT NULL,
        path TEXT NOT NULL,         -- inside the run's folder: "checkpoint-20"
        kind TEXT NOT NULL,         -- adapter or full
        bytes INTEGER NOT NULL, eval_loss REAL, created_at REAL NOT NULL,
        PRIMARY KEY (run, step)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        run TEXT NOT NULL, time REAL NOT NULL, step INTEGER,
        kind TEXT NOT NULL,         -- phase, note, warning, checkpoint, command, end, error
        text TEXT NOT NULL
    )
    """,
    "CREATE INDEX events_by_run ON events (run, id)",
    """
    CREATE TABLE scores (           -- held-out tool calls answered by a checkpoint
        run TEXT NOT NULL, step INTEGER NOT NULL,   -- step 0 is the base model
        done INTEGER NOT NULL, total INTEGER NOT NULL, right INTEGER NOT NULL,
        results TEXT NOT NULL,      -- one object per question as JSON; [] until it has ended
        owner TEXT,                 -- who is scoring, as JSON; NULL when it has ended
        trouble TEXT,               -- why it broke off, in words
        created_at REAL NOT NULL,
        PRIMARY KEY (run, step)
    ) WITHOUT ROWID
    """,
]


@migrations()
def m002_runs_that_go_on(db: Database) -> None:
    for statement in RUNS_THAT_GO_ON:
        db.execute(statement)


RUNS_THAT_GO_ON = [
    "ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT ''",  # what a person wrote down about it
    "ALTER TABLE runs ADD COLUMN state TEXT",  # TrainerState as JSON, as it was last told
    "ALTER TABLE runs ADD COLUMN queued_at REAL",  # since when it waits, where it was put back into the queue
    "ALTER TABLE runs ADD COLUMN resume_step INTEGER",  # the checkpoint that a queued run goes on from
    "ALTER TABLE runs ADD COLUMN begun_at_step INTEGER NOT NULL DEFAULT 0",  # where the part that trains now began
    """
    CREATE TABLE parts (            -- a run is trained in one part, or in several where it was resumed
        run TEXT NOT NULL, part INTEGER NOT NULL,
        from_step INTEGER NOT NULL, -- the checkpoint it went on from
        left_at_step INTEGER NOT NULL,  -- how far the part before had come
        started_at REAL NOT NULL,
        PRIMARY KEY (run, part)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE aside (            -- points that a part had logged after the checkpoint which the next went on from
        run TEXT NOT NULL, part INTEGER NOT NULL, name TEXT NOT NULL, step INTEGER NOT NULL,
        value REAL, time REAL NOT NULL,
        PRIMARY KEY (run, part, name, step)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE holds (            -- checkpoints that somebody reads just now: not to be deleted
        id INTEGER PRIMARY KEY,
        run TEXT NOT NULL, step INTEGER NOT NULL,
        owner TEXT NOT NULL         -- {host, pid, started_at} as JSON
    )
    """,
]


@migrations()
def m003_what_is_sent_out(db: Database) -> None:
    for statement in WHAT_IS_SENT_OUT:
        db.execute(statement)


WHAT_IS_SENT_OUT = [
    """
    CREATE TABLE outbox (           -- events of runs on their way to another service, in order
        id INTEGER PRIMARY KEY,
        run TEXT NOT NULL, event TEXT NOT NULL,     -- run_start, metrics, run_end
        payload TEXT NOT NULL,      -- JSON; '' once it is sent
        created_at REAL NOT NULL,
        batch INTEGER,              -- those of one number travel together, and travel again together
        sent_at REAL,
        refused TEXT                -- why the service would not have it, in words
    )
    """,
    "CREATE INDEX outbox_waiting ON outbox (run, id) WHERE sent_at IS NULL AND refused IS NULL",
    """
    CREATE TABLE outbox_leases (    -- who sends a run's events just now
        run TEXT PRIMARY KEY,
        owner TEXT NOT NULL,        -- {host, pid, started_at, token} as JSON
        heartbeat_at REAL NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TRIGGER outbox_goes_with_its_run AFTER DELETE ON runs BEGIN
        DELETE FROM outbox WHERE run = OLD.id;
        DELETE FROM outbox_leases WHERE run = OLD.id;
    END
    """,
]


@migrations()
def m004_what_a_run_was_before(db: Database) -> None:
    for statement in WHAT_A_RUN_WAS_BEFORE:
        db.execute(statement)


WHAT_A_RUN_WAS_BEFORE = [
    "ALTER TABLE runs ADD COLUMN seconds_before REAL NOT NULL DEFAULT 0",  # trained in the parts before this one
    "ALTER TABLE runs ADD COLUMN was TEXT",  # JSON: the end it had, until its resume has gone on
]


@migrations()
def m005_checkpoints_that_are_kept(db: Database) -> None:
    db.execute("ALTER TABLE checkpoints ADD COLUMN kept INTEGER NOT NULL DEFAULT 0")  # 1: somebody wants it to stay
