"""Whether a run of a model fits here, and how long it takes: for a badge beside its name, before it is chosen."""

from dataclasses import dataclass

from dfgui.config import RunConfig
from dfgui.settings import Settings
from dfgui.training.preflight import pace, room
from dfgui.training.preflight.note import Note
from dfgui.training.preflight.pace import Pace


@dataclass(frozen=True)
class Fit:
    """None where nobody knows; `pending`: more is known in a moment, ask again."""

    memory: Note | None = None
    pace: Pace | None = None

    @property
    def pending(self) -> bool:
        return self.memory is not None and self.memory.pending


def fit(run: RunConfig, settings: Settings, begin: bool = True) -> Fit:
    """`begin`: whether to measure a model that nobody has measured yet. Raises UserError where rows cannot be read."""
    notes = list(room.memory(run, settings) if begin else room.memory_if_known(run, settings))
    return Fit(notes[0] if notes else None, pace.estimate(run, settings))
