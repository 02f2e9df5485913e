"""What a run leaves open, and what that comes to here: the fastest settings that fit, for its first rows.

How long rows are is told by their characters, since nothing is tokenised yet; the run decides by its tokens.
"""

from collections.abc import Iterator
from typing import Any

from dfgui.config import RunConfig
from dfgui.data import statistics
from dfgui.models import fastest, hardware, shapes
from dfgui.models.fastest import Choice
from dfgui.models.memory import Shape
from dfgui.settings import Settings
from dfgui.training import methods
from dfgui.training.preflight import data
from dfgui.training.preflight.note import Note

SHORT = 0.25  # of max_length: rows that are shorter in the mean fill sequences many times


def speed(run: RunConfig, settings: Settings) -> Iterator[Note]:
    """What is chosen, and why; one click makes it the run's own on every machine."""
    found = choices(run, settings)
    told = [fastest.in_words(one) for one in found if not _waits(one, run, settings)]
    pending = len(told) < len(found)
    text = ". ".join([*told, *(["Gradient checkpointing is decided once the memory is known"] if pending else [])])
    more = _packing(run, settings)
    if text or more:
        changes: dict[str, Any] = {} if pending else {one.path: one.value for one in found}
        words = " ".join(part for part in (f"{text}." if text else "", more) if part)
        yield Note("tell" if pending else "ok", "Speed", words, changes=changes, pending=pending)


def choices(run: RunConfig, settings: Settings) -> list[Choice]:
    """What the run's open settings come to on this machine, as far as is known before its start."""
    run = methods.as_loaded(run)
    shape = shapes.known(run, settings, begin=False)
    known = fastest.Known(
        lengths=data.lengths(run, settings) if fastest.is_open(run, fastest.ORDER) else [],
        shape=shape if isinstance(shape, Shape) else None,
        free=hardware.free(),
    )
    return fastest.choices(run, hardware.look(), known)


def settled(run: RunConfig, settings: Settings) -> RunConfig:
    """The run with nothing left open, as it would be here."""
    return fastest.settled(run, {one.path: one.value for one in choices(run, settings)})


def _waits(choice: Choice, run: RunConfig, settings: Settings) -> bool:
    by_memory = choice.path == fastest.CHECKPOINTING and fastest.goes_by_memory(run)
    return by_memory and shapes.known(methods.as_loaded(run), settings, begin=False) is None


def _packing(run: RunConfig, settings: Settings) -> str:
    """A proposal, since a step of packed sequences sees more rows, and there are fewer of them.

    TRL joins the sequences of a batch into one, which only flash attention reads as quickly as several.
    """
    training = run.training
    can = hardware.look().device == "cuda" and hardware.has("flash_attn")
    if training.packing or run.run.backend == "unsloth" or not can:
        return ""
    lengths = [min(one, training.max_length) for one in data.lengths(run, settings)]
    if not lengths or sum(lengths) / len(lengths) > SHORT * training.max_length:
        return ""
    sequences = statistics.packed(lengths, training.max_length)
    each = len(lengths) / sequences
    if sequences < training.per_device_train_batch_size:
        return ""
    return (
        f"Rows are short beside max_length: packed, {len(lengths):,} of them would fill {sequences:,} sequences. That "
        f"is quicker still, and one step then sees about {each:.0f} times the rows."
    )
