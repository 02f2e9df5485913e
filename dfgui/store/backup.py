"""A copy of the store as one plain file, taken while others write to it, and the check that such a file is whole."""

import sqlite3
from contextlib import closing
from pathlib import Path

from dfgui.store.schema import opened

PREVIOUS = "dfgui.previous.db"  # beside a copy: the one before it
BESIDE = ("", "-wal", "-shm")  # the files that are one SQLite database


def write(store: Path, target: Path) -> None:
    """Copies the store as it stands to `target`, which must lie on a disk with locks. Writers are not held up."""
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(store)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # nothing of it stays in a second file


def is_whole(copy: Path) -> bool:
    """Whether SQLite finds nothing wrong with the file; a cut one is not whole, an empty one is no store."""
    try:
        with closing(sqlite3.connect(copy)) as db:
            sound = db.execute("PRAGMA quick_check").fetchone() == ("ok",)
            return sound and db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
    except sqlite3.Error:
        return False


def drop_missing_checkpoints(store: Path, runs: Path) -> None:
    """A copy may speak of checkpoints that were not copied any more: what is not below `runs` cannot be offered."""
    with opened(store) as db:
        rows = list(db.query("SELECT run, step, path FROM checkpoints"))
        gone = [(row["run"], row["step"]) for row in rows if not (runs / row["run"] / row["path"]).is_dir()]
        db.conn.executemany("DELETE FROM checkpoints WHERE run = ? AND step = ?", gone)
