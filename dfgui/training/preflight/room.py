"""Whether there is room for a run: memory on the device, and disk for its checkpoints.

What memory a run takes is an estimate (models/memory.py), so that only one far beyond the device stops it. The shape of
a model is measured beside, once: until then the note is `pending`, and whoever shows it asks again.
"""

import math
import shutil
from collections.abc import Iterator

from dfgui import config, words
from dfgui.config import RunConfig
from dfgui.models import fastest, fitting, hardware, load, shapes
from dfgui.models import memory as models_memory
from dfgui.models.fitting import Suggestion
from dfgui.models.memory import Estimate, Shape
from dfgui.settings import Settings
from dfgui.training import methods
from dfgui.training.preflight.note import Kind, Note, refuse

TIGHT = 0.9  # of what is free
BEYOND = 1.25  # of what the device has in all: more than an estimate can be wrong by
SPARE_BYTES = 200_000_000  # for the store, the log and a tokenizer with each checkpoint


def estimate(run: RunConfig, settings: Settings, longest: int | None = None, begin: bool = False) -> Estimate | None:
    """What memory the run will take on each device; None where that is not known. `longest`: tokens of a row."""
    run = methods.as_loaded(run)
    shape = shapes.known(run, settings, begin)
    return _of(run, shape, longest) if isinstance(shape, Shape) else None


def memory(run: RunConfig, settings: Settings) -> Iterator[Note]:
    """What it takes and what is free, and what to change. The first look at a model begins to measure it."""
    yield from _memory(run, settings, begin=True)


def memory_if_known(run: RunConfig, settings: Settings) -> Iterator[Note]:
    yield from _memory(run, settings, begin=False)


def require(run: RunConfig, settings: Settings, found: Estimate) -> None:
    """Raises UserError where a run that is about to load its model takes far more than the device has."""
    refuse(_fits(run, settings, found, begin=False))


def _memory(run: RunConfig, settings: Settings, begin: bool) -> Iterator[Note]:
    run = methods.as_loaded(run)
    shape = shapes.known(run, settings, begin)
    if shape is None:
        yield Note("tell", "Memory", "It is being worked out from the model's config.", pending=True)
    elif isinstance(shape, str):
        yield Note("tell", "Memory", f"What the run takes is unknown. {shape}")
    else:
        yield from _fits(run, settings, _of(run, shape), begin)


def _fits(run: RunConfig, settings: Settings, found: Estimate, begin: bool) -> Iterator[Note]:
    machine, free = hardware.look(), hardware.free()
    total = found.total
    fits = total <= free
    of, lacks = (f" of {words.memory(free)} free", "") if fits else ("", f" {words.memory(free)} are free.")
    text = f"About {words.memory(total)}{of}{_mostly(found)}.{lacks} {found.unknown}".strip()
    if total <= TIGHT * free:
        yield Note("ok", "Memory", text)
        return
    less = _takes_less(run)
    stops = not less and total > BEYOND * machine.memory
    kind: Kind = "stop" if stops else "warn"
    title = "The memory is too small." if stops else "Memory is tight" if fits else "Memory may run out"
    whole = f" This machine has {words.memory(machine.memory)} in all." if stops else ""
    wanted = TIGHT * (machine.memory if stops else free)
    advice = fitting.suggestions(run, wanted, lambda other: _bytes(other, settings, begin))
    pending = not advice and any(shapes.known(one, settings, begin) is None for one in fitting.other_models(run))
    changes = advice[0].changes if advice else {}
    yield Note(kind, title, text + whole + less, _advice(advice, pending), _field(changes), changes, pending)


def _takes_less(run: RunConfig) -> str:
    """What saves more than is counted here, in words: such a run is not stopped. "" for every other one."""
    if run.run.backend == "unsloth":
        return " That is what TRL would take: Unsloth takes less."
    if run.run.placement == "accelerate" and run.run.accelerate_config:
        return " That is for each process: FSDP and DeepSpeed share it among them."
    return ""


def _of(run: RunConfig, shape: Shape, longest: int | None = None) -> Estimate:
    machine = hardware.look()
    world = machine.devices if run.run.placement == "accelerate" else 1
    settled = fastest.with_memory_settled(run, shape, machine, hardware.free(), longest)
    return models_memory.estimate(shape, settled, machine.device, longest, world)


def _bytes(run: RunConfig, settings: Settings, begin: bool) -> int | None:
    found = estimate(run, settings, begin=begin)
    return found.total if found else None


def _mostly(found: Estimate) -> str:
    """The three largest parts: ": 1.2 GB weights, 0.6 GB loss, 0.3 GB activations"."""
    parts = sorted(((size, name) for name, size in found.parts.items() if size), reverse=True)[:3]
    return ": " + ", ".join(f"{words.memory(size)} {name}" for size, name in parts)


def _advice(found: list[Suggestion], pending: bool) -> str:
    if found:
        return "It would fit with " + "; or ".join(f"{one.words}: {words.memory(one.bytes)}" for one in found) + "."
    if pending:
        return "Smaller ways to train it are being looked at."
    return "No other settings make it fit: choose a smaller model, or a machine with more memory."


def _field(changes: dict[str, object]) -> str | None:
    return next(iter(changes), None)


def disk(run: RunConfig, settings: Settings) -> Iterator[Note]:
    """Room for the checkpoints: the weights that are trained, and what the optimiser remembers of them."""
    run = methods.as_loaded(run)
    weights = load.weights_size(run.model, settings)
    checkpoint = _checkpoint(run, settings, weights)
    count = _checkpoints_kept(run.training)
    needed = count * checkpoint + SPARE_BYTES
    free = shutil.disk_usage(settings.home).free
    if free < needed:
        cure = "Free some space, keep fewer checkpoints (save_total_limit), or choose another home with --home."
        text = f"{free / 1e9:.2f} GB are free at {settings.home}, and about {needed / 1e9:.2f} GB are needed."
        yield Note("stop", "The disk is too full.", text, cure, "training.save_total_limit")
    else:
        more = "" if weights else ", and room for the download, whose size is not known yet"
        each = f" for {count} checkpoint{'' if count == 1 else 's'} of {words.memory(checkpoint)}" if checkpoint else ""
        yield Note("ok", "Disk", f"{free / 1e9:.1f} GB free, about {needed / 1e9:.1f} GB needed{each}{more}.")


def _checkpoint(run: RunConfig, settings: Settings, weights: int | None) -> int:
    """Bytes of one. Before the model is measured: three times its weights in 32 bit, and nothing for an adapter."""
    shape = shapes.known(run, settings, begin=False)
    if isinstance(shape, Shape):
        return models_memory.checkpoint_bytes(shape, run.training.optim)
    return 6 * (weights or 0) if run.method == "full" else 0


def _checkpoints_kept(training: config.Training) -> int:
    """How many lie on the disk at once; two where it depends on how many rows there are."""
    if training.save_total_limit:
        return training.save_total_limit + 1  # the new one is written before the oldest goes
    if training.save_strategy == "steps" and training.max_steps > 0:
        return math.ceil(training.max_steps / training.save_steps)
    return 2
