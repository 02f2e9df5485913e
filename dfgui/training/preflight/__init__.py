"""May this run start here, and what will happen? Answered before anything heavy is loaded.

A note is {kind, title, text, do, field, changes, pending}: "ok" is as it should be, "tell" is not known, "warn" asks
for a second look, "stop" keeps the run from starting. `changes` are settings that mend it; one that is `pending` has
more to say in a moment.
What is wrong on every machine is refused by config/ already.
"""

from collections.abc import Iterator
from functools import partial

from dfgui import config
from dfgui.config import RunConfig
from dfgui.integrations import trackers
from dfgui.settings import Settings
from dfgui.training import callback_source
from dfgui.training.preflight import data, layers, machine, model, pace, rate, room, speed
from dfgui.training.preflight.note import Look, Note, concerning, refuse, told

__all__ = ["Note", "concerning", "notes", "require"]


def notes(run: RunConfig, settings: Settings) -> list[Note]:
    """Everything to know before the start, in the order a page shows it. What memory it takes may come later."""
    looks: list[Look] = [data.data, model.model, model.goes_on, machine.engine, machine.precision, machine.optimizer]
    looks += [
        machine.means,
        machine.batch,
        rate.rate,
        room.memory,
        layers.layers,
        speed.speed,
        pace.pace,
        _stopping,
        _callbacks,
        _trackers,
        room.disk,
    ]
    return [note for look in looks for note in told(look, run, settings)]


def require(run: RunConfig, settings: Settings) -> None:
    """Raises UserError with the first thing that keeps this run from starting. Nothing is waited for."""
    looks: list[Look] = [model.model, model.goes_on, data.data, machine.engine, machine.optimizer, machine.precision]
    looks += [machine.means, layers.layers, room.memory_if_known, _callbacks, _trackers, room.disk]
    for look in looks:
        refuse(look(run, settings))


def _stopping(run: RunConfig, settings: Settings) -> Iterator[Note]:
    stopping = run.early_stopping
    if stopping.patience or stopping.load_best_model_at_end:
        wish = "Early stopping" if stopping.patience else "Ending with the best"
        yield Note("ok", wish, _when_it_stops(stopping))


def _when_it_stops(stopping: config.EarlyStopping) -> str:
    more = f" by more than {stopping.threshold:g}" if stopping.threshold else ""
    times = "1 evaluation" if stopping.patience == 1 else f"{stopping.patience} evaluations"
    after = f"After {times} in which {stopping.metric} has not improved{more}." if stopping.patience else ""
    best = f"At the end the weights are those of the checkpoint with the best {stopping.metric}."
    return " ".join(part for part in (after, best if stopping.load_best_model_at_end else "") if part)


def _callbacks(run: RunConfig, settings: Settings) -> Iterator[Note]:
    for asked in run.callbacks:
        yield from told(partial(_callback, asked), run, settings)


def _callback(asked: config.Callback, run: RunConfig, settings: Settings) -> Iterator[Note]:
    yield Note("ok", "Callback", f"{asked.use} {callback_source.require(asked, settings).hears()}")


def _trackers(run: RunConfig, settings: Settings) -> Iterator[Note]:
    for lack in trackers.lacks(run, settings):
        yield Note(lack.kind, lack.what, lack.why, lack.do, "trackers")
