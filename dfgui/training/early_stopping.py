"""Early stopping: ends a run when its evaluations get no better, and tells what it ended with.

    early_stopping.attach(trainer, config.early_stopping)            before train()
    early_stopping.ending("finished", "All 120 steps are done.", trainer)
    -> ("finished", "Stopped early at step 120 of 400: eval_loss had not improved by more than 0.01 for 3 evaluations; "
                    "best 0.71 at step 60.")

It stops where transformers' own EarlyStoppingCallback would. Evaluations that a person asked for in between are not
counted, neither for the run nor against it.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import EarlyStoppingCallback, TrainerControl, TrainerState, TrainingArguments

from dfgui.config import EarlyStopping


class Stopper(EarlyStoppingCallback):
    """transformers' callback with a best value of its own, which goes on where a checkpoint left it."""

    def __init__(
        self,
        early_stopping_patience: int = 1,
        early_stopping_threshold: float = 0.0,
        is_commanded: Callable[[], bool] = lambda: False,
    ):
        super().__init__(early_stopping_patience, early_stopping_threshold)
        self.is_commanded = is_commanded  # whether the evaluation that has just ended was asked for by a person
        self.best: float | None = None  # of the evaluations that count
        self.stopped_at: int | None = None

    def state(self) -> dict[str, Any]:
        """What trainer_state.json keeps of it."""
        kept = super().state()
        kept["attributes"]["best"] = self.best
        return kept

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Takes its count from the checkpoint that a resumed run goes on from.

        `restore_callback_states_from_checkpoint` would make a new callback instead, without what this one was given.
        """
        states: Any = state.stateful_callbacks or {}  # by name of the class
        for name, value in states.get(type(self).__name__, {}).get("attributes", {}).items():
            setattr(self, name, value)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, metrics: Any = None, **kwargs: Any
    ) -> None:
        if self.is_commanded():
            return
        super().on_evaluate(args, state, control, metrics, **kwargs)
        ends = self.early_stopping_patience_counter >= self.early_stopping_patience
        if ends and state.global_step < state.max_steps:
            self.stopped_at = state.global_step
            control.should_save = True  # as at every other end: the last step stays

    def check_metric_value(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, metric_value: float
    ) -> None:
        """As transformers does it, but against the best of the evaluations that count. NaN is no improvement."""
        sign = 1 if args.greater_is_better else -1
        gain = math.inf if self.best is None else sign * (metric_value - self.best)
        if not math.isfinite(metric_value):
            gain = -math.inf
        better = gain > (self.early_stopping_threshold or 0) and gain > 0
        self.early_stopping_patience_counter = 0 if better else self.early_stopping_patience_counter + 1
        if gain > 0:
            self.best = metric_value


def attach(trainer: Any, stopping: EarlyStopping, is_commanded: Callable[[], bool] = lambda: False) -> "Stopper | None":
    """Adds the callback, if the run asks for it."""
    if not stopping.patience:
        return None
    stopper = Stopper(stopping.patience, stopping.threshold, is_commanded)
    trainer.add_callback(stopper)
    return stopper


def ending(status: str, reason: str, trainer: Any) -> tuple[str, str]:
    """How the run ended, once more: early, if it did, and with which checkpoint's weights, if not with its last."""
    stopper = next((one for one in trainer.callback_handler.callbacks if isinstance(one, Stopper)), None)
    if status == "finished" and stopper and stopper.stopped_at:
        reason = _early(stopper, trainer.args, trainer.state)
    if restored := ended_with(trainer):
        reason += f" The weights at the end are those of checkpoint {restored}."
    return status, reason


def ended_with(trainer: Any) -> int | None:
    """The step of the checkpoint whose weights the trainer went back to; None where it kept its last."""
    best = trainer.state.best_model_checkpoint
    return int(Path(best).name.split("-")[1]) if trainer.args.load_best_model_at_end and best else None


def _early(stopper: Stopper, args: TrainingArguments, state: TrainerState) -> str:
    by = f" by more than {stopper.early_stopping_threshold:g}" if stopper.early_stopping_threshold else ""
    count = stopper.early_stopping_patience
    best = ""
    if state.best_global_step:
        best = f"; best {state.best_metric:.3g} at step {state.best_global_step}"
    return (
        f"Stopped early at step {stopper.stopped_at} of {state.max_steps}: {args.metric_for_best_model} had not "
        f"improved{by} for {count} evaluation{'' if count == 1 else 's'}{best}."
    )
