"""What can be asked of a run: which buttons can be pressed, why the others cannot, and what came of those pressed."""

from typing import Any

from dfgui import words
from dfgui.store.commands import STOPS
from dfgui.store.runs import ENDED
from dfgui.training.apart import KILL_SECONDS, TERM_SECONDS

TITLES = {  # as they stand on the buttons
    "save": "Save",
    "evaluate": "Evaluate",
    "log": "Log now",
    "end-epoch": "End this epoch",
    "stop": "Stop",
    "stop-without-checkpoint": "Stop without a checkpoint",
}
NOT_NOW = {  # status -> why nothing but a stop can be asked
    "queued": "It waits in the queue.",
    "preparing": "It has not begun to train yet.",
    "stopping": "It is stopping.",
}
WAITS = "Asked for already: it is answered at the end of a step."
NO_ROWS = "This run holds no rows out to evaluate on."


def commands(rows: list[dict[str, Any]], run: dict[str, Any], can_be_forced: bool) -> dict[str, Any]:
    """The section of the buttons: answers, newest first; `why` a button cannot be pressed, "" where it can.

    `rows` are the run's commands, newest first. `can_be_forced`: it has a process that can be ended from here.
    """
    return {
        "answers": [answer(row) for row in rows if row["requested_at"] >= (run["queued_at"] or 0)][:3],
        "why": {name: _why_not(name, rows, run) for name in TITLES if name not in STOPS} | {"stop": _why_no_stop(run)},
        "force": force() if can_be_forced else "",
    }


def _why_not(name: str, rows: list[dict[str, Any]], run: dict[str, Any]) -> str:
    if run["status"] != "running":
        return NOT_NOW.get(run["status"], "It has ended.")
    if name == "evaluate" and run["facts"].get("eval_rows") == 0:
        return NO_ROWS
    waits = any(row["command"] == name and row["outcome"] is None for row in rows)
    return WAITS if waits else ""


def _why_no_stop(run: dict[str, Any]) -> str:
    if run["status"] in ENDED:
        return "It has ended."
    return NOT_NOW["stopping"] if run["status"] == "stopping" else ""


def force() -> str:
    """How a stop goes on where the run does not answer it."""
    return (
        f"If it does not answer within {words.duration(TERM_SECONDS)} it is told again by SIGTERM; if it is still "
        f"there {words.duration(KILL_SECONDS)} later it is ended by force. What was saved before stays."
    )


def answer(row: dict[str, Any]) -> str:
    """One command and how far it is: "Save: requested", "Save: saved at step 241"."""
    asked = TITLES.get(row["command"], row["command"])
    if row["outcome"] is not None:
        return f"{asked}: {row['outcome']}"
    if row["taken_at_step"] is not None:
        return f"{asked}: taken at step {words.whole(row['taken_at_step'])}"
    return f"{asked}: requested"
