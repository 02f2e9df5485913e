"""The work of one run, stage after stage: `train(config, phases, settings)` -> ("finished", "All 60 steps are done.")

    loading the tokenizer -> tokenising -> downloading -> loading -> first step | training

Whoever imports this imports torch and all that trains: worker.py does, once the engine has begun. What each stage finds
is told to the store by `phases`, and a stop is heard between any two of them.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peft  # noqa: F401  what is used further down only: its first import is what can go wrong
from transformers import set_seed
from trl import SFTConfig, SFTTrainer  # noqa: F401

from dfgui.artifacts import checkpoints
from dfgui.config import RunConfig
from dfgui.data import held_out, prepare, rows
from dfgui.data.checks import CHECKS
from dfgui.errors import UserError
from dfgui.models import backends, chat_template, earlier, hardware, load, loaded
from dfgui.models import base as bases
from dfgui.models.hardware import Hardware, Precision
from dfgui.settings import Settings
from dfgui.store.insistence import insist
from dfgui.training import (
    batches,
    callbacks,
    choices,
    early_stopping,
    engine,
    memory,
    methods,
    obedience,
    sft,
    tracking,
    user_callbacks,
)
from dfgui.training.phases import Phases
from dfgui.training.preflight import pace, room

logger = logging.getLogger("dfgui")


@dataclass(frozen=True)
class Here:
    """What the machine decides of a run."""

    machine: Hardware
    precision: Precision
    dtype: str  # in which weights are held


def train(config: RunConfig, phases: Phases, settings: Settings) -> tuple[str, str]:
    """Returns how it ended: (status, reason in words). Raises Stopped, or whatever went wrong."""
    here = _measured(config, phases)
    folder = settings.run_folder(phases.run)
    sft.require_arguments(config, folder, here.machine, here.precision)
    tokenizer = _tokenizer(config, phases, settings, folder)
    prepared = _tokenised(config, phases, settings, folder, tokenizer)
    base = _fetched(config, phases, settings)
    config = choices.settle(config, phases, settings, prepared, base, here.machine)

    phases.begin("loading")
    loaded.release()
    peak = memory.Peak(here.machine.device)
    estimated = _expected(config, phases, settings, prepared)
    trainer = _loaded(config, phases, settings, base, here, tokenizer, prepared)
    tracking.settle(trainer, config, phases.writer, settings)
    obeys = _attached(trainer, config, phases, settings, peak, prepared)
    phases.stop_if_asked()
    checkpoint = _goes_on_from(phases, folder)
    if phases.place.ranks.first:
        insist(lambda: phases.store.runs.move(phases.run, "running"))
    phases.place.trains = True
    trainer.train_on(checkpoint)
    obeys.close()
    # The model's shape may have been measured meanwhile, if a page asked for it just before the start.
    if estimated := estimated or room.estimate(config, settings, prepared.longest):
        phases.writer.facts(memory_estimate=estimated.facts())
    return early_stopping.ending(*_ending(trainer, obeys), trainer)


def _measured(config: RunConfig, phases: Phases) -> Here:
    machine = hardware.measure()
    precision = hardware.precision(config.training.precision, machine)
    dtype = hardware.weights_dtype(config.model.dtype, methods.as_loaded(config).method, precision)
    phases.writer.facts(device=hardware.describe(machine), device_type=machine.device, precision=precision, dtype=dtype)
    return Here(machine, precision, dtype)


def _tokenizer(config: RunConfig, phases: Phases, settings: Settings, folder: Path) -> Any:
    phases.begin("loading the tokenizer")
    spoken = rows.are_spoken(config.data, settings)
    tokenizer = phases.patiently(lambda going: load.tokenizer(config.model, settings, spoken=spoken))
    if phases.place.ranks.first:
        tokenizer.save_pretrained(folder / "tokenizer")  # the base model is asked with it too
    return tokenizer


def _tokenised(config: RunConfig, phases: Phases, settings: Settings, folder: Path, tokenizer: Any) -> Any:
    """The rows as the trainer is given them; those that are held out are kept beside the run."""
    phases.begin("tokenising")
    training = config.training
    prepared = prepare.prepare(
        config.data, tokenizer, training.max_length, training.seed, settings, phases.counting("rows")
    )
    _tell_what_is_trained(prepared, phases)
    _require_the_same_rows(prepared, phases)
    if phases.place.ranks.first:
        held_out.save(folder, prepared.held_out, prepared.test)
    return prepared


def _fetched(config: RunConfig, phases: Phases, settings: Settings) -> str:
    """The folder of the weights. A resume needs those that it began from."""
    if load.weights_size(config.model, settings) is None:
        phases.begin("downloading")
    base = phases.patiently(lambda going: load.fetch(config.model, settings, going(phases.counting("bytes"))))
    fingerprint = bases.require_the_same(phases.store.runs.get(phases.run), Path(base))
    phases.writer.facts(base=base, base_print=fingerprint, **earlier.facts(config.model.name, settings))
    return base


def _expected(config: RunConfig, phases: Phases, settings: Settings, prepared: Any) -> Any:
    """The memory that the run is estimated to take, None where nobody knows. Raises UserError where it is too much."""
    if estimated := room.estimate(config, settings, prepared.longest):
        room.require(config, settings, estimated)
    if expected := pace.estimate(config, settings):
        phases.writer.facts(time_estimate=round(expected.seconds, 1))
    return estimated


def _loaded(
    config: RunConfig, phases: Phases, settings: Settings, base: str, here: Here, tokenizer: Any, prepared: Any
) -> Any:
    """The trainer, with the model in it and what learns of it chosen."""
    set_seed(config.training.seed)  # before an adapter is made, so that equal runs start equal
    # Of several processes each has a GPU of its own, which the trainer finds: it must not be loaded to the first one.
    device = here.machine.device if phases.place.ranks.world == 1 else "cpu"
    plain = backends.of(config.run.backend).model(base, here.dtype, device, tokenizer, config)
    model = earlier.model(config, plain, settings)
    marks = chat_template.marks_to_learn(tokenizer, base, config.model)
    methods.choose(config.method, model, marks)
    phases.writer.facts(chat_template=chat_template.named(tokenizer), marks=len(marks), vocabulary=len(tokenizer))
    folder = settings.run_folder(phases.run)
    trainer = sft.trainer(config, model, tokenizer, prepared, folder, here.machine, here.precision, marks)
    phases.writer.facts(**_parameters(trainer.model), learned=_rows_learned(trainer.model))
    for words in engine.replaced(config, sft.PASSED_ON, here.precision, here.dtype, trainer):
        phases.writer.event("warning", words)
    return trainer


def _attached(
    trainer: Any, config: RunConfig, phases: Phases, settings: Settings, peak: memory.Peak, prepared: Any
) -> obedience.Obedience:
    """Everything that tells of the training, and that it obeys."""
    obeys = obedience.Obedience(phases.store, phases.writer, phases.place, trainer)
    trainer.add_callback(callbacks.Recorder(phases.writer, trainer))
    trainer.add_callback(callbacks.Gauge(phases.writer, peak))
    trainer.add_callback(callbacks.Keeper(phases.store, phases.writer, trainer, config.training.save_total_limit))
    trainer.add_callback(obeys)
    batches.attach(trainer, prepared)  # after the recorder, so that a loss that ends the run is in the curve
    early_stopping.attach(trainer, config.early_stopping, lambda: obeys.commanded)
    user_callbacks.attach(trainer, config.callbacks, settings, phases.writer)
    return obeys


def _goes_on_from(phases: Phases, folder: Path) -> Path | None:
    """The checkpoint that a resumed run goes on from, what lies behind it set aside; None for a run that begins."""
    step = phases.store.runs.get(phases.run)["resume_step"] if phases.place.ranks.first else None
    step = phases.place.ranks.agree(-1 if step is None else step)
    if step == -1:
        return None
    checkpoint = folder / f"checkpoint-{step}"
    found = checkpoints.describe(checkpoint)
    if not found.complete:
        raise UserError(
            f"Checkpoint {step} cannot be resumed from.", f"{found.problem}.", "Choose another checkpoint of the run."
        )
    if phases.place.ranks.first:
        phases.writer.flush()
        part = phases.store.parts.begin(phases.run, step)
        known = {row["step"] for row in phases.store.checkpoints.of(phases.run)}
        checkpoints.set_aside(folder, known, part)
        phases.writer.event("resume", f"Going on from checkpoint {step}.", step)
    return checkpoint


def _require_the_same_rows(prepared: Any, phases: Phases) -> None:
    """A resumed run counts on the rows, and their order, that it began with."""
    row = phases.store.runs.get(phases.run)
    digest, before = prepared.digest(), row["facts"].get("rows_digest")
    if row["resume_step"] is not None and before and before != digest:
        raise UserError(
            "The rows are not those that this run began with.",
            "The dataset, or what is made of it, has changed since: the curve would go on with other data.",
            "Bring the dataset back as it was, or train longer from this checkpoint: a new run with the new rows.",
            field="data.source",
        )
    phases.writer.facts(rows_digest=digest)


def _tell_what_is_trained(prepared: Any, phases: Phases) -> None:
    """The numbers behind the run, and a warning for every row that is not trained whole, or that looks wrong."""
    phases.writer.facts(
        rows=prepared.rows,
        train_rows=len(prepared.train),
        eval_rows=len(prepared.eval) if prepared.eval is not None else 0,
        test_rows=len(prepared.test),
        total_tokens=prepared.total_tokens,
        trained_tokens=prepared.trained_tokens,
        longest=prepared.longest,
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


def _rows_learned(model: Any) -> dict[str, list[int]]:
    """The rows of the embeddings that an adapter learns beside its own weights, by layer."""
    adapters: Any = getattr(model, "peft_config", None) or {}  # a model of transformers may have the name, and none
    rows = (getattr(one, "trainable_token_indices", None) for one in adapters.values())
    return next((given for given in rows if given), {})


def _ending(trainer: Any, obeys: Any) -> tuple[str, str]:
    state = trainer.state
    at = f"at step {state.global_step} of {state.max_steps}"
    if obeys.stopped_by and state.global_step < state.max_steps:
        return "stopped", f"Stopped by {obeys.stopped_by} {at}; {_kept(trainer, obeys)}."
    if trainer.save_trouble:
        raise UserError(
            f"The training is done, but its last checkpoint could not be written: {trainer.save_trouble}.",
            f"It ended {at}.",
            "Free some space, and resume from the last checkpoint.",
            field="training.save_total_limit",
        )
    if state.global_step < state.max_steps:
        cut = trainer.epochs_cut
        why = f"{cut} epoch{'' if cut == 1 else 's'} ended by hand" if cut else "a callback asked for it"
        return "finished", f"Ended {at}: {why}."
    return "finished", f"All {state.global_step} steps are done."


def _kept(trainer: Any, obeys: Any) -> str:
    if not obeys.keeps:
        return "nothing was saved there, as asked"
    if trainer.save_trouble:
        return f"its checkpoint could not be written: {trainer.save_trouble}"
    return f"checkpoint {trainer.state.global_step} is kept"
