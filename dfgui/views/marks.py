"""What stands on the chart at a step besides the curve: where a run was resumed, and what was asked of it.

{"resumed": [[40, "Resumed from checkpoint 40 ..."]], "asked": [[41, "save", "Save: saved at step 41"]]}
"""

from typing import Any

from dfgui import words
from dfgui.store.commands import STOPS
from dfgui.views.commands import answer

MOST = 200  # the newest ones


def marks(commands: list[dict[str, Any]], parts: list[dict[str, Any]]) -> dict[str, Any]:
    """`commands` newest first; `parts` as store.parts gives them, oldest first."""
    taken = [row for row in commands if row["taken_at_step"] is not None and not _is_aside(row, parts)][:MOST]
    return {
        "resumed": [[part["from_step"], _resumed(part)] for part in parts if not _is_behind(part, parts)],
        "asked": [
            [row["taken_at_step"], "stop" if row["command"] in STOPS else row["command"], answer(row)]
            for row in reversed(taken)
        ],
    }


def _resumed(part: dict[str, Any]) -> str:
    came_to = f"; it had come to step {words.whole(part['left_at_step'])}"
    when = words.moment(part["started_at"])[:16]
    beyond = came_to if part["left_at_step"] > part["from_step"] else ""
    return f"Resumed from checkpoint {words.whole(part['from_step'])} at {when}{beyond}"


def _is_aside(command: dict[str, Any], parts: list[dict[str, Any]]) -> bool:
    """Whether it was taken on a curve that has been set aside since."""
    return any(
        command["requested_at"] < part["started_at"] and command["taken_at_step"] > part["from_step"] for part in parts
    )


def _is_behind(part: dict[str, Any], parts: list[dict[str, Any]]) -> bool:
    """Whether the run was resumed later from further back, or from the same checkpoint again."""
    return any(later["part"] > part["part"] and later["from_step"] <= part["from_step"] for later in parts)
