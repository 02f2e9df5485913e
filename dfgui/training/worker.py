"""One run from its first row to its last checkpoint: `execute(run, settings, place)`.

It knows nothing of how it was started. What it does, what it found and how it ended goes to the store; what the
libraries say goes to the run's train.log; no exception leaves it.

    preparing: tokenising -> downloading -> loading -> first step | running: training | finished, stopped, failed

`python -m dfgui.training.worker RUN --home HOME` does it in a process of its own, and in each of several.
"""

import logging
import sqlite3
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from dfgui.artifacts import checkpoints
from dfgui.config import RunConfig
from dfgui.data.checks import CHECKS
from dfgui.errors import UserError
from dfgui.models import backends, fastest, imports
from dfgui.settings import Settings
from dfgui.store import Store, Writer
from dfgui.training import choices, memory
from dfgui.training.log import RunLog, tail
from dfgui.training.phases import Phases, Place, Stopped

logger = logging.getLogger("dfgui")

RETRY_SECONDS = 1.0

End = tuple[str, str, UserError | None]  # status, reason in words, error if it failed


def execute(run: str, settings: Settings, place: Place | None = None) -> BaseException | None:
    """Runs a claimed run to its end: finished, stopped or failed. Returns what it failed of, None where it did not."""
    place = place or Place()
    store = Store(settings.store_path)
    problem: BaseException | None = None
    try:
        before = memory.held()
        with RunLog(settings.run_folder(run)):
            row = store.runs.get(run)
            config = RunConfig.model_validate(row["config"])
            with Writer(store.path, run, mute=not place.ranks.first) as writer:
                phases = Phases(run, store, writer, place)
                # The jail was asked when the run was started; what it names may be read since.
                end, problem = _live(config, phases, replace(settings, jailed=False))
                if left := memory.left_since(before):
                    writer.event("warning", left)
                if problem and place.ranks.world > 1:
                    logger.error("Process %d of %d gives up", place.ranks.rank + 1, place.ranks.world)
            _end(store, run, place, end)
    except BaseException as error:  # no log could be opened, or the config is not of this version
        problem = _without_traces(error)
        _end(store, run, place, _failure(run, error))
    return problem


def _end(store: Store, run: str, place: Place, end: End) -> None:
    if not place.ranks.first:
        return
    insist(lambda: store.runs.move(run, *end))
    logger.info("%s: %s", *end[:2])


def insist(write: Callable[[], Any]) -> None:
    """Repeats a write until the store takes it: an end that is not recorded would leave the run alive for ever."""
    while True:
        try:
            write()
            return
        except sqlite3.OperationalError as error:
            logger.warning("The store cannot be written (%s); trying again.", error)
            time.sleep(RETRY_SECONDS)


def _live(config: RunConfig, phases: Phases, settings: Settings) -> tuple[End, BaseException | None]:
    """Trains, whatever happens. Returns how it ended, and what it failed of."""
    problem: BaseException | None = None
    try:
        end: End = (*_train(config, phases, settings), None)
    except Stopped as stop:
        end = ("stopped", _stopped_early(phases, str(stop)), None)
        if phases.place.ranks.first:  # a resumed run has the end again that it had, and `end` comes too late
            insist(lambda: phases.store.runs.go_back(phases.run))
    except BaseException as error:  # a panic in Rust, as tokenizers may raise, is no Exception
        facts = phases.facts()
        end = _failure(phases.run, error, config, facts, settings)
        mended = fastest.mended(facts.get("chosen", {}), end[2].changes) if end[2] else []
        if mended and phases.place.ranks.first:  # for a resume
            choices.keep(phases.writer, facts, mended)
        problem = _without_traces(error)
    phases.writer.event("end" if end[2] is None else "error", end[1])
    return end, problem


def _without_traces(problem: BaseException) -> BaseException:
    """The error without what it held on to: a traceback keeps the model, and with it the GPU's memory."""
    link: BaseException | None = problem
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return problem


def _stopped_early(phases: Phases, by: str) -> str:
    step = phases.store.runs.get(phases.run)["global_step"]
    if step:
        return f"Stopped by {by} before it went on; what it had reached until step {step} is as it was."
    return f"Stopped by {by} before the first step; there is no checkpoint."


def _failure(
    run: str,
    problem: BaseException,
    config: RunConfig | None = None,
    facts: dict[str, Any] | None = None,
    settings: Settings | None = None,
) -> End:
    from dfgui.training import failures

    # As text: whoever keeps what is logged would keep the traceback, and with it the model and the GPU's memory.
    logger.error("Run %s failed\n%s", run, "".join(traceback.format_exception(problem)).rstrip())
    last_lines = tail(settings.run_folder(run), failures.LINES) if settings else ""
    error = failures.explain(problem, config, facts, last_lines)
    return "failed", error.what, error


