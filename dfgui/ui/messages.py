"""Errors and notes as they are put on a page; the one place where a UserError becomes words there.

@says(trouble)                                   # trouble: a gr.HTML among the handler's outputs
def look(source): return {table: ...}            # raises UserError: its three sentences appear in `trouble`
"""

from collections.abc import Callable, Iterator
from functools import wraps
from html import escape
from typing import Any

from dfgui.errors import UserError
from dfgui.ui.uploads import unmarked

KINDS = {"ok": "ok", "warn": "look", "stop": "stop", "tell": "info"}  # a status is never a colour alone


def says(slot: Any, then: dict | None = None) -> Callable[[Callable[..., Any]], Callable[..., Iterator[dict]]]:
    """A handler that returns or yields updates by component. What it raises for people is shown in `slot`.

    `then`: updates that go with the trouble, such as taking a "loading" away.
    """

    def wrap(handler: Callable[..., Any]) -> Callable[..., Iterator[dict]]:
        @wraps(handler)
        def told(*args: Any, **kwargs: Any) -> Iterator[dict]:
            try:
                updates = handler(*args, **kwargs)
                for update in [updates] if isinstance(updates, dict) else updates:
                    yield {slot: "", **update}
            except UserError as error:
                yield {slot: trouble(error), **(then or {})}

        return told

    return wrap


def trouble(error: UserError) -> str:
    """What happened, why, and what to do, as HTML."""
    what, why, do = (escape(unmarked(part)) for part in (error.what, error.why, error.do))
    return f'<div class="trouble" role="alert"><b>{what}</b> {why} <span class="cure">{do}</span></div>'


def note(kind: str, title: str, text: str, do: str = "", way: str = "", pending: bool = False) -> str:
    """One line of a list of checks: a word for the kind, what it is about, what there is to say, and the cure.

    `way`: a button that does it, as HTML; `pending`: more is known in a moment.
    """
    word = "…" if pending and kind == "tell" else KINDS.get(kind, escape(kind))
    title, text, do = unmarked(title), unmarked(text), unmarked(do)
    cure = f' <span class="cure">{escape(do)}{f" {way}" if way else ""}</span>' if do or way else ""
    return (
        f'<li class="note {escape(kind)}"><span class="kind">{word}</span>'
        f"<div><b>{escape(title)}</b> {escape(text)}{cure}</div></li>"
    )


def empty(what: str, do: str) -> str:
    """A place where nothing is yet: what is missing, and what to do about it."""
    return f'<div class="empty"><b>{escape(what)}</b> {escape(do)}</div>'
