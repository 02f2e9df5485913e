"""Between a run and its trackers: each gets its place, and one that fails is told and left out; the run goes on.

trackers.report_to(run, folder)  ->  SFTConfig  ->  SFTTrainer makes transformers' own callbacks
settle(trainer, run, writer, settings)             puts a Tracked around each, and adds DeepFabric's
"""

import logging
from functools import partial
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.integrations import TensorBoardCallback, TrackioCallback, WandbCallback

from dfgui.config import RunConfig
from dfgui.integrations import trackers
from dfgui.integrations.deepfabric.callback import DeepFabricEvents
from dfgui.settings import Settings
from dfgui.store import Writer

logger = logging.getLogger("dfgui")

INIT_SECONDS = 30  # until W&B counts as out of reach
EVENTS = [name for name in dir(TrainerCallback) if name.startswith("on_")]


def settle(trainer: Any, run: RunConfig, writer: Writer, settings: Settings) -> None:
    """Gives the trackers of a run their places, and writes down where to look."""
    folder = settings.run_folder(writer.run)
    handler = trainer.callback_handler
    kinds = {TensorBoardCallback: InFiles, WandbCallback: InWandb, TrackioCallback: InTrackio}
    handler.callbacks = [
        kinds[type(one)](one, writer, folder, settings) if type(one) in kinds else one for one in handler.callbacks
    ]
    if "deepfabric" in run.trackers:
        trainer.add_callback(DeepFabricEvents(writer, run.model.name))
    if run.trackers:
        writer.facts(tracked=trackers.places(run, folder, settings))


class Tracked(TrainerCallback):
    """A tracker's own callback, kept from ending a run: what it raises is told, and it is not called again."""

    title = ""

    def __init__(self, inner: TrainerCallback, writer: Writer, folder: Path, settings: Settings):
        self.inner: Any = inner
        self.writer = writer
        self.folder = folder
        self.settings = settings
        self.left_out = False
        for event in EVENTS:
            setattr(self, event, partial(self._tell, event))

    def begin(self, args: TrainingArguments) -> None:
        """Before the tracker hears that the training begins."""

    def end(self) -> None:
        """After it has heard that the training has ended."""

    def _tell(
        self, event: str, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self.left_out:
            return
        edge = event if state.is_world_process_zero else ""
        try:
            if edge == "on_train_begin":
                self.begin(args)
            getattr(self.inner, event)(args, state, control, **kwargs)
            if edge == "on_train_end":
                self.end()
        except Exception as error:
            self.left_out = True
            logger.warning("%s is left out", self.title, exc_info=error)
            said = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
            words = f"{self.title} failed and is left out; the run goes on. It said: {said[:200]}"
            self.writer.event("warning", words, state.global_step)


class InFiles(Tracked):
    """TensorBoard: event files in the run's own folder."""

    title = trackers.TITLES["tensorboard"]

    def begin(self, args: TrainingArguments) -> None:
        self.inner.logging_dir = str(self.folder / "tensorboard")


class InWandb(Tracked):
    """W&B: a run there for each of ours, with files in the run's own folder. It is opened here, for the key's sake."""

    title = trackers.TITLES["wandb"]

    def begin(self, args: TrainingArguments) -> None:
        import wandb

        own = self.settings.wandb
        if wandb.run is not None:  # of a run of this process that broke off
            wandb.finish(exit_code=1)
        quiet = wandb.Settings(
            api_key=own.key,
            base_url=own.url,
            console="off",  # what this process prints is not all the run's
            disable_code=True,
            disable_git=True,
            init_timeout=INIT_SECONDS,
        )
        same = {"id": self.writer.run, "resume": "allow"}  # a run that is resumed here goes on there
        opened = wandb.init(project=own.project, name=args.run_name, dir=str(self.folder), settings=quiet, **same)
        if opened.url:
            self.writer.facts(tracked={self.title: opened.url})

    def end(self) -> None:
        import wandb

        wandb.finish()


class InTrackio(Tracked):
    """Trackio: a database in the home, where the runs can be compared."""

    title = trackers.TITLES["trackio"]
