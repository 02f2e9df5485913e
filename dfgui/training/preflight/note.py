"""A note: {kind, title, text, do, field, changes, pending}, and how what goes wrong becomes one."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Literal

from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.settings import Settings

Kind = Literal["ok", "tell", "warn", "stop"]


@dataclass(frozen=True)
class Note:
    kind: Kind
    title: str
    text: str
    do: str = ""  # the cure, where one is needed
    field: str | None = None
    changes: dict[str, Any] = dataclasses.field(default_factory=dict)  # the cure as settings by path, for one click
    pending: bool = False  # more is known in a moment: ask again

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


Look = Callable[[RunConfig, Settings], Iterator[Note]]


@contextmanager
def concerning(field: str) -> Iterator[None]:
    """Trouble in the block is the trouble of this setting, unless it names another."""
    try:
        yield
    except UserError as error:
        error.field = error.field or field
        raise


def told(look: Look, run: RunConfig, settings: Settings) -> list[Note]:
    try:
        return list(look(run, settings))
    except UserError as error:
        return [Note("stop", error.what, error.why, error.do, error.field)]


def refuse(notes: Iterable[Note]) -> None:
    """Raises UserError with the first of these notes that keeps the run from starting."""
    for note in notes:
        if note.kind == "stop":
            raise UserError(note.title, note.text, note.do, note.field, note.changes)
