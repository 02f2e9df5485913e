"""May this run start here, and what will happen? Answered before anything heavy is loaded.

A note is {kind, title, text, do, field}: "ok" tells, "warn" asks for a second look, "stop" keeps the run from starting.
What is wrong on every machine is refused by config/ already.
"""

import math
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from itertools import islice
from typing import Any, Literal

from dfgui import config
from dfgui.config import RunConfig
from dfgui.data import files, rows, sources
from dfgui.data.checks import CHECKS, Problem
from dfgui.data.conversation import RowError, fingerprint, require_answer
from dfgui.errors import UserError
from dfgui.integrations import trackers
from dfgui.models import earlier, hardware, load
from dfgui.settings import Settings
from dfgui.training import callback_source, engine

LOOKED_AT = 2000  # rows read before the start; the rest is checked while tokenising
HUB_SECONDS = 600  # how long what was seen of a Hub dataset is believed
FLASH = {"flash_attention_2": "flash_attn", "flash_attention_3": "flash_attn_interface"}  # and its package
SPARE_BYTES = 200_000_000  # for the store, the log and a small adapter's checkpoints


@dataclass(frozen=True)
class Note:
    kind: Literal["ok", "warn", "stop"]
    title: str
    text: str
    do: str = ""  # the cure, where one is needed
    field: str | None = None

    def to_dict(self) -> dict[str, str | None]:
        return asdict(self)


def notes(run: RunConfig, settings: Settings) -> list[Note]:
    """Everything to know before the start, in the order a page shows it."""
    machine = (_engine, _precision, _optimizer, _memory, _batch)
    looks = (_data, _model, _earlier, *machine, _stopping, _callbacks, _trackers, _disk)
    return [note for look in looks for note in _told(look, run, settings)]


def require(run: RunConfig, settings: Settings) -> None:
    """Raises UserError with the first thing that keeps this run from starting."""
    machine = (_engine, _optimizer, _precision, _memory)
    for look in (_model, _earlier, _data, *machine, _callbacks, _trackers, _disk):
        for note in look(run, settings):
            if note.kind == "stop":
                raise UserError(note.title, note.text, note.do, note.field)


@contextmanager
def concerning(field: str) -> Iterator[None]:
    """Trouble in the block is the trouble of this setting, unless it names another."""
    try:
        yield
    except UserError as error:
        error.field = error.field or field
        raise


def _told(look, run: RunConfig, settings: Settings) -> list[Note]:
    try:
        return list(look(run, settings))
    except UserError as error:
        return [Note("stop", error.what, error.why, error.do, error.field)]


def _data(run: RunConfig, settings: Settings) -> Iterator[Note]:
    """Reads and converts the first rows, without a tokenizer."""
    data = run.data
    for name in data.also:
        with concerning("data.also"):
            sources.open_source(name, settings, data.config, data.split)
    with concerning("data.source"):
        looked = _rows(data.source, data, settings)
    if data.eval_source:
        with concerning("data.eval_source"):
            _rows(data.eval_source, data, settings)
        held = "evaluated on a file of its own"
    else:
        held = f"{data.eval_fraction:.0%} held out for evaluation" if data.eval_fraction else "nothing held out"
    whole = looked.rows + looked.left_out < LOOKED_AT
    count = (
        f"{looked.rows:,} row{'' if looked.rows == 1 else 's'}"
        if whole
        else f"{looked.rows:,} of the first {LOOKED_AT:,} rows"
    )
    left = f", {looked.left_out:,} left out as you asked" if looked.left_out else ""
    yield Note("ok", "Data", f"{count} can be read{left}; {held}.")
    for check, found in looked.found.items():
        if CHECKS[check].severity == "warning":
            where = "" if whole else f" of the first {LOOKED_AT:,}"
            text = f"{found:,} row{'' if found == 1 else 's'}{where}."
            yield Note("warn", CHECKS[check].title, text, CHECKS[check].advice, "data.leave_out")
    if not data.eval_fraction and not data.eval_source:
        text = "Without held-out rows, overfitting stays unseen."
        yield Note("warn", "No evaluation", text, "Hold out a tenth of the rows.", "data.eval_fraction")


@dataclass(frozen=True)
class _Looked:
    """What the first rows of a dataset are like."""

    rows: int  # that can become conversations
    left_out: int
    found: Counter[str]  # check -> rows


def _rows(source: str, data: config.Data, settings: Settings) -> _Looked:
    """The first rows; UserError names the first that cannot be a conversation and is not left out."""
    parts = (source, *data.also) if source == data.source else (source,)
    state = tuple(_state_of(part, settings) for part in parts)
    found = _looked_through(source, settings, data.model_dump_json(), state)
    if isinstance(found, UserError):
        raise found.with_traceback(None)
    return found


