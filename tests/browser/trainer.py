"""A run that trains nothing: a thread that writes to the store as a trainer does, and obeys its commands.

Pages cannot tell it from a real one, and a test decides when its next step comes.
"""

import os
import threading
import time

from dfgui.config import RunConfig
from dfgui.store import Store, Writer
from dfgui.store.commands import STOPS

EXECUTOR = f"pid:{os.getpid()}"


def claimed(store: Store, name: str) -> str:
    """A run that this process owns."""
    run = store.runs.create(RunConfig(name=name), EXECUTOR)
    assert store.runs.claim(EXECUTOR) == run, "another run holds the queue"
    return run


OUTCOMES = {  # as training/obedience.py answers
    "stop": "saved at step {}",
    "stop-without-checkpoint": "stopped at step {}; nothing was saved",
    "save": "saved at step {}",
    "evaluate": "eval_loss 0.7 at step {}",
    "log": "logged at step {}; the window since the last point was split here",
    "end-epoch": "ended at step {}",
}
SAVING = ("stop", "save")


def values(step: int, max_steps: int) -> dict[str, float]:
    """What TRL logs at a step: a loss that falls."""
    return {
        "loss": 2.0 * 0.98**step + 0.5 + 0.1 * (step % 3),
        "learning_rate": 2e-4 * (1 - step / max_steps),
        "grad_norm": 1.0 + 0.2 * (step % 5),
        "mean_token_accuracy": 1 - 0.5 * 0.98**step,
        "num_tokens": 900.0 * step,
        "epoch": step / 100,
    }


class Trainer:
    """`with Trainer(store) as trainer:` trains at `rate` steps a second until it is left, stopped or through.

    With `goes_on=(run, step)` it is that run, resumed from its checkpoint.
    """

    def __init__(
        self,
        store: Store,
        name: str = "weather-lora",
        rate: float = 10,
        max_steps: int = 600,
        goes_on: tuple[str, int] | None = None,
    ):
        self.store = store
        self.rate = rate
        self.max_steps = max_steps
        self.run = self._resumed(*goes_on) if goes_on else claimed(store, name)
        self.step = self.began = goes_on[1] if goes_on else 0
        self._left = threading.Event()
        self._now = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def _resumed(self, run: str, step: int) -> str:
        assert self.store.runs.resume(run, step, EXECUTOR)
        assert self.store.runs.claim(EXECUTOR) == run, "another run holds the queue"
        self.store.parts.begin(run, step)
        return run

    def __enter__(self) -> "Trainer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self.take_a_step()
        self._thread.join()

    def take_a_step(self) -> None:
        """The next step comes now, whatever the rate."""
        self._now.set()

    def _work(self) -> None:
        with Writer(self.store.path, self.run) as writer:
            writer.progress(max_steps=self.max_steps, num_train_epochs=6.0, phase="first step")
            writer.event("phase", "Training begins.")
            self.store.runs.move(self.run, "running")
            stopped_by = None
            while not (self._left.is_set() or stopped_by) and self.step < self.max_steps:
                stopped_by = self._advance(writer)
                if not stopped_by:
                    self._now.wait(1 / self.rate)
                    self._now.clear()
        self.store.commands.close_all(self.run, self.step, "the run has ended")
        status = "stopped" if stopped_by else "finished"
        reason = f"Stopped by {stopped_by}." if stopped_by else f"All {self.step} steps are done."
        self.store.runs.move(self.run, status, reason)

    def _advance(self, writer: Writer) -> str | None:
        """One step. Returns who asked to stop, if somebody did."""
        self.step += 1
        first = {"first_step_at": time.time()} if self.step == self.began + 1 else {}
        writer.progress(global_step=self.step, epoch=self.step / 100, state=self._state(), **first)
        writer.log(self.step, values(self.step, self.max_steps))
        if self.step % 10 == 0:
            writer.log(self.step, {"eval_loss": 2.0 * 0.98**self.step + 0.6, "eval_mean_token_accuracy": 0.8})
        asked = self.store.commands.waiting(self.run)
        for command in asked:
            writer.take(command["id"], self.step)
        if self.step % 20 == 0 or any(command["command"] in SAVING for command in asked):
            eval_loss = 2.0 * 0.98**self.step + 0.6 if self.step % 20 == 0 else None
            writer.checkpoint(self.step, f"checkpoint-{self.step}", "adapter", 31_400_000, eval_loss)
            writer.event("checkpoint", f"Checkpoint saved at step {self.step}.", self.step)
        for command in asked:
            writer.finish(command["id"], OUTCOMES[command["command"]].format(self.step))
        return next((command["requested_by"] for command in asked if command["command"] in STOPS), None)

    def _state(self) -> dict[str, object]:
        return {
            "max_steps": self.max_steps,
            "num_train_epochs": 6,
            "log_history": self.step,
            "best_metric": 0.7,
            "best_model_checkpoint": "/somewhere/checkpoint-20",
            "is_world_process_zero": True,
            "total_flos": 1.5e12 * self.step,
        }
