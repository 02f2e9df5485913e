"""TRL's SFTTrainer with the few things that a run which may be stopped, resumed and short of disk needs.

It trains as SFTTrainer does, number for number. Beyond that a checkpoint remembers its logging window (window.py), a
full disk costs a checkpoint and not the run, and an epoch that was ended by hand is not trained again after a resume.
"""

import logging
import shutil
from pathlib import Path
from typing import Any

import torch
from trl import SFTTrainer

from dfgui.artifacts import folders
from dfgui.training import window

logger = logging.getLogger("dfgui")

# Of several processes on a CPU each is on "cpu:0", which torch cannot read an optimiser's state back to.
torch.serialization.register_package(
    5, lambda storage: None, lambda storage, place: storage if place.startswith("cpu:") else None
)


class Trainer(SFTTrainer):
    save_trouble = ""  # why the last checkpoint could not be written
    epochs_cut = 0  # epochs that were ended before their last row
    goes_on_from: Path | None = None
    dice_of_epoch: Any = None  # torch's random state as the epoch began
    _epoch = 0
    _batches_in_epoch = 1

    @property
    def in_last_epoch(self) -> bool:
        return self._epoch + 1 >= self.state.num_train_epochs

    def train_on(self, checkpoint: Path | None) -> None:
        """Trains from the beginning, or from where a checkpoint stood."""
        self.goes_on_from = checkpoint
        self.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)

    def _init_training_state(self, *args: Any, **kwargs: Any) -> tuple[int, int]:
        """(epochs done, batches done in this one): where epochs were ended by hand, steps do not tell."""
        counted = super()._init_training_state(*args, **kwargs)
        stood = window.read(self.goes_on_from)
        self.epochs_cut = stood.get("epochs_cut", 0)
        return (stood["epoch"], stood["batches"]) if self.epochs_cut else counted

    def _run_epoch(self, **given: Any) -> Any:  # type: ignore[override]
        """One epoch. Rows ordered by length are drawn as it begins: one that goes on draws as it did then."""
        self._epoch, self._batches_in_epoch = given["epoch"], given["steps_in_epoch"]
        begun = given["epoch"] == given["epochs_trained"] and given["steps_trained_in_current_epoch"] > 0
        if begun and (dice := window.dice_of_epoch(self.goes_on_from)) is not None:
            torch.set_rng_state(dice)
        self.dice_of_epoch = torch.get_rng_state()
        return super()._run_epoch(**given)

    def place_in_data(self) -> tuple[int, int]:
        """(epoch, batches of it that are done): where a run that goes on from here begins."""
        if self.control.should_epoch_stop:
            return self._epoch + 1, 0
        return self._epoch, round(((self.state.epoch or 0) - self._epoch) * self._batches_in_epoch)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """A checkpoint that cannot be written is told (training/callbacks.py), and the run goes on without it."""
        self.save_trouble = ""
        folder = Path(self.args.output_dir or "") / f"checkpoint-{self.state.global_step}"
        stands = window.standing(self)
        try:
            super()._save_checkpoint(model, trial)
            if self.args.should_save:
                window.save(stands, folder)
        except Exception as error:
            self.save_trouble = folders.why_not_written(error)
            if not self.save_trouble:
                raise
            logger.warning("Checkpoint %d could not be saved", self.state.global_step, exc_info=error)
            shutil.rmtree(folder, ignore_errors=True)  # what was begun would only take the space that is missing
