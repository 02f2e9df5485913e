"""Whether a folder lies on a disk that SQLite can live on: one with locks, shared memory and rename.

Network drives and mounted buckets often have none of these and say nothing, until the store is damaged.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path


def trouble(folder: Path) -> str | None:
    """What the folder's disk cannot do ("has no file locks"), or None. Takes milliseconds and leaves nothing behind."""
    file = folder / f".probe-{os.getpid()}"
    checks: list[tuple[str, Callable[[Path], bool]]] = [
        ("cannot rename files", _renames),
        ("has no file locks", _locks),
        ("cannot keep a database in WAL mode", _keeps_wal),
    ]
    try:
        return next((words for words, works in checks if not works(file)), None)
    except (OSError, sqlite3.Error) as error:
        return f"fails with: {error}"
    finally:
        for left in folder.glob(f"{file.name}*"):
            left.unlink(missing_ok=True)


def _renames(file: Path) -> bool:
    file.write_text("old")
    other = file.with_name(file.name + "-new")
    other.write_text("new")
    other.replace(file)
    return file.read_text() == "new" and not other.exists()


def _locks(file: Path) -> bool:
    """Whether another process is kept out of what this one has locked. (Windows always keeps it out.)"""
    if not hasattr(os, "fork"):
        return True
    import fcntl

    with file.open("w") as held:
        fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        child = os.fork()
        if child == 0:
            os._exit(_tries_to_lock(file))
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _tries_to_lock(file: Path) -> int:
    """In the child: 0 when the lock holds against it."""
    import fcntl

    try:
        with file.open("r+") as other:
            fcntl.lockf(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 0
    except OSError:
        return 2
    return 1


def _keeps_wal(file: Path) -> bool:
    path = file.with_name(file.name + ".db")
    with closing(sqlite3.connect(path)) as writer, closing(sqlite3.connect(path)) as reader:
        if writer.execute("PRAGMA journal_mode=WAL").fetchone() != ("wal",):
            return False
        with writer:
            writer.execute("CREATE TABLE probe (x)")
            writer.execute("INSERT INTO probe VALUES (1)")
        return reader.execute("SELECT x FROM probe").fetchall() == [(1,)]
