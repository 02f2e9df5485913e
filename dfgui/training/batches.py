"""The batches since the last log. Which rows of the dataset they held is found out only when something went wrong.

    batches.attach(trainer, prepared)
    FloatingPointError: The loss is nan at step 12, at a learning rate of 0.01, first in a batch of rows 3, 17, 20.

A step is not slowed by it: only references are kept, and nothing is read from the GPU while all is well.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from dfgui.training.failures import BATCH

KEPT = 64  # batches
NAMED = 10  # row numbers in a sentence


def attach(trainer: Any, prepared: Any) -> "Batches":
    """Listens to a trainer of these rows from its next step on."""
    batches = Batches(trainer, prepared.train, prepared.numbers)
    trainer.add_callback(batches)
    return batches


class Batches(TrainerCallback):
    """Ends a run whose loss is no number, and says of any error in a step which rows it happened with."""

    def __init__(self, trainer: Any, train: Any, numbers: list[int]):
        self.recent: deque[tuple[Any, Any, Any]] = deque(maxlen=KEPT)  # input_ids, what tells rows apart, loss
        self._train = train  # as it was before packing
        self._numbers = numbers  # of its rows, in the dataset as a person counts
        self._step = trainer.training_step
        trainer.training_step = self._training_step

    def _training_step(self, model: Any, inputs: dict[str, Any], *given: Any, **named: Any) -> Any:
        ids = inputs.get("input_ids")
        split = inputs.get("position_ids"), inputs.get("attention_mask")
        try:
            loss = self._step(model, inputs, *given, **named)
        except Exception as error:
            with suppress(Exception):  # a GPU in trouble gives nothing back
                error.add_note(self._told(error, ids, split, model))
            raise
        self.recent.append((ids, split, loss))
        return loss

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if logs is None or "loss" not in logs:
            return
        loss, rate = logs["loss"], logs.get("learning_rate")
        if not math.isfinite(loss):
            at = "" if rate is None else f", at a learning rate of {rate:g}"
            numbers = self.rows(self._suspects())
            where = f", first in a batch of {_listed(numbers)}" if numbers else ""
            raise FloatingPointError(f"The loss is {loss} at step {state.global_step}{at}{where}.")
        self.recent.clear()

    def rows(self, batches: Iterable[tuple[Any, Any]]) -> list[int]:
        """The numbers of the rows in these batches of (input_ids, what tells rows apart)."""
        wanted = {row for ids, split in batches for row in _sequences(ids, split)}
        found: dict[tuple[int, ...], int] = {}
        at = 0
        for part in self._train.iter(batch_size=1000):
            for ids in part["input_ids"]:
                if len(found) == len(wanted):
                    return sorted(found.values())
                if (row := tuple(ids)) in wanted and row not in found:
                    found[row] = self._numbers[at]
                at += 1
        return sorted(found.values())

    def _suspects(self) -> list[tuple[Any, Any]]:
        """The first batch whose own loss is no number, else all."""
        bad = [(ids, split) for ids, split, loss in self.recent if not math.isfinite(float(loss))]
        return bad[:1] or [(ids, split) for ids, split, _ in self.recent]

    def _told(self, error: Exception, ids: Any, split: Any, model: Any) -> str:
        told = f"{BATCH} {_listed(self.rows([(ids, split)]))}."
        if isinstance(error, IndexError):
            known = model.get_input_embeddings().num_embeddings
            told += f" Its largest token id is {int(ids.max())}; the model knows ids up to {known - 1}."
        return told


def _sequences(ids: Any, split: tuple[Any, Any]) -> Iterator[tuple[int, ...]]:
    """The rows in a batch, without padding, and apart where several were packed into one sequence."""
    positions, mask = ([None] * len(ids) if part is None else part.tolist() for part in split)
    for sequence, position, real in zip(ids.tolist(), positions, mask, strict=True):
        row: list[int] = []
        for at, token in enumerate(sequence):
            if position and position[at] == 0 and row:
                yield tuple(row)
                row = []
            if real is None or real[at]:
                row.append(token)
        if row:
            yield tuple(row)


def _listed(numbers: list[int]) -> str:
    """ "rows 3, 17, 20", "row 3", "rows 1, 2, ... and 54 more"."""
    more = f" and {len(numbers) - NAMED} more" if len(numbers) > NAMED else ""
    return f"row{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers[:NAMED]))}{more}"
