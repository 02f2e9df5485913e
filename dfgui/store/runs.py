"""Runs: what was asked for, where it stands, how it ended.

    queued -> preparing -> running -> (stopping) -> finished | stopped | failed | interrupted
       ^                                                |
       +----------------- resume -----------------------+

A row in any of the last four is at its end. A run whose owner died is interrupted, and found by `interrupt_orphans`.
One that ended before its last step goes back to the queue when somebody resumes it, and trains on from a checkpoint. If
it is stopped before it went on, it has the end again that it had.
"""

import json
import os
import secrets
import string
import time
from pathlib import Path
from typing import Any, Literal

from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.store import owner
from dfgui.store.schema import opened

ACTIVE = ("preparing", "running", "stopping")
ENDED = ("finished", "stopped", "failed", "interrupted")
FOLLOWS = {  # status -> what may follow it; out of an end leads `resume` alone
    "queued": ("preparing", "stopped", "failed"),  # failed: its process could not be started
    "preparing": ("running", "stopping", "stopped", "failed", "interrupted"),
    "running": ("stopping", "finished", "stopped", "failed", "interrupted"),
    "stopping": ("stopped", "finished", "failed", "interrupted"),
}
WAITS_SINCE = "coalesce(queued_at, created_at)"
FIRST_IN_QUEUE = f"SELECT id FROM runs WHERE status = 'queued' ORDER BY {WAITS_SINCE} LIMIT 1"
NOTHING_EXECUTES = "NOT EXISTS (SELECT 1 FROM runs WHERE status IN ('preparing', 'running', 'stopping'))"
ANSWER = """
    UPDATE commands SET outcome = ?, done_at = ?,
        taken_at_step = coalesce(taken_at_step, (SELECT global_step FROM runs WHERE id = commands.run))
    WHERE run = ? AND outcome IS NULL
"""
INTERRUPTED = "INSERT INTO events (run, time, kind, text) VALUES (?, ?, 'error', ?)"
SECONDS = "max(coalesce(ended_at - first_step_at, 0), 0)"  # that a part trained
END = ("status", "reason", "error", "ended_at", "first_step_at", "seconds_before", "config")  # what a resume changes
AS_IT_IS = "json_object(" + ", ".join(f"'{name}', {name}" for name in END) + ")"
AS_IT_WAS = ", ".join(f"{name} = json_extract(was, '$.{name}')" for name in END)
TIMED = f"""
    SELECT * FROM runs WHERE status IN ({", ".join("?" * len(ENDED))}) AND first_step_at IS NOT NULL
    AND json_extract(facts, '$.device') = ? AND json_extract(config, '$.model.name') = ?
    ORDER BY created_at DESC, rowid DESC LIMIT ?
"""
JSON_FIELDS = ("config", "facts", "error", "owner", "state")


