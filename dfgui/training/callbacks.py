"""The trainer's ears: `Recorder` writes what happens to the store, `Gauge` its memory, `Keeper` what lies on the disk.

Both only hand things to the writer thread, so a step waits for neither the disk nor a lock. A checkpoint alone is
waited for: it counts once it lies on the disk. What the trainer is asked to do in between is obedience.py's.
"""

import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_utils import has_length

from dfgui.artifacts import checkpoints
from dfgui.store import Store, Writer
from dfgui.training import window
from dfgui.training.memory import Peak

MORE = 1.01  # times what was told last is worth telling
GAUGED_SECONDS = 2.0  # at least, between two looks at the memory
TOLD_SECONDS = 0.5  # how often an evaluation says how far it is
SUMMARY = ("train_runtime", "train_samples_per_second", "train_steps_per_second", "total_flos", "train_loss")
NOT_TOLD = ("log_history", "stateful_callbacks", "trial_params", "trial_name", "is_hyper_param_search")
TOLD = [field.name for field in fields(TrainerState) if field.name not in NOT_TOLD]


class Recorder(TrainerCallback):
    """Writes progress, logs and TrainerState of one run."""

    def __init__(self, writer: Writer, trainer: Any):
        self.writer = writer
        self.trainer = trainer

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        state.logging_steps, state.save_steps = int(args.logging_steps), int(args.save_steps)
        state.eval_steps = int(args.eval_steps or args.logging_steps)  # else those of the checkpoint would count
        if self.trainer.goes_on_from:
            window.restore(self.trainer, self.trainer.goes_on_from)
        self.writer.progress(
            max_steps=state.max_steps,
            num_train_epochs=args.num_train_epochs,
            phase="first step",
            phase_done=None,
            phase_total=None,
            state=telling(state),
        )
        self.writer.facts(rows_per_step=args.train_batch_size * args.gradient_accumulation_steps * args.world_size)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        progress: dict[str, Any] = {"global_step": state.global_step, "epoch": state.epoch}
        if not self._begun:
            self._begun = True
            progress |= {"first_step_at": time.time(), "phase": "training"}
        self.writer.progress(**progress)

    _begun = False

    def on_prediction_step(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        eval_dataloader: Any = None,
        **kwargs: Any,
    ) -> None:
        """One batch of held-out rows is done; an evaluation may take longer than many steps."""
        self._evaluated += 1
        if time.monotonic() - self._told_at > TOLD_SECONDS:
            self._told_at = time.monotonic()
            total = len(eval_dataloader) if has_length(eval_dataloader) else None
            self.writer.progress(
                phase="evaluating", phase_done=self._evaluated, phase_total=total, phase_unit="batches"
            )

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._evaluated, self._told_at = 0, 0.0
        self.writer.progress(phase="training", phase_done=None, phase_total=None, phase_unit=None)

    _evaluated = 0
    _told_at = 0.0

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        logs = logs or {}
        progress = {name: logs[name] for name in ("train_loss", "eval_loss") if name in logs}
        self.writer.progress(state=telling(state), **progress)
        if "train_loss" not in logs:  # the summary at the end
            self.writer.log(state.global_step, {name: value for name, value in logs.items() if name not in SUMMARY})

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.writer.progress(state=telling(state))


def telling(state: TrainerState) -> Callable[[], dict[str, Any]]:
    """A function that tells TrainerState as it is now; putting it together is not the trainer's work."""
    now, logged = dict(vars(state)), len(state.log_history)
    return lambda: {name: now[name] for name in TOLD} | {"log_history": logged}


class Gauge(TrainerCallback):
    """Tells, with each log, the most memory that the run has taken so far, to stand beside what was estimated."""

    def __init__(self, writer: Writer, peak: Peak):
        self.writer = writer
        self.peak = peak
        self._told: dict[str, int] = {}
        self._next = 0.0

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if (now := time.monotonic()) < self._next:  # to ask the system costs more than all else that a log does
            return
        self._next = now + GAUGED_SECONDS
        taken = self.peak.taken()
        if any(size > MORE * self._told.get(name, 0) for name, size in taken.items()):
            self._tell(taken)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._tell(self.peak.taken())

    def _tell(self, taken: dict[str, int]) -> None:
        self._told = taken
        self.writer.facts(memory_peak=taken)


class Keeper(TrainerCallback):
    """Records a checkpoint once it is whole and on the disk, then deletes what is more than `save_total_limit` allows.

    TRL's own rotation is not asked: it may delete the one before the new one is on the disk, or one that is read.
    """

    def __init__(self, store: Store, writer: Writer, trainer: Any, save_total_limit: int):
        self.store = store
        self.writer = writer
        self.trainer = trainer
        self.limit = save_total_limit
        self.eval_loss: dict[int, float] = {}  # global_step -> eval_loss, to stand beside a checkpoint

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, metrics: Any = None, **kwargs: Any
    ) -> None:
        if "eval_loss" in (metrics or {}):
            self.eval_loss[state.global_step] = metrics["eval_loss"]

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if not args.should_save:  # another process wrote it
            return
        if self.trainer.save_trouble:
            words = f"Checkpoint {state.global_step} could not be saved: {self.trainer.save_trouble}. Training goes on."
            self.writer.event("warning", words, state.global_step)
            return
        folder = Path(args.output_dir or "") / f"checkpoint-{state.global_step}"
        checkpoints.sync(folder)
        saved = checkpoints.describe(folder)
        if not saved.complete:
            words = f"Checkpoint {state.global_step} is not complete: {saved.problem}."
            self.writer.event("warning", words, state.global_step)
            return
        self.writer.checkpoint(
            saved.step, saved.path.name, saved.kind, saved.bytes, self.eval_loss.get(state.global_step)
        )
        self.writer.event("checkpoint", f"Checkpoint saved at step {saved.step}.", saved.step)
        if self.limit:
            self._rotate(folder, state)

    def _rotate(self, newest: Path, state: TrainerState) -> None:
        """Keeps the newest ones, the best, and besides them what somebody wants to keep or reads just now."""
        if not self.writer.flush(FLUSH_SECONDS):  # what the store does not know yet must not be deleted
            return
        known = self.store.checkpoints.of(self.writer.run)
        best = Path(state.best_model_checkpoint or "").name
        stay = [row["step"] for row in known if row["best"] or row["path"] in (best, newest.name)]
        others = [row["step"] for row in reversed(known) if row["step"] not in stay and not row["kept"]]
        stay += others[: max(self.limit - len(stay), 0)]
        self.store.holds.of(self.writer.run)  # lets go what a process that is gone had held
        for row in known:
            # Forgotten first, so that it is offered to nobody; the store says no where it is kept or held by now.
            if row["step"] not in stay and self.store.checkpoints.forget(self.writer.run, row["step"]):
                checkpoints.remove(newest.parent / row["path"])


FLUSH_SECONDS = 5.0
