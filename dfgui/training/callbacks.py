"""The trainer's ears: `Recorder` writes what happens to the store, `Obedience` does what the store asks.

Both only hand things to the writer thread, so a step waits for neither the disk nor a lock.
"""

import logging
import os
import sqlite3
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from dfgui.artifacts import checkpoints
from dfgui.store import Store, Writer

logger = logging.getLogger("dfgui")

SUMMARY = ("train_runtime", "train_samples_per_second", "train_steps_per_second", "total_flos", "train_loss")


class Recorder(TrainerCallback):
    """Writes progress, logs and checkpoints of one run."""

    def __init__(self, writer: Writer):
        self.writer = writer
        self.eval_loss: dict[int, float] = {}  # global_step -> eval_loss, to stand beside a checkpoint

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.writer.progress(
            max_steps=state.max_steps,
            num_train_epochs=args.num_train_epochs,
            phase="first step",
            phase_done=None,
            phase_total=None,
        )

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        fields: dict[str, Any] = {"global_step": state.global_step, "epoch": state.epoch}
        if state.global_step == 1:
            fields |= {"first_step_at": time.time(), "phase": "training"}
        self.writer.progress(**fields)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        logs = dict(logs or {})
        if "train_loss" in logs:  # the summary at the end
            self.writer.progress(train_loss=logs["train_loss"])
            return
        self.writer.log(state.global_step, {name: value for name, value in logs.items() if name not in SUMMARY})
        if "eval_loss" in logs:
            self.eval_loss[state.global_step] = logs["eval_loss"]
            self.writer.progress(eval_loss=logs["eval_loss"])

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Records the new checkpoint once it is on the disk, and what rotation has left of the older ones."""
        folder = Path(args.output_dir or "") / f"checkpoint-{state.global_step}"
        sync(folder)
        found = checkpoints.inside(folder.parent)
        self.writer.rotated([one.step for one in found])
        saved = next((one for one in found if one.step == state.global_step), None)
        if saved is None or not saved.complete:
            self.writer.event("warning", f"Checkpoint {state.global_step} is not complete.", state.global_step)
            return
        self.writer.checkpoint(
            saved.step, saved.path.name, saved.kind, saved.bytes, self.eval_loss.get(state.global_step)
        )
        self.writer.event("checkpoint", f"Checkpoint saved at step {saved.step}.", saved.step)


class Obedience(TrainerCallback):
    """Takes commands at the end of each step and answers them when they have taken effect."""

    def __init__(self, store: Store, writer: Writer):
        self.store = store
        self.writer = writer
        self.stopped_by: str | None = None
        self.saving: list[int] = []  # ids of save commands that wait for on_save
        self.taken: set[int] = set()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        for command in self._waiting():
            if command["id"] not in self.taken:
                self.taken.add(command["id"])
                self.writer.take(command["id"], state.global_step)
                self._obey(command, state, control)

    def _waiting(self) -> list[dict[str, Any]]:
        """Commands to take. A store that cannot be read now is asked again at the next step."""
        try:
            return self.store.commands.waiting(self.writer.run)
        except sqlite3.Error as error:
            logger.warning("Commands could not be read: %s", error)
            return []

    def _obey(self, command: dict[str, Any], state: TrainerState, control: TrainerControl) -> None:
        control.should_save = True
        self.saving.append(command["id"])
        if command["command"] == "stop":
            control.should_log = True  # else the points since the last log are lost
            control.should_training_stop = True
            self.stopped_by = command["requested_by"]
            self.writer.event("command", f"Stop, asked by {self.stopped_by}.", state.global_step)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        for command in self.saving:
            self.writer.finish(command, f"saved at step {state.global_step}")
        self.saving.clear()


def sync(folder: Path) -> None:
    """Brings a folder's files to the disk, so that a power cut cannot leave a checkpoint half written."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    for path in files if os.name == "nt" else [*files, folder]:  # Windows opens no folder
        descriptor = os.open(path, os.O_RDONLY if path == folder else os.O_RDWR)  # and syncs what may be written
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
