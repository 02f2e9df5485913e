"""One run from its first row to its last checkpoint: `execute(run, settings)`.

It knows nothing of how it was started. What it does, what it found and how it ended goes to the store; what the
libraries say goes to the run's train.log; no exception leaves it.

    preparing: tokenising -> downloading -> loading -> first step | running: training | finished, stopped, failed
"""

import gc
import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dfgui.config import RunConfig
from dfgui.data.checks import CHECKS
from dfgui.errors import UserError
from dfgui.models import imports
from dfgui.settings import Settings
from dfgui.store import Store, Writer
from dfgui.training.log import RunLog

logger = logging.getLogger("dfgui")

REPORT_SECONDS = 0.2  # how often a long phase says how far it is
RETRY_SECONDS = 1.0


class Stopped(Exception):
    """Somebody asked the run to stop before its first step."""


def execute(run: str, settings: Settings) -> None:
    """Runs a claimed run to its end. Returns when it is finished, stopped or failed."""
    store = Store(settings.store_path)
    try:
        with RunLog(settings.run_folder(run)):
            config = RunConfig.model_validate(store.runs.get(run)["config"])
            with Writer(store.path, run) as writer:
                # The jail was asked when the run was started; what it names may be read since.
                status, reason, error = _live(config, Phases(run, store, writer), replace(settings, jailed=False))
            insist(lambda: store.runs.move(run, status, reason, error))
            logger.info("%s: %s", status, reason)
    except BaseException as problem:  # no log could be opened, or the config is not of this version
        status, reason, error = _failure(run, problem)
        insist(lambda: store.runs.move(run, status, reason, error))
    _free_memory()


def insist(write: Callable[[], Any]) -> None:
    """Repeats a write until the store takes it: an end that is not recorded would leave the run alive for ever."""
    while True:
        try:
            write()
            return
        except sqlite3.OperationalError as error:
            logger.warning("The store cannot be written (%s); trying again.", error)
            time.sleep(RETRY_SECONDS)


def _live(config: RunConfig, phases: "Phases", settings: Settings) -> tuple[str, str, UserError | None]:
    """Trains, whatever happens. Returns (status, reason in words, error if it failed)."""
    try:
        status, reason = _train(config, phases, settings)
        error = None
    except Stopped:
        status, reason, error = "stopped", "Stopped before the first step; there is no checkpoint.", None
    except BaseException as problem:  # a panic in Rust, as tokenizers may raise, is no Exception
        status, reason, error = _failure(phases.run, problem)
    phases.writer.event("end" if error is None else "error", reason)
    return status, reason, error


def _failure(run: str, problem: BaseException) -> tuple[str, str, UserError]:
    from dfgui.training import failures

    logger.error("Run %s failed", run, exc_info=problem)
    error = failures.explain(problem)
    return "failed", error.what, error


class Phases:
    """Tells the store what a run is doing, and learns from it whether it should stop."""

    def __init__(self, run: str, store: Store, writer: Writer):
        self.run = run
        self.store = store
        self.writer = writer
        self._reported = 0.0

    def begin(self, phase: str) -> None:
        self.stop_if_asked()
        logger.info("%s", phase)
        self.writer.event("phase", f"{phase[0].upper()}{phase[1:]}.")
        self.writer.progress(phase=phase, phase_done=None, phase_total=None, phase_unit=None)

    def counting(self, unit: str) -> Callable[[int, int | None], None]:
        """A function to call with (done, total) while a phase goes on."""

        def report(done: int, total: int | None) -> None:
            if time.monotonic() - self._reported > REPORT_SECONDS:
                self._reported = time.monotonic()
                self.stop_if_asked()
                self.writer.progress(phase_done=done, phase_total=total, phase_unit=unit)

        return report

    def stop_if_asked(self) -> None:
        try:
            waiting = self.store.commands.waiting(self.run)
        except sqlite3.Error as error:  # asked again soon
            logger.warning("Commands could not be read: %s", error)
            return
        if any(command["command"] == "stop" for command in waiting):
            raise Stopped