def _train(config: RunConfig, phases: Phases, settings: Settings) -> tuple[str, str]:
    """The run itself. Returns how it ended: (status, reason in words)."""
    phases.writer.facts(runs_in=phases.place.words, runs_there_because=phases.place.why)
    backend = backends.of(config.run.backend)
    phases.writer.facts(engine=backends.described(config.run.backend))
    phases.begin(f"starting {backends.TITLES[config.run.backend]}")
    with imports.one_at_a_time:  # also what is used further down only: its first import is what can go wrong
        if changed := backend.begin(settings.home):  # before all others, since it may change them
            phases.writer.event("engine", changed)
        import peft  # noqa: F401
        from transformers import set_seed
        from trl import SFTConfig, SFTTrainer  # noqa: F401

        from dfgui.data import held_out, prepare, rows
        from dfgui.models import base as bases
        from dfgui.models import chat_template, earlier, hardware, load, loaded
        from dfgui.training import (
            batches,
            callbacks,
            choices,
            early_stopping,
            engine,
            methods,
            obedience,
            sft,
            tracking,
        )
        from dfgui.training import user_callbacks as own_callbacks
        from dfgui.training.preflight import pace, room

    machine = hardware.measure()
    precision = hardware.precision(config.training.precision, machine)
    dtype = hardware.weights_dtype(config.model.dtype, methods.as_loaded(config).method, precision)
    phases.writer.facts(device=hardware.describe(machine), device_type=machine.device, precision=precision, dtype=dtype)
    folder = settings.run_folder(phases.run)
    sft.require_arguments(config, folder, machine, precision)

    phases.begin("loading the tokenizer")
    tokenizer = phases.patiently(
        lambda going: load.tokenizer(config.model, settings, spoken=rows.are_spoken(config.data, settings))
    )
    if phases.place.ranks.first:
        tokenizer.save_pretrained(folder / "tokenizer")  # the base model is asked with it too

    phases.begin("tokenising")
    training = config.training
    prepared = prepare.prepare(
        config.data, tokenizer, training.max_length, training.seed, settings, phases.counting("rows")
    )
    _tell_what_is_trained(prepared, phases)
    _require_the_same_rows(prepared, phases)
    if phases.place.ranks.first:
        held_out.save(folder, prepared.held_out, prepared.test)

    if load.weights_size(config.model, settings) is None:
        phases.begin("downloading")
    base = phases.patiently(lambda going: load.fetch(config.model, settings, going(phases.counting("bytes"))))
    bases.require_the_same(phases.store.runs.get(phases.run), Path(base))  # a resume goes on with what it began from
    fingerprint = bases.fingerprint(Path(base))
    phases.writer.facts(base=base, base_print=fingerprint, **earlier.facts(config.model.name, settings))
    config = choices.settle(config, phases, settings, prepared, base, machine)
    training = config.training

    phases.begin("loading")
    loaded.release()
    peak = memory.Peak(machine.device)
    if estimated := room.estimate(config, settings, prepared.longest):
        room.require(config, settings, estimated)
    if expected := pace.estimate(config, settings):
        phases.writer.facts(time_estimate=round(expected.seconds, 1))
    set_seed(training.seed)  # before an adapter is made, so that equal runs start equal
    # Of several processes each has a GPU of its own, which the trainer finds: it must not be loaded to the first one.
    device = machine.device if phases.place.ranks.world == 1 else "cpu"
    model = earlier.model(config, backend.model(base, dtype, device, tokenizer, config), settings)
    marks = chat_template.marks_to_learn(tokenizer, base, config.model)
    methods.choose(config.method, model, marks)
    phases.writer.facts(chat_template=chat_template.named(tokenizer), marks=len(marks), vocabulary=len(tokenizer))
    trainer = sft.trainer(config, model, tokenizer, prepared, folder, machine, precision, marks)
    phases.writer.facts(**_parameters(trainer.model), learned=_rows_learned(trainer.model))
    for words in engine.replaced(config, sft.PASSED_ON, precision, dtype, trainer):
        phases.writer.event("warning", words)

    tracking.settle(trainer, config, phases.writer, settings)
    obeys = obedience.Obedience(phases.store, phases.writer, phases.place, trainer)
    trainer.add_callback(callbacks.Recorder(phases.writer, trainer))
    trainer.add_callback(callbacks.Gauge(phases.writer, peak))
    trainer.add_callback(callbacks.Keeper(phases.store, phases.writer, trainer, training.save_total_limit))
    trainer.add_callback(obeys)
    batches.attach(trainer, prepared)  # after the recorder, so that a loss that ends the run is in the curve
    early_stopping.attach(trainer, config.early_stopping, lambda: obeys.commanded)
    own_callbacks.attach(trainer, config.callbacks, settings, phases.writer)
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


if __name__ == "__main__":
    from dfgui.training import process

    raise SystemExit(process.main())
