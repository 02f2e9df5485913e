"""What "auto" comes to: of the ways to train the same, the fastest that fits into the memory that is free.

    found = choices(run, machine, Known(lengths=[212, 310, ...], shape=shape, free=20e9))
    [Choice("training.gradient_checkpointing", False, "without it the run takes about 1.3 GB of 20 GB free"), ...]
    settled(run, {one.path: one.value for one in found})        the run with nothing left open

bench/speed.py measures what each is worth: checkpointing costs a third of the time or so, padding as much as there
is of it. What changes what is learned (packing makes steps of more rows) is proposed and never taken.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dfgui import words
from dfgui.config import RunConfig
from dfgui.fields import specs
from dfgui.models import hardware, memory
from dfgui.models.hardware import Hardware
from dfgui.models.memory import Shape

CHECKPOINTING = "training.gradient_checkpointing"
ORDER = "training.train_sampling_strategy"
ATTENTION = "model.attn_implementation"
TITLES = {spec.path: spec.title for spec in specs() if spec.path in (CHECKPOINTING, ORDER, ATTENTION)}

ROOM = 0.8  # of what is free: an estimate may be wrong, and a run that ends for want of memory is slower than any
ROUGHLY = 0.5  # the same for a bound that nobody has measured
PADDED = 0.2  # the share of padding in a batch from which it is worth to order rows by length
FEW = 8  # batches: of fewer, those of one length can hardly be drawn together

Changes = dict[str, Any]  # path -> value


class Choice(NamedTuple):
    path: str
    value: Any
    because: str  # goes on after "on: " or "group_by_length: "


@dataclass(frozen=True)
class Known:
    """What is known of a run before its first step."""

    lengths: Sequence[int] = field(default_factory=list)  # of the rows, in tokens or in what is like them; [] unknown
    shape: Shape | None = None
    bound: int | None = None  # bytes that the run cannot exceed without checkpointing, where there is no shape
    longest: int | None = None  # tokens of the longest row
    flash: bool = False  # whether the model can use flash attention
    free: int = 0  # bytes


def choices(run: RunConfig, machine: Hardware, known: Known) -> list[Choice]:
    """A choice for each setting of the run that is left open."""
    found = [_checkpointing(run, machine, known), _order(run, known), _attention(run, machine, known)]
    return [one for one in found if one]


def settled(run: RunConfig, chosen: Changes) -> RunConfig:
    """The run with these settings where it leaves them open."""
    return changed(run, {path: value for path, value in chosen.items() if is_open(run, path)})


def changed(run: RunConfig, changes: Changes) -> RunConfig:
    """The run with other settings, by path."""
    run = run.model_copy(deep=True)
    for path, value in changes.items():
        *blocks, name = path.split(".")
        block: Any = run
        for one in blocks:
            block = getattr(block, one)
        setattr(block, name, value)
    return run


def is_open(run: RunConfig, path: str) -> bool:
    """Whether the run leaves this setting to us."""
    return value_of(run, path) == "auto"


def value_of(run: RunConfig, path: str) -> Any:
    """The run's setting at this path."""
    value: Any = run
    for name in path.split("."):
        value = getattr(value, name)
    return value


def goes_by_memory(run: RunConfig) -> bool:
    """Whether it is the memory that decides about checkpointing."""
    return run.run.backend != "unsloth" and run.run.placement != "accelerate"


def is_small(bound: int, free: int) -> bool:
    """Whether a run that cannot take more than `bound` bytes fits for certain."""
    return bound <= ROUGHLY * free


def in_words(choice: Choice) -> str:
    """ "Gradient checkpointing off: without it the run takes about 1.3 GB of 20 GB free" """
    return f"{TITLES[choice.path]} {value_in_words(choice)}"


def value_in_words(choice: Choice) -> str:
    """ "off: without it the run takes about 1.3 GB of 20 GB free" """
    value = {True: "on", False: "off"}.get(choice.value, choice.value)
    return f"{value}: {choice.because}"


def mended(chosen: Changes, changes: Changes) -> list[Choice]:
    """What to choose otherwise after a failure that these changes would mend; [] where nothing chosen is among them."""
    return [
        Choice(path, value, "the run failed otherwise")
        for path, value in changes.items()
        if path in chosen and chosen[path] != value
    ]


def as_trl_has_it(run: RunConfig) -> RunConfig:
    """The run with TRL's defaults where it leaves settings open."""
    return settled(run, {CHECKPOINTING: True, ORDER: "random"})


def with_memory_settled(run: RunConfig, shape: Shape, machine: Hardware, free: int, longest: int | None) -> RunConfig:
    """The run as far as its memory depends on what is left open."""
    one = _checkpointing(run, machine, Known(shape=shape, free=free, longest=longest))
    return settled(run, {one.path: one.value} if one else {})