def _train(config: RunConfig, phases: Phases, settings: Settings) -> tuple[str, str]:
    """The run itself. Returns how it ended: (status, reason in words)."""
    phases.begin("starting TRL")
    with imports.one_at_a_time:  # also what is used further down only: its first import is what can go wrong
        import peft  # noqa: F401
        from transformers import set_seed
        from trl import SFTConfig, SFTTrainer  # noqa: F401

        from dfgui.data import held_out, prepare, rows
        from dfgui.models import chat_template, hardware, load, loaded
        from dfgui.models.backends import trl as backend
        from dfgui.training import callbacks, tracking
        from dfgui.training.methods import sft

    machine = hardware.measure()
    precision = hardware.precision(config.training.precision, machine)
    dtype = hardware.weights_dtype(config.model.dtype, config.method, precision)
    phases.writer.facts(device=hardware.describe(machine), precision=precision, dtype=dtype)

    phases.begin("loading the tokenizer")
    tokenizer = load.tokenizer(config.model, settings, spoken=rows.are_spoken(config.data, settings))
    tokenizer.save_pretrained(settings.run_folder(phases.run) / "tokenizer")  # the base model is asked with it too

    phases.begin("tokenising")
    training = config.training
    prepared = prepare.prepare(
        config.data, tokenizer, training.max_length, training.seed, settings, phases.counting("rows")
    )
    _tell_what_is_trained(prepared, phases)
    held_out.save(settings.run_folder(phases.run), prepared.held_out, prepared.test)

    if load.weights_size(config.model, settings) is None:
        phases.begin("downloading")
    folder = load.fetch(config.model, settings, phases.counting("bytes"))
    phases.writer.facts(base=folder)

    phases.begin("loading")
    loaded.release()
    set_seed(training.seed)  # before an adapter is made, so that equal runs start equal
    model = backend.model(folder, dtype, machine.device, tokenizer)
    marks = chat_template.marks_to_learn(tokenizer, folder, config.model)
    phases.writer.facts(chat_template=chat_template.named(tokenizer), marks=len(marks))
    trainer = sft.trainer(
        config, model, tokenizer, prepared, settings.run_folder(phases.run), machine, precision, marks
    )
    phases.writer.facts(**_parameters(trainer.model))

    tracking.settle(trainer, config, phases.writer, settings)
    obedience = callbacks.Obedience(phases.store, phases.writer)
    trainer.add_callback(callbacks.Recorder(phases.writer))
    trainer.add_callback(obedience)
    phases.stop_if_asked()
    insist(lambda: phases.store.runs.move(phases.run, "running"))
    trainer.train()
    return _ending(trainer.state, obedience)


def _tell_what_is_trained(prepared: Any, phases: Phases) -> None:
    """The numbers behind the run, and a warning for every row that is not trained whole, or that looks wrong."""
    phases.writer.facts(
        rows=prepared.rows,
        train_rows=len(prepared.train),
        eval_rows=len(prepared.eval) if prepared.eval is not None else 0,
        test_rows=len(prepared.test),
        total_tokens=prepared.total_tokens,
        trained_tokens=prepared.trained_tokens,
        cut_rows=len(prepared.cut_rows),
        left_out=len(prepared.left_out),
    )
    if prepared.cut_rows:
        words = f"{len(prepared.cut_rows)} rows are longer than max_length: their end is lost."
        phases.writer.event("warning", words)
        logger.warning(words)
    if prepared.left_out:
        numbers = ", ".join(str(number) for number, _ in prepared.left_out[:10])
        words = f"{len(prepared.left_out)} rows are left out ({prepared.left_out[0][1]}): {numbers}"
        phases.writer.event("warning", words)
        logger.warning(words)
    for check, count in prepared.found.items():
        kind = CHECKS[check]
        if kind.severity == "warning" and not kind.is_about_max_length:  # of that it was told above
            words = f"{kind.title}: {count:,} row{'' if count == 1 else 's'}. {kind.advice}"
            phases.writer.event("warning", words)
            logger.warning(words)


def _parameters(model: Any) -> dict[str, int]:
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return {"trainable_parameters": trainable, "parameters": sum(p.numel() for p in model.parameters())}


def _ending(state: Any, obedience: Any) -> tuple[str, str]:
    if obedience.stopped_by and state.global_step < state.max_steps:
        kept = f"checkpoint {state.global_step} is kept"
        return "stopped", f"Stopped by {obedience.stopped_by} at step {state.global_step} of {state.max_steps}; {kept}."
    return "finished", f"All {state.global_step} steps are done."


def _free_memory() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
