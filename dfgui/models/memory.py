"""How much memory a run will take: from the shape of its model, which rehearsal.py finds, and from its settings.

    found = estimate(shape, run, "cuda")
    found.parts      {"weights": 1.2e9, "adapter": 40e6, "gradients": 40e6, "optimiser": 81e6, "activations": ..., ...}
    found.total      bytes on each device, at the moment of a step that takes most

A step has three moments that can be the highest: the way forth and back, the update of the weights, and an evaluation.
Weights, gradients and the optimiser's state are exact. Activations are what autograd keeps and makes, as a formula in
the tokens of a batch (see Moment); they are those of a batch in which every row is as long as the longest may be.
"""

from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

from dfgui.config import RunConfig, rules
from dfgui.models import optimisers

CONTEXT_BYTES = 600_000_000  # CUDA's context and the kernels loaded into it: 0.4 to 0.7 GB by card and driver
WORKSPACE_BYTES = 2 * 32 * 2**20  # cuBLAS's, 32 MiB on a Hopper (8 on others) for each of two threads: forth and back
HEAP_BYTES = 400_000_000  # on a CPU: what malloc keeps of freed pieces of up to 32 MiB (mallopt(3)), and libraries load
SLACK = 0.05  # of what comes and goes: the allocator hands out whole blocks and keeps some that nothing fits into
PARTS = ("weights", "adapter", "gradients", "optimiser", "activations", "loss", "overhead")

Terms = tuple[float, float, float]  # bytes: base, for each token of a batch, for each token and token of its row


@dataclass(frozen=True)
class Asked:
    """What the shape of a model depends on. Neither batch, length, checkpointing nor optimiser are in it."""

    folder: str  # with config.json
    home: str
    model: dict[str, Any]
    method: str
    adapter: dict[str, Any]
    dtype: str
    precision: str
    loss: str = "auto"
    bits: int | None = None  # 4 or 8: in how many the base is held
    attention: str = "auto"
    packed: bool = False  # rows are joined into one without padding
    even: bool = False  # all rows of a batch are of one length, so that attention needs no mask


class Moment(NamedTuple):
    """A moment of a step: what is alive beside the weights, as terms in the tokens of a batch."""

    rest: Terms
    scores: Terms
    gradients: Terms

    @property
    def whole(self) -> Terms:
        return _sum(self.beside, self.gradients)

    @property
    def beside(self) -> Terms:
        """All but the gradients that are already there."""
        return _sum(self.rest, self.scores)

    def towards(self, other: "Moment", times: float) -> "Moment":
        """This moment with `times` the difference to another one added: that of a model with more layers."""
        return Moment(*(_stepped(one, its, times) for one, its in zip(self, other, strict=True)))


def _sum(one: Terms, other: Terms) -> Terms:
    return (one[0] + other[0], one[1] + other[1], one[2] + other[2])


def _stepped(one: Terms, other: Terms, times: float) -> Terms:
    first, second, third = (mine + (its - mine) * times for mine, its in zip(one, other, strict=True))
    return (first, second, third)


def moment(rest: Any, scores: Any, gradients: Any) -> Moment:
    return Moment(_terms(rest), _terms(scores), _terms(gradients))


def _terms(given: Any) -> Terms:
    base, each, square = given
    return (base, each, square)


@dataclass(frozen=True)
class Tensors:
    """Weights that are trained, of one shape."""

    shape: tuple[int, ...]
    size: int  # bytes of an element
    count: int = 1
    embedding: bool = False

    @property
    def numbers(self) -> int:
        return prod(self.shape) * self.count

    @property
    def bytes(self) -> int:
        return self.numbers * self.size


@dataclass(frozen=True)
class Shape:
    """What a model takes however it is trained on, and what a step takes in which it is."""

    parameters: int
    weights: int  # bytes, tied ones once; an adapter is not in it
    trainable: list[Tensors]
    full: bool  # every weight is trained
    plain: list[Moment]  # of a step, the highest ones
    checkpointed: list[Moment]
    evaluating: list[Moment]
    dequantised: int = 0  # bytes that weights in 4 or 8 bit take while they are computed with
    linear: tuple[str, ...] = ()  # the names of its linear layers, without the last one
    strange: tuple[str, ...] = ()  # names of layers that an adapter asks for and the model has not
    masked: bool = True

    @property
    def trained(self) -> int:
        """Bytes of the weights that are trained."""
        return sum(one.bytes for one in self.trainable)


def shape_of(given: dict[str, Any]) -> Shape:
    """A shape from its JSON."""
    lists = {name: [moment(*one) for one in given[name]] for name in ("plain", "checkpointed", "evaluating")}
    tensors = [Tensors(**{**one, "shape": tuple(one["shape"])}) for one in given["trainable"]]
    names = {name: tuple(given.get(name, ())) for name in ("linear", "strange")}
    return Shape(**{**given, **lists, **names, "trainable": tensors})