def _state_of(source: str, settings: Settings) -> Any:
    """What changes when the rows may have changed."""
    if source.startswith(sources.HUB):
        return int(time.time() // HUB_SECONDS)
    path = sources.DEMO if source == "demo" else settings.may_read(source)
    parts = files.inside(path) if path.is_dir() else [path]
    return tuple((part, part.stat().st_mtime_ns, part.stat().st_size) for part in parts)


@lru_cache(maxsize=16)
def _looked_through(source: str, settings: Settings, asked: str, state: Any) -> _Looked | UserError:
    """Remembered, because a page asks whenever a setting changes. What cannot be read at all is raised, and is not."""
    data = config.Data.model_validate_json(asked)
    own = source == data.source
    opened = sources.dataset(data, settings) if own else sources.open_source(source, settings, data.config, data.split)
    how = rows.options(data, rows.format_of(opened, data), None)
    neighbours = rows.Neighbours()
    count, left_out, found = 0, 0, Counter[str]()
    for row in islice(rows.chosen(opened, data) if own else opened.scan(), LOOKED_AT):
        seen = _with_answer(rows.read(row, how), data)
        print = fingerprint(seen.conversation) if seen.conversation else None
        checks = {one.check for one in seen.problems + neighbours.problems(row.number, print)}
        if checks.intersection(data.leave_out):
            left_out += 1
        elif seen.trouble:
            return seen.trouble.at(row.number) if isinstance(seen.trouble, RowError) else seen.trouble
        else:
            count += 1
            found.update(checks)
    return _Looked(count, left_out, found)


def _with_answer(seen: rows.Examined, data: config.Data) -> rows.Examined:
    """The row, in trouble if an answer is to be learned and there is none."""
    if seen.conversation is None or data.train_on == "everything":
        return seen
    try:
        require_answer(seen.conversation)
    except RowError as error:
        return replace(seen, problems=[*seen.problems, Problem(error.check, error.said)], trouble=error)
    return seen


def _model(run: RunConfig, settings: Settings) -> Iterator[Note]:
    with concerning("model.name"):
        size = load.weights_size(run.model, settings)
    place = "on this machine" if size else "looked for on the Hub and fetched at the start"
    found = earlier.find(run.model.name, settings)
    yield Note("ok", "Model", f"{found.title if found else run.model.name}, {place}.")


def _earlier(run: RunConfig, settings: Settings) -> Iterator[Note]:
    """What a run keeps that begins from a checkpoint of another one."""
    found = earlier.find(run.model.name, settings)
    if found is None or found.kind == "full":
        return
    if run.method == "full":
        yield Note("ok", "Adapter", f"That of {found.title} is merged into its base; then every weight is trained.")
        return
    if run.model.chat_template != "own":
        text = "Its adapter has learned the marks of the template that it was trained with."
        cure = "Choose own, or train a new adapter on the base model."
        yield Note("stop", f"{found.title} keeps its chat template.", text, cure, "model.chat_template")
    yield _adapter_kept(run.adapter, found)


def _adapter_kept(asked: config.Adapter, found: earlier.Earlier) -> Note:
    differs = [name for name in earlier.ADAPTED if getattr(asked, name) != getattr(found.adapter, name)]
    if not differs:
        return Note("ok", "Adapter", f"That of {found.title} is trained on: {found.shape}.")
    text = f"That of {found.title} is trained on, and keeps its shape: {found.shape}."
    return Note("warn", "Adapter", text, f"What is set for {', '.join(differs)} is not used.", f"adapter.{differs[0]}")


def _engine(run: RunConfig, settings: Settings) -> Iterator[Note]:
    if run.run.backend == "unsloth":
        engine.require_unsloth(run)
        kind: Literal["ok", "warn"] = "warn" if (advice := engine.advice(run)) else "ok"
        yield Note(kind, "Engine", f"Unsloth, in a process of its own. {advice}".strip(), field="run.backend")
    if run.model.load_in_4bit:
        engine.require_4bit(run)
        yield Note("ok", "Base in 4 bit", "The frozen base takes about a quarter of the memory.")


def _precision(run: RunConfig, settings: Settings) -> Iterator[Note]:
    machine = hardware.look()
    wanted = run.training.precision
    chosen = hardware.precision(wanted, machine)
    if chosen == "fp16" and machine.device == "cpu":
        text, cure = "fp16 training needs a GPU.", "Choose auto, fp32 or bf16."
        yield Note("stop", "fp16 does not work on a CPU.", text, cure, "training.precision")
    elif chosen == "bf16" and machine.device == "cuda" and not machine.bf16:
        text, cure = f"{machine.name} has no bf16.", "Choose auto or fp16."
        yield Note("stop", "bf16 is not supported here.", text, cure, "training.precision")
    else:
        why = "chosen by the hardware" if wanted == "auto" else "as set"
        yield Note("ok", "Precision", f"{chosen}, {why} ({hardware.describe(machine)}).")


def _optimizer(run: RunConfig, settings: Settings) -> Iterator[Note]:
    optim = run.training.optim
    package = config.OPTIMIZERS[optim]
    if package and not hardware.has(package):
        name = package.replace("_", "-")
        text, cure = "It is not installed.", f"Install it with `pip install {name}`, or choose adamw_torch_fused."
        yield Note("stop", f"{optim} needs {name}.", text, cure, "training.optim")


def _memory(run: RunConfig, settings: Settings) -> Iterator[Note]:
    """Ways to save memory that this machine may not have."""
    on_gpu = hardware.look().device == "cuda"
    if run.training.activation_offloading and not on_gpu:
        text, cure = "There is no GPU whose memory it would save.", "Leave 'Activations to the CPU' off."
        yield Note("stop", "Activations are at the CPU already.", text, cure, "training.activation_offloading")
    if run.training.use_liger_kernel and not (on_gpu and hardware.has("liger_kernel")):
        missing = "The package liger-kernel is not installed." if on_gpu else "They are written for a GPU."
        yield Note("stop", "Liger kernels cannot run here.", missing, "Leave them off.", "training.use_liger_kernel")
    if (package := FLASH.get(run.model.attn_implementation)) and not (on_gpu and hardware.has(package)):
        text = f"It needs an NVIDIA GPU and the package {package.replace('_', '-')}."
        title = f"{run.model.attn_implementation} is not possible here."
        yield Note("stop", title, text, "Choose auto.", "model.attn_implementation")
    if run.training.packing and run.training.packing_strategy == "wrapped":
        text = "They are joined without a border, and cut wherever a sequence is full."
        yield Note("warn", "Wrapped rows read each other", text, "Pack them by bfd.", "training.packing_strategy")


def _batch(run: RunConfig, settings: Settings) -> Iterator[Note]:
    machine = hardware.look()
    each = f"{run.training.per_device_train_batch_size} x {run.training.gradient_accumulation_steps}"
    devices = f" x {machine.devices} GPUs" if machine.devices > 1 else ""
    yield Note("ok", "Batch", f"{each}{devices} = {run.rows_per_step(machine.devices)} rows per step.")
    if machine.devices > 1 and run.run.placement != "accelerate" and run.run.backend == "trl":
        text = f"One process would drive all {machine.devices}, copying the model to each of them at every step."
        cure = "Run it under accelerate, which gives each GPU a process of its own."
        yield Note("warn", "Several GPUs", text, cure, "run.placement")


def _stopping(run: RunConfig, settings: Settings) -> Iterator[Note]:
    stopping = run.early_stopping
    if stopping.patience or stopping.load_best_model_at_end:
        wish = "Early stopping" if stopping.patience else "Ending with the best"
        yield Note("ok", wish, _when_it_stops(stopping))


def _when_it_stops(stopping: config.EarlyStopping) -> str:
    more = f" by more than {stopping.threshold:g}" if stopping.threshold else ""
    times = "1 evaluation" if stopping.patience == 1 else f"{stopping.patience} evaluations"
    after = f"After {times} in which {stopping.metric} has not improved{more}." if stopping.patience else ""
    best = f"At the end the weights are those of the checkpoint with the best {stopping.metric}."
    return " ".join(part for part in (after, best if stopping.load_best_model_at_end else "") if part)


def _callbacks(run: RunConfig, settings: Settings) -> Iterator[Note]:
    for asked in run.callbacks:
        yield from _told(partial(_callback, asked), run, settings)


def _callback(asked: config.Callback, run: RunConfig, settings: Settings) -> Iterator[Note]:
    yield Note("ok", "Callback", f"{asked.use} {callback_source.require(asked, settings).hears()}")


def _trackers(run: RunConfig, settings: Settings) -> Iterator[Note]:
    for lack in trackers.lacks(run, settings):
        yield Note(lack.kind, lack.what, lack.why, lack.do, "trackers")


def _disk(run: RunConfig, settings: Settings) -> Iterator[Note]:
    """Room for the checkpoints. A full one holds weights and two optimiser moments in 32 bit; an adapter is small."""
    weights = load.weights_size(run.model, settings)
    checkpoint = 6 * (weights or 0) if run.method == "full" else 0
    count = _checkpoints_kept(run.training)
    needed = count * checkpoint + SPARE_BYTES
    free = shutil.disk_usage(settings.home).free
    if free < needed:
        cure = "Free some space, keep fewer checkpoints (save_total_limit), or choose another home with --home."
        text = f"{free / 1e9:.2f} GB are free at {settings.home}, and about {needed / 1e9:.2f} GB are needed."
        yield Note("stop", "The disk is too full.", text, cure, "training.save_total_limit")
    else:
        more = "" if weights else ", and room for the download, whose size is not known yet"
        for_what = f" for {count} checkpoints" if checkpoint else ""
        yield Note("ok", "Disk", f"{free / 1e9:.1f} GB free, about {needed / 1e9:.1f} GB needed{for_what}{more}.")


def _checkpoints_kept(training: config.Training) -> int:
    """How many lie on the disk at once; two where it depends on how many rows there are."""
    if training.save_total_limit:
        return training.save_total_limit + 1  # the new one is written before the oldest goes
    if training.save_strategy == "steps" and training.max_steps > 0:
        return math.ceil(training.max_steps / training.save_steps)
    return 2
