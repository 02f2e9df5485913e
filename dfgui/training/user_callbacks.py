"""Callbacks of the user's own, at work in a run.

    attach(trainer, config.callbacks, settings, writer)
    facts of the run: {"callbacks": [{"use": "my.module:Mine", "events": ["on_log", "on_save"]}]}

Each is wrapped, so that a plain class with on_... methods hears all that a TrainerCallback hears, and so that one that
raises is reported, and left out or not, as its `detach` says. It runs where the run does, and is imported only there.
"""

import importlib
import importlib.util
import logging
import os
import sys
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import ExportableState

from dfgui.config import Callback
from dfgui.config.control import ENVIRONMENT, TRAINER
from dfgui.errors import UserError
from dfgui.settings import Settings
from dfgui.store import Writer
from dfgui.training import failures
from dfgui.training.callback_source import EVENTS

logger = logging.getLogger("dfgui")


def attach(trainer: Any, callbacks: list[Callback], settings: Settings, writer: Writer) -> None:
    """Adds them to a trainer that is ready to train. Raises UserError for one that cannot be made."""
    heard = []
    for asked in callbacks:
        own = _made(asked, settings, trainer)
        kind = type(type(own).__name__, (Guarded, *([ExportableState] if isinstance(own, ExportableState) else [])), {})
        guarded = kind(own, asked.use, asked.detach, writer)
        trainer.add_callback(guarded)
        guarded.on_init_end(  # which whoever joins a trainer that is made has missed
            trainer.args, trainer.state, trainer.control, model=trainer.model, processing_class=trainer.processing_class
        )
        heard.append({"use": asked.use, "events": guarded.events()})
    if heard:
        writer.facts(callbacks=heard)


class Guarded(TrainerCallback):
    """Passes every event on to an object of the user's, and deals with what it raises."""

    def __init__(self, own: Any, use: str, detach: bool, writer: Writer):
        self.own = own
        self.use = use
        self.detach = detach
        self.writer = writer
        self.detached = False

    def events(self) -> list[str]:
        """What the object does something about."""
        return [event for event in EVENTS if self._method(event)]

    def state(self) -> dict[str, Any]:
        """What trainer_state.json keeps of an object that has a state to keep."""
        return self.own.state()

    def _method(self, event: str) -> Any:
        inherited = getattr(type(self.own), event, None) is getattr(TrainerCallback, event)
        method = None if inherited else getattr(self.own, event, None)
        return method if callable(method) else None

    def _tell(
        self, event: str, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        method = None if self.detached else self._method(event)
        if method is None:
            return None
        try:
            answer = method(args, state, control, **kwargs)
        except Exception as error:
            self._failed(event, error, state.global_step)
            return None
        return answer if isinstance(answer, TrainerControl) else None  # anything else would break the trainer

    def _failed(self, event: str, error: Exception, step: int) -> None:
        said = _said(error)
        if not self.detach or failures.is_cuda_fault(error):
            self.writer.event("warning", f"The callback {self.use} failed in {event}: {said}", step)
            raise UserError(
                f"The callback {self.use} failed in {event}.",
                said,
                "Correct it, leave it out, or set its detach to true: then a run goes on without it.",
                field="callbacks",
            ) from error
        self.detached = True
        logger.error("The callback %s failed in %s", self.use, event, exc_info=error)
        self.writer.event("warning", f"The callback {self.use} failed in {event} and is left out: {said}", step)


def _passes_on(event: str) -> Any:
    def tell(self: Guarded, *given: Any, **kwargs: Any) -> TrainerControl | None:
        return self._tell(event, *given, **kwargs)

    return tell


for _event in EVENTS:
    setattr(Guarded, _event, _passes_on(_event))


def _made(asked: Callback, settings: Settings, trainer: Any) -> Any:
    """The user's object. What goes wrong here ends the run before its first step, whatever `detach` says."""
    kind = _imported(asked.use, settings)
    values = {name: _value(value, trainer) for name, value in asked.args.items()}
    try:
        return kind(**values) if callable(kind) else kind
    except Exception as error:
        said = f"{type(error).__name__}: {failures.said(error)}"
        raise UserError(
            f"The callback {asked.use} could not be made.", said, "Correct it or its arguments.", "callbacks"
        ) from error


def _imported(use: str, settings: Settings) -> Any:
    place, _, name = use.partition(":")
    try:
        module = _executed(settings.callbacks / place) if place.endswith(".py") else importlib.import_module(place)
        return getattr(module, name)
    except Exception as error:
        said = f"{type(error).__name__}: {failures.said(error)}"
        raise UserError(
            f"The callback {use} could not be imported.", said, "Correct it, or leave it out.", "callbacks"
        ) from error


def _executed(path: Path) -> Any:
    """A file as a module, afresh for each run, so that what was edited counts."""
    name = f"dfgui_callbacks_{path.stem.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader  # a file that ends in .py has both
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses and pickle look for a class of it
    spec.loader.exec_module(module)
    return module


def _value(value: Any, trainer: Any) -> Any:
    """An argument as the class gets it."""
    if value == TRAINER:
        return trainer
    if isinstance(value, str) and value.startswith(ENVIRONMENT):
        return os.environ.get(value.removeprefix(ENVIRONMENT))
    return value


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {failures.said(error)}"
