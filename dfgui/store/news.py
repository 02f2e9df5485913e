"""Whether anything came, ended or went: one cheap question instead of reading every run again."""

import zlib
from pathlib import Path

from dfgui.store.schema import opened


class News:
    def __init__(self, path: Path):
        self.path = path

    def tag(self) -> str:
        """A short text that changes when a run comes, moves on, goes or is renamed, or a checkpoint comes or goes
        or is kept."""
        with opened(self.path) as db:
            statuses = db.execute("SELECT status, count(*) FROM runs GROUP BY status ORDER BY status").fetchall()
            runs = db.execute("SELECT max(rowid), max(ended_at) FROM runs").fetchone()
            checkpoints = db.execute("SELECT count(*), max(created_at), sum(kept * step) FROM checkpoints").fetchone()
            written = db.execute("SELECT id, name, note FROM runs ORDER BY id").fetchall()
        parts = [f"{status}{count}" for status, count in statuses] + [str(part) for part in (*runs, *checkpoints)]
        parts.append(f"{zlib.crc32(repr(written).encode()):x}")
        return " ".join(parts)

    def has(self) -> dict[str, bool]:
        """Whether there is any run, and any checkpoint."""
        with opened(self.path) as db:
            return {
                table: db.execute(f"SELECT EXISTS (SELECT 1 FROM {table})").fetchone()[0] == 1
                for table in ("runs", "checkpoints")
            }

    def latest(self) -> str:
        """The id of the newest run, or ""."""
        with opened(self.path) as db:
            row = db.execute("SELECT id FROM runs ORDER BY created_at DESC, rowid DESC LIMIT 1").fetchone()
        return row[0] if row else ""