def new_id() -> str:
    """Ten random letters and digits."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(10))


class Runs:
    def __init__(self, path: Path):
        self.path = path

    def create(self, config: RunConfig, executor: str = "app", run: str | None = None) -> str:
        """Queues a run and returns its id, a `new_id` unless one was made for it before."""
        run = run or new_id()
        row = {
            "id": run,
            "name": config.title(),
            "status": "queued",
            "config": config.model_dump_json(),
            "facts": "{}",
            "executor": executor,
            "owner": None if executor == "app" else json.dumps(owner.me()),  # a queued command line may die waiting
            "created_at": time.time(),
        }
        with opened(self.path) as db:
            db.table("runs").insert(row)
        return run

    def get(self, run: str) -> dict[str, Any]:
        """The run as a dict, JSON fields read. Raises UserError when there is none of that id."""
        with opened(self.path) as db:
            rows = list(db.query("SELECT * FROM runs WHERE id = ?", [run]))
        if not rows:
            raise UserError(
                f"There is no run {run}.", "It was deleted, or the id is misspelt.", "See the list of runs."
            )
        return _read(rows[0])

    def all(self) -> list[dict[str, Any]]:
        """Every run, newest first."""
        with opened(self.path) as db:
            return [_read(row) for row in db.query("SELECT * FROM runs ORDER BY created_at DESC, rowid DESC")]

    def timed(self, device: str, model: str, most: int) -> list[dict[str, Any]]:
        """Runs of this model that took a step on this device and have ended, newest first; no more than `most`."""
        with opened(self.path) as db:
            return [_read(row) for row in db.query(TIMED, [*ENDED, device, model, most])]

    def current(self) -> dict[str, Any] | None:
        """The run that executes now, else the next in the queue, else None."""
        with opened(self.path) as db:
            rows = list(
                db.query(
                    "SELECT * FROM runs WHERE status IN ('preparing', 'running', 'stopping', 'queued') "
                    f"ORDER BY status = 'queued', {WAITS_SINCE} LIMIT 1"
                )
            )
        return _read(rows[0]) if rows else None

    def left_off(self) -> dict[str, Any] | None:
        """The run that was touched last, where it was interrupted: what somebody who comes back looks for."""
        with opened(self.path) as db:
            rows = list(
                db.query(
                    "SELECT * FROM runs WHERE status = 'interrupted' AND id = "
                    f"(SELECT id FROM runs ORDER BY coalesce(ended_at, {WAITS_SINCE}) DESC LIMIT 1)"
                )
            )
        return _read(rows[0]) if rows else None

    def active(self) -> list[dict[str, Any]]:
        """The runs that somebody executes, or did when he was last seen."""
        with opened(self.path) as db:
            return [
                _read(row)
                for row in db.query("SELECT * FROM runs WHERE status IN ('preparing', 'running', 'stopping')")
            ]

    def update(self, run: str, **fields: Any) -> None:
        """Sets columns; dicts are written as JSON."""
        values = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in fields.items()}
        with opened(self.path) as db:
            db.table("runs").update(run, values)

    def lay(self, run: str, column: Literal["facts", "config"], values: dict[str, Any]) -> None:
        """Lays `values` over a column of JSON, whoever else writes to it; a value of None takes its name away."""
        with opened(self.path) as db:
            db.execute(f"UPDATE runs SET {column} = json_patch({column}, ?) WHERE id = ?", [json.dumps(values), run])

    def move(
        self,
        run: str,
        status: str,
        reason: str | None = None,
        error: UserError | None = None,
        ended_at: float | None = None,
    ) -> bool:
        """Moves the run to `status` if that may follow where it is; False when it may not.

        Whatever was still asked of a run is answered in the moment it ends: now, or as it was found to have ended
        before. An interruption is in the run's log as well, since nobody else could have written it there.
        """
        allowed = [before for before, after in FOLLOWS.items() if status in after]
        ended = (ended_at or time.time()) if status in ENDED else None
        words = json.dumps(error.to_dict()) if error else None
        with opened(self.path) as db:
            cursor = db.execute(
                f"UPDATE runs SET status = ?, reason = coalesce(?, reason), error = coalesce(?, error), "
                f"ended_at = coalesce(?, ended_at), owner = CASE WHEN ? THEN NULL ELSE owner END, "
                f"phase = CASE WHEN ? THEN NULL ELSE phase END "
                f"WHERE id = ? AND status IN ({', '.join('?' * len(allowed))})",
                [status, reason, words, ended, ended is not None, ended is not None, run, *allowed],
            )
            moved = cursor.rowcount == 1
            if moved and ended:
                db.execute(ANSWER, ["the run has ended", ended, run])
            if moved and status == "interrupted":
                db.execute(INTERRUPTED, [run, ended, reason])
            return moved

    def go_back(self, run: str) -> bool:
        """Gives a resumed run that was stopped before it went on the end again that it had; False for every other."""
        return self._goes_back(run, ("preparing", "stopping"))

    def _goes_back(self, run: str, out_of: tuple[str, ...]) -> bool:
        with opened(self.path) as db:
            cursor = db.execute(
                f"UPDATE runs SET {AS_IT_WAS}, was = NULL, resume_step = NULL, owner = NULL, phase = NULL "
                f"WHERE id = ? AND was IS NOT NULL AND status IN ({', '.join('?' * len(out_of))})",
                [run, *out_of],
            )
            if went := cursor.rowcount == 1:
                db.execute(ANSWER, ["it had not gone on: it is as it was", time.time(), run])
            return went

    def withdraw(self, run: str, reason: str) -> bool:
        """Takes the run out of the queue; False when it waits there no longer. A resumed one has its end again."""
        if self._goes_back(run, ("queued",)):
            return True
        with opened(self.path) as db:
            cursor = db.execute(
                "UPDATE runs SET status = 'stopped', reason = ?, ended_at = ?, owner = NULL "
                "WHERE id = ? AND status = 'queued'",
                [reason, time.time(), run],
            )
            withdrawn = cursor.rowcount == 1
            if withdrawn:
                db.execute(ANSWER, ["taken out of the queue", time.time(), run])
            return withdrawn

    def resume(self, run: str, step: int, executor: str = "app", config: RunConfig | None = None) -> bool:
        """Puts an ended run back into the queue, to go on from its checkpoint at `step`; False if it has not ended.

        `config` takes the place of the one that it has; None leaves that.
        """
        mine = None if executor == "app" else json.dumps(owner.me())
        with opened(self.path) as db:
            cursor = db.execute(
                f"UPDATE runs SET was = {AS_IT_IS}, seconds_before = seconds_before + {SECONDS}, "
                "status = 'queued', resume_step = ?, executor = ?, owner = ?, queued_at = ?, "
                "config = coalesce(?, config), "
                "reason = NULL, error = NULL, ended_at = NULL, first_step_at = NULL, phase = NULL "
                f"WHERE id = ? AND status IN ({', '.join('?' * len(ENDED))})",
                [step, executor, mine, time.time(), config and config.model_dump_json(), run, *ENDED],
            )
            return cursor.rowcount == 1

    def adopt(self, run: str, executor: str) -> str | None:
        """This process will execute a run that waits in the queue for `executor`; returns what it is called there.

        None when it waits there no longer, or somebody else was quicker.
        """
        mine = f"pid:{os.getpid()}"
        with opened(self.path) as db:
            cursor = db.execute(
                "UPDATE runs SET executor = ?, owner = ? WHERE id = ? AND status = 'queued' AND executor = ?",
                [mine, json.dumps(owner.me()), run, executor],
            )
            return mine if cursor.rowcount == 1 else None

    def next(self, executor: str) -> dict[str, Any] | None:
        """The queued run whose turn it is, if it is `executor`'s and nothing else executes; it is not claimed."""
        with opened(self.path) as db:
            rows = list(
                db.query(
                    f"SELECT * FROM runs WHERE id = ({FIRST_IN_QUEUE}) AND executor = ? AND {NOTHING_EXECUTES}",
                    [executor],
                )
            )
        return _read(rows[0]) if rows else None

    def claim(self, executor: str) -> str | None:
        """Takes the oldest queued run if nothing else executes and it is `executor`'s; returns its id."""
        with opened(self.path) as db:
            claimed = db.execute(
                "UPDATE runs SET status = 'preparing', owner = ?, heartbeat_at = ?, started_at = ? "
                f"WHERE id = ({FIRST_IN_QUEUE}) "
                "AND executor = ? "
                f"AND {NOTHING_EXECUTES} "
                "RETURNING id",
                [json.dumps(owner.me()), time.time(), time.time(), executor],
            ).fetchall()
        return claimed[0][0] if claimed else None

    def interrupt_orphans(self) -> list[str]:
        """Ends runs whose owner is gone, and queued ones whose command line is gone; returns their ids."""
        with opened(self.path) as db:
            waiting = [
                _read(row) for row in db.query("SELECT * FROM runs WHERE status = 'queued' AND executor != 'app'")
            ]
        gone = [run for run in self.active() if not owner.alive(run["owner"], run["heartbeat_at"])]
        for run in gone:
            error = UserError(
                f"Interrupted at step {run['global_step']}: the process that trained it is gone.",
                "It was closed or killed, or the machine went down.",
                "Resume it from its last checkpoint, or start it again where there is none.",
            )
            self.move(run["id"], "interrupted", error.what, error, run["heartbeat_at"])
        left = [run for run in waiting if not owner.alive(run["owner"], run["queued_at"] or run["created_at"])]
        for run in left:
            self.move(run["id"], "stopped", "The command that queued it ended before it could start.")
        return [run["id"] for run in gone + left]


def _read(row: dict[str, Any]) -> dict[str, Any]:
    return {name: json.loads(value) if name in JSON_FIELDS and value else value for name, value in row.items()}