def _checkpointing(run: RunConfig, machine: Hardware, known: Known) -> Choice | None:
    """Off where there is room for what is remembered otherwise."""
    if run.training.gradient_checkpointing != "auto":
        return None
    if run.run.backend == "unsloth":
        return Choice(CHECKPOINTING, True, "Unsloth's own way of it costs little time")
    if run.run.placement == "accelerate":
        return Choice(CHECKPOINTING, True, "what each of several processes holds is not estimated")
    without = changed(run, {CHECKPOINTING: False})
    if known.shape is not None:
        total = memory.estimate(known.shape, without, machine.device, known.longest).total
        return _if_it_fits(total, ROOM, known.free)
    if known.bound is not None:
        return _if_it_fits(known.bound, ROUGHLY, known.free, "at most")
    return Choice(CHECKPOINTING, True, "what the run takes without it is not known")


def _if_it_fits(total: int, part: float, free: int, about: str = "about") -> Choice:
    sizes = f"{about} {words.memory(total)} of {words.memory(free)} free"
    if total <= part * free:
        return Choice(CHECKPOINTING, False, f"without it the run takes {sizes}")
    return Choice(CHECKPOINTING, True, f"without it the run could take {sizes}")


def bound(how: Any, run: RunConfig, weights: int, longest: int) -> int | None:
    """Bytes that a run cannot exceed without checkpointing, by its model's config alone; None where that is silent.

    `how`: transformers' config of the text model; `weights`: bytes of its files; `longest`: tokens of a row. For each
    token a layer keeps a few copies of its states and of its feed-forward ones, here counted twice as often as any
    architecture does (tests compare it with what rehearsals find); the scores count five times, in 32 bit.
    """
    names = ("hidden_size", "num_hidden_layers", "vocab_size", "num_attention_heads")
    hidden, layers, vocabulary, heads = (getattr(how, name, None) for name in names)
    inner = _inner(how)
    if not (hidden and layers and vocabulary and heads and inner):
        return None
    training = run.training
    batch = max(training.per_device_train_batch_size, training.per_device_eval_batch_size)
    tokens, length = memory.tokens(run, batch, longest)
    each = layers * (40 * hidden + 16 * inner) + 5 * vocabulary
    square = 4 * layers * heads * length if run.model.attn_implementation == "eager" else 0
    return 8 * weights + 4 * tokens * (each + square)


def _inner(how: Any) -> int:
    """Width of a feed-forward layer, of all experts together that a token meets."""
    given = [getattr(how, name, None) for name in ("intermediate_size", "moe_intermediate_size", "ffn_dim", "n_inner")]
    widest = max((one for one in given if isinstance(one, int)), default=0)
    experts = getattr(how, "num_experts_per_tok", None)
    return widest * (experts + 1 if isinstance(experts, int) else 1)


def _order(run: RunConfig, known: Known) -> Choice | None:
    """By length where much of a batch would be padding."""
    training = run.training
    if training.train_sampling_strategy != "auto":
        return None
    if training.packing:
        return Choice(ORDER, "random", "packed sequences are of one length already")
    if run.run.placement == "accelerate":
        return Choice(ORDER, "random", "several processes draw their rows apart")
    size = training.per_device_train_batch_size
    if size == 1:
        return Choice(ORDER, "random", "a batch of one row has no padding")
    if len(known.lengths) < FEW * size * training.gradient_accumulation_steps:
        return Choice(ORDER, "random", "there are too few rows to sort" if known.lengths else "lengths are not known")
    share = padding([min(one, training.max_length) for one in known.lengths], size)
    padded = f"{int(100 * share)} % of a shuffled batch would be padding"
    return Choice(ORDER, "group_by_length" if share >= PADDED else "random", padded)


def padding(lengths: Sequence[int], batch: int) -> float:
    """The share of padding in batches of rows drawn at random: 1 - mean length / mean of the longest in a batch.

    The longest of a batch is at most the k-th of n rows with probability (k / n) ** batch.
    """
    ordered = sorted(lengths)
    count = len(ordered)
    longest, before = 0.0, 0.0
    for length in sorted(set(ordered)):
        until = (bisect_right(ordered, length) / count) ** batch
        longest, before = longest + length * (until - before), until
    return 1 - sum(ordered) / count / longest if longest else 0.0


def _attention(run: RunConfig, machine: Hardware, known: Known) -> Choice | None:
    """Flash attention for packed rows, where it is installed, card and model can, and it is computed in 16 bit."""
    if run.model.attn_implementation != "auto" or run.run.backend == "unsloth" or machine.device != "cuda":
        return None
    sixteen = hardware.precision(run.training.precision, machine) != "fp32"
    if sixteen and machine.bf16 and known.flash and run.training.packing and hardware.has("flash_attn"):
        return Choice(ATTENTION, "flash_attention_2", "it is installed, and packed rows need no mask with it")
    return None
