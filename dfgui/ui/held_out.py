"""The held-out rows of a run, kept for a while: they never change."""

from functools import lru_cache
from typing import Any

from dfgui import actions
from dfgui.settings import Settings
from dfgui.views import question
from dfgui.views.question import Question


@lru_cache(maxsize=4)
def rows(settings: Settings, run: str) -> tuple[dict[str, Any], ...]:
    """{row, messages, tools} of each. Raises UserError while the run has not written them down."""
    return tuple(actions.held_out(settings, run))


def questions(settings: Settings, run: str) -> list[Question]:
    """The rows in which somebody asks something, those that call a tool first."""
    found = [asked for row in rows(settings, run) if (asked := question.of(row))]
    return sorted(found, key=lambda asked: not asked.answer[0].get("tool_calls"))
