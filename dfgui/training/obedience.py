"""The trainer's other ear: `Obedience` does at the end of each step what somebody has asked of the run.

All five flags of TrainerControl are commands. Of several processes the first one reads them and tells the others, so
that all do the same at the same step. No command bends the curve: the dice are put back after an evaluation.
"""

import logging
import sqlite3
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from dfgui.store import Store, Writer
from dfgui.store.commands import COMMANDS, Inbox
from dfgui.training import dice
from dfgui.training.phases import BY_THE_SYSTEM, Place

logger = logging.getLogger("dfgui")


class Obedience(TrainerCallback):
    """Takes commands at the end of each step and answers them when they have taken effect."""

    def __init__(self, store: Store, writer: Writer, place: Place, trainer: Any):
        self.writer = writer
        self.store = store
        self.place = place
        self.trainer = trainer
        self.stopped_by: str | None = None
        self.keeps = True  # whether a stop saves first
        self.commanded = False  # whether the evaluation of this step is one that somebody asked for
        self._inbox = Inbox(store.path, writer.run) if place.ranks.first else None
        self._open: dict[str, list[int]] = {}  # ids of the commands taken and not answered, by what answers them
        self._taken: set[int] = set()
        self._dice: dict[str, Any] | None = None
        self._cut = False  # whether the epoch that ends now was ended by hand

    def close(self) -> None:
        if self._inbox:
            self._inbox.close()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self.commanded = False
        asked = self._new(state)
        for number, name in enumerate(COMMANDS):
            if asked >> number & 1:
                OBEY[name](self, state, control)

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._answer("log", f"logged at step {state.global_step}; the window since the last point was split here")

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, metrics: Any = None, **kwargs: Any
    ) -> None:
        if self._dice:
            dice.put_back(self._dice)
        self._dice = None
        loss = (metrics or {}).get("eval_loss")
        self._answer("evaluate", f"eval_loss {loss:.4g} at step {state.global_step}" if loss is not None else "done")

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        trouble = self.trainer.save_trouble
        at = f"step {state.global_step}"
        self._answer("save", f"could not be saved at {at}: {trouble}" if trouble else f"saved at {at}")

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self.stopped_by and not self.keeps:
            control.should_save = False  # which "by epoch" would do here
        if not self._cut:
            return
        self._cut = False
        self._answer("end-epoch", f"ended at step {state.global_step}")
        if self.trainer.in_last_epoch and not control.should_training_stop:  # TRL would save nothing: it waits for more
            control.should_log = control.should_save = True
            control.should_evaluate = control.should_evaluate or self._evaluates(args)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._answer("stop", f"stopped at step {state.global_step}; nothing was saved")

    def _new(self, state: TrainerState) -> int:
        """What is asked now as one number, a bit for each command: the same in every process."""
        asked = 0
        for command in self._waiting() if self._inbox else []:
            if command["id"] in self._taken:
                continue
            self._taken.add(command["id"])
            self.writer.take(command["id"], state.global_step)
            self._open.setdefault(ANSWERED_BY[command["command"]], []).append(command["id"])
            asked |= 1 << COMMANDS.index(command["command"])
            self._note(command["command"], command["requested_by"], state)
        if self.place.ending.is_set() and not self.stopped_by:
            asked |= 1 << COMMANDS.index("stop")
            self._note("stop", BY_THE_SYSTEM, state)
        return self.place.ranks.agree(asked)

    def _waiting(self) -> list[dict[str, Any]]:
        """Commands to take. A store that cannot be read now is asked again at the next step."""
        try:
            return self._inbox.new() if self._inbox else []
        except sqlite3.Error as error:
            logger.warning("Commands could not be read: %s", error)
            return []

    def _note(self, command: str, by: str, state: TrainerState) -> None:
        if command.startswith("stop"):
            self.stopped_by = by
        self.writer.event("command", f"{TITLES[command]}, asked by {by}.", state.global_step)

    def _stop(self, state: TrainerState, control: TrainerControl) -> None:
        control.should_log = True  # else the points since the last log are lost
        control.should_save = True
        control.should_training_stop = True
        self.stopped_by = self.stopped_by or "another process"

    def _stop_without(self, state: TrainerState, control: TrainerControl) -> None:
        self._stop(state, control)
        self.keeps = control.should_save = False

    def _save(self, state: TrainerState, control: TrainerControl) -> None:
        control.should_save = True

    def _log(self, state: TrainerState, control: TrainerControl) -> None:
        control.should_log = True

    def _evaluate(self, state: TrainerState, control: TrainerControl) -> None:
        if self.trainer.eval_dataset is None:
            return self._answer("evaluate", "there are no held-out rows to evaluate on")
        if not control.should_evaluate:  # one that was due anyway draws from the dice as it does in TRL
            self._dice = dice.keep()
            self.commanded = True
        control.should_evaluate = True
        return None

    def _end_epoch(self, state: TrainerState, control: TrainerControl) -> None:
        control.should_epoch_stop = True
        self.trainer.epochs_cut += 1
        self._cut = True

    def _evaluates(self, args: TrainingArguments) -> bool:
        return str(args.eval_strategy) != "no" and self.trainer.eval_dataset is not None

    def _answer(self, kind: str, outcome: str) -> None:
        for command in self._open.pop(kind, []):
            self.writer.finish(command, outcome)


OBEY = {
    "stop": Obedience._stop,
    "stop-without-checkpoint": Obedience._stop_without,
    "save": Obedience._save,
    "evaluate": Obedience._evaluate,
    "log": Obedience._log,
    "end-epoch": Obedience._end_epoch,
}
ANSWERED_BY = {name: name for name in COMMANDS} | {"stop": "save", "stop-without-checkpoint": "stop"}
TITLES = {
    "stop": "Stop",
    "stop-without-checkpoint": "Stop without a checkpoint",
    "save": "Save now",
    "evaluate": "Evaluate now",
    "log": "Log now",
    "end-epoch": "End this epoch",
}
