"""The trainer's ear for DeepFabric: hands each event to the run's writer, and never touches the network."""

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from dfgui.integrations.deepfabric import events
from dfgui.store import Writer


class DeepFabricEvents(TrainerCallback):
    """Of several processes the first speaks. A part of a run that was resumed says run_start again, of the same run."""

    def __init__(self, writer: Writer, model_name: str):
        self.writer = writer
        self.run = writer.run
        self.model_name = model_name

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if state.is_world_process_zero:
            self.writer.outbox("run_start", events.run_start(self.run, self.model_name, args, state))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Everything that is logged but evaluations: those are told by on_evaluate."""
        found = {name: value for name, value in (logs or {}).items() if not name.startswith("eval_")}
        if found.keys() - {"epoch"}:
            self._measured("log", state, found)

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self._measured("eval", state, metrics or {})

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._measured("checkpoint", state, {"checkpoint_step": state.global_step})

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if state.is_world_process_zero:
            self.writer.outbox("run_end", events.run_end(self.run, state))

    def _measured(self, kind: str, state: TrainerState, values: dict[str, Any]) -> None:
        if state.is_world_process_zero:
            self.writer.outbox("metrics", events.metrics(self.run, kind, state, values))
