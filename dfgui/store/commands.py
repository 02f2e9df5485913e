"""Commands: what somebody asked of a run, when the run took it, what came of it.

Buttons and the command line write them; the training callback obeys.
"""

import time
from pathlib import Path
from typing import Any

from dfgui.errors import UserError
from dfgui.store.schema import connect, opened

COMMANDS = ("stop", "stop-without-checkpoint", "save", "evaluate", "log", "end-epoch")
STOPS = COMMANDS[:2]


class Commands:
    def __init__(self, path: Path):
        self.path = path

    def add(self, run: str, command: str, by: str) -> int:
        """Asks `command` of a run; returns the command's id. Asking twice before it is taken asks once."""
        if command not in COMMANDS:
            raise UserError(
                f"{command} is not a command.", "A run obeys " + ", ".join(COMMANDS) + ".", "Use one of them."
            )
        with opened(self.path) as db:
            waiting = db.execute(
                "SELECT id FROM commands WHERE run = ? AND command = ? AND taken_at_step IS NULL", [run, command]
            ).fetchone()
            if waiting:
                return waiting[0]
            return db.execute(
                "INSERT INTO commands (run, command, requested_at, requested_by) VALUES (?, ?, ?, ?) RETURNING id",
                [run, command, time.time(), by],
            ).fetchone()[0]

    def get(self, command: int) -> dict[str, Any]:
        with opened(self.path) as db:
            return dict(db.table("commands").get(command))

    def waiting(self, run: str) -> list[dict[str, Any]]:
        """Commands nobody has taken yet, oldest first."""
        with opened(self.path) as db:
            return list(db.query("SELECT * FROM commands WHERE run = ? AND taken_at_step IS NULL ORDER BY id", [run]))

    def of(self, run: str) -> list[dict[str, Any]]:
        """Every command of the run, newest first."""
        with opened(self.path) as db:
            return list(db.query("SELECT * FROM commands WHERE run = ? ORDER BY id DESC", [run]))

    def close_all(self, run: str, step: int, outcome: str) -> None:
        """Answers what is still open when a run ends."""
        with opened(self.path) as db:
            db.execute(
                "UPDATE commands SET taken_at_step = coalesce(taken_at_step, ?), outcome = ?, done_at = ? "
                "WHERE run = ? AND outcome IS NULL",
                [step, outcome, time.time(), run],
            )


class Inbox:
    """The commands of one run for the trainer that asks at each step: its own connection, and one cheap question.

    SQLite tells whether anybody has written since; only then are commands read. To be used by one thread.
    """

    def __init__(self, path: Path, run: str):
        self._db = connect(path, busy_seconds=0.1)
        self._run = run
        self._version = -1

    def new(self) -> list[dict[str, Any]]:
        """Commands that nobody has taken yet, oldest first; empty where nothing was written since the last time."""
        version = self._db.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return []
        found = list(
            self._db.query("SELECT * FROM commands WHERE run = ? AND taken_at_step IS NULL ORDER BY id", [self._run])
        )
        self._version = version
        return found

    def close(self) -> None:
        self._db.close()