@dataclass(frozen=True)
class Estimate:
    parts: dict[str, int]  # bytes, by PARTS
    at: str  # "training", "the update" or "an evaluation"
    allocated: int  # what torch's tensors take of it, as torch.cuda.max_memory_allocated counts
    unknown: str = ""  # what is not counted

    @property
    def total(self) -> int:
        return sum(self.parts.values())

    def facts(self) -> dict[str, Any]:
        return {**self.parts, "total": self.total, "allocated": self.allocated}


def estimate(shape: Shape, run: RunConfig, device: str = "cpu", longest: int | None = None, world: int = 1) -> Estimate:
    """What a run takes on each device. `longest`: tokens of the longest row, where it is known; `world`: processes."""
    training = run.training
    kept = optimiser_state(shape, training.optim)
    always = {
        "weights": shape.weights,
        "adapter": 0 if shape.full else shape.trained,
        "optimiser": kept or 0,
    }
    buckets = shape.trained if world > 1 else 0  # DDP gathers gradients in tensors of its own
    highest = max(
        (
            _training(shape, run, longest, buckets),
            _update(shape, run, device, buckets),
            *([_evaluation(shape, run, longest)] if _evaluates(run) else []),
        ),
        key=lambda one: sum(one[1].values()),
    )
    at, moving = highest
    on_gpu = device == "cuda"
    workspace = WORKSPACE_BYTES if on_gpu else 0
    allocated = sum(always.values()) + sum(moving.values()) + workspace
    beyond = CONTEXT_BYTES + round(SLACK * (moving["activations"] + moving["loss"])) if on_gpu else HEAP_BYTES
    parts = {**always, **moving, "overhead": workspace + beyond}
    unknown = f"What {training.optim} remembers depends on the weights and is not counted." if kept is None else ""
    return Estimate({name: parts[name] for name in PARTS}, at, allocated, unknown)


def training_step(shape: Shape, run: RunConfig, longest: int | None = None) -> dict[str, int]:
    """What comes and goes on the way forth and back: gradients, activations, loss."""
    return _training(shape, run, longest, 0)[1]


def optimiser_state(shape: Shape, optim: str) -> int | None:
    """Bytes that the optimiser remembers; None where that cannot be known."""
    each = [optimisers.state_bytes(optim, one.shape, one.size, one.embedding) for one in shape.trainable]
    if any(one is None for one in each):
        return None
    return sum((one or 0) * tensors.count for one, tensors in zip(each, shape.trainable, strict=True))


def checkpoint_bytes(shape: Shape, optim: str) -> int:
    """What a checkpoint takes on the disk: the weights that were trained, and what the optimiser remembers of them."""
    return shape.trained + (optimiser_state(shape, optim) or 0)


def tokens(run: RunConfig, rows: int, longest: int | None) -> tuple[int, int]:
    """(tokens of a batch of so many rows, tokens that each of them may look at)."""
    training = run.training
    length = min(training.max_length, longest or training.max_length)
    if training.packing:
        length = training.max_length
        if training.packing_strategy.startswith("bfd"):  # TRL joins the sequences of a batch into one
            return rows * length, rows * length
    return rows * length, length


Moving = tuple[str, dict[str, int]]


def _training(shape: Shape, run: RunConfig, longest: int | None, buckets: int) -> Moving:
    """Forth and back. Where batches are added up, the gradients of those before are there from the beginning."""
    training = run.training
    moments = shape.checkpointed if training.gradient_checkpointing else shape.plain
    size = tokens(run, training.per_device_train_batch_size, longest)
    if training.gradient_accumulation_steps > 1:
        highest = max(moments, key=lambda one: _at(one.beside, size))
        gradients = shape.trained
    else:
        highest = max(moments, key=lambda one: _at(one.whole, size))
        gradients = _at(highest.gradients, size)
    return "training", _moving(highest, size, gradients + buckets, shape.dequantised)


def _evaluation(shape: Shape, run: RunConfig, longest: int | None) -> Moving:
    size = tokens(run, run.training.per_device_eval_batch_size, longest)
    highest = max(shape.evaluating, key=lambda one: _at(one.beside, size))
    return "an evaluation", _moving(highest, size, 0, shape.dequantised)


def _update(shape: Shape, run: RunConfig, device: str, buckets: int) -> Moving:
    taken = optimisers.temporary_bytes(run.training.optim, shape.trained, device)
    return "the update", {"gradients": shape.trained + buckets, "activations": taken, "loss": 0}


def _moving(highest: Moment, size: tuple[int, int], gradients: int, dequantised: int) -> dict[str, int]:
    activations = _at(highest.rest, size) + dequantised
    return {"gradients": gradients, "activations": activations, "loss": _at(highest.scores, size)}


def _at(terms: Terms, size: tuple[int, int]) -> int:
    count, length = size
    return round(terms[0] + terms[1] * count + terms[2] * count * length)


def _evaluates(run: RunConfig) -> bool:
    return run.training.eval_strategy != "no" and rules.has_held_out(run)
