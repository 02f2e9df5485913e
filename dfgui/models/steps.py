"""What a training step takes beside the weights, found by rehearsing it on tensors that have a shape and no content.

    moments(asked, model, loss, "checkpointed")     the moments of a step that can be its peak, as terms in its tokens

A model from the meta device gets fake tensors for parameters. Then a step runs as the trainer runs it: PEFT's layers,
transformers' attention and checkpointing, the loss, autocast, autograd. What is alive after each operation is counted,
as torch.cuda.max_memory_allocated would. Three sizes give each moment as base + tokens * a + tokens * length * b, and
two depths of a model whose layers repeat give what each further layer adds.
"""

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from dfgui.models.memory import Asked, Moment, moment

SIZES = ((2, 1024), (4, 1024), (2, 2048))  # batch and length of the rehearsed steps
LEARNED = 512  # tokens that the loss is told to learn from, in each of them: two of TRL's chunks

Line = list[tuple[int, int, int]]  # after each operation: bytes alive, of them scores, of them gradients
Loss = Callable[..., Any]  # of (model, input_ids, attention_mask)


def moments(asked: Asked, model: Any, loss: Loss, mode: str) -> list[Moment]:
    """The moments of a step that can be its peak."""
    layers, depths = depths_of(model)
    few, *more = (_of_sizes(asked, model, loss, mode, layers, depth) for depth in depths)
    if not more:
        return _peaks(set(few.all))
    times = (len(layers) - depths[0]) / (depths[1] - depths[0])
    # What layers in the middle take lies between the first and the last, so that these are enough.
    pairs = [*few.counterparts(more[0])]
    return _peaks({*few.before, *(one.towards(other, times) for one, other in pairs)})


@dataclass
class Passage:
    """The moments of a step, by their order. The first and the last layer differ from those between them."""

    before: list[Moment]  # until the first layer has ended
    forth: list[Moment]  # from the second layer to the loss
    back: list[Moment]
    after_last: int = 0  # where in `back` the last layer has ended
    before_first: int = 0  # where in `back` the first layer begins

    @property
    def all(self) -> list[Moment]:
        return [*self.before, *self.forth, *self.back]

    def counterparts(self, deeper: "Passage") -> Iterator[tuple[Moment, Moment]]:
        """Each moment beside that of a model with more layers: those of the last layers, and those of the first."""
        yield from zip(self.forth[::-1], deeper.forth[::-1], strict=False)
        yield from zip(self.back[: self.before_first], deeper.back, strict=False)
        yield from zip(self.back[self.after_last :][::-1], deeper.back[::-1], strict=False)


def depths_of(model: Any) -> tuple[Any, list[int]]:
    """The list of the model's layers, and how many of them to rehearse with.

    Layers repeat, alone or in a pattern such as five with a window and one without. Two depths, a pattern apart, tell
    what each further one adds; a model whose layers do not repeat is rehearsed whole.
    """
    layers, how = layers_of(model), model.config.get_text_config()
    count = how.num_hidden_layers
    if not layers or getattr(how, "num_kv_shared_layers", None):
        return [], [count]
    kinds: list[str] = getattr(how, "layer_types", None) or [""] * count
    looks = [
        (kind, tuple((name, one.shape) for name, one in layer.named_parameters()))
        for kind, layer in zip(kinds, layers, strict=True)
    ]
    pattern, first = _pattern(looks)
    few = first + pattern + (count - first) % pattern
    few += pattern if few <= first + pattern else 0
    return layers, [few, few + pattern] if few + pattern < count else [count]


def layers_of(model: Any) -> Any:
    """The list of the model's layers, empty where there is none."""
    depth = model.config.get_text_config().num_hidden_layers
    lists = [one for one in model.modules() if isinstance(one, torch.nn.ModuleList)]
    return next((one for one in lists if len(one) == depth), [])


def _pattern(looks: list[Any]) -> tuple[int, int]:
    """(how many layers repeat, how many others stand before them)."""
    count = len(looks)
    for first in range(count):
        for size in range(1, (count - first) // 3 + 1):
            if all(looks[at] == looks[at + size] for at in range(first, count - size)):
                return size, first
    return count, 0


def _of_sizes(asked: Asked, model: Any, loss: Loss, mode: str, layers: Any, depth: int) -> Passage:
    """The moments of a step with so many layers."""
    with shortened(layers, depth):
        counts = [rehearsed(asked, model, loss, mode, *size, layers) for size in SIZES]
    before, forth, back = (_comparable(lines) for lines in zip(*(one.parts() for one in counts), strict=True))
    marks = counts[0].marks
    return Passage(before, forth, back, marks.get("after_last", 0), marks.get("before_first", len(back)))


def _comparable(lines: tuple[Line, ...]) -> list[Moment]:
    if len({len(line) for line in lines}) > 1:  # sizes took different ways: only the peaks can be compared
        lines = tuple([max(line)] if line else [] for line in lines)
    return [_linear(points) for points in zip(*lines, strict=True)]


@contextmanager
def shortened(layers: Any, depth: int) -> Iterator[None]:
    """The model with its first `depth` layers alone."""
    every = list(layers)
    if depth < len(every):
        del layers[depth:]
    try:
        yield
    finally:
        layers.extend(every[len(layers) :])


def rehearsed(asked: Asked, model: Any, loss: Loss, mode: str, batch: int, length: int, layers: Any) -> "Alive":
    """What is alive after each operation of one step."""
    with fake(model) as fakes, fakes:
        ids = torch.zeros(batch, length, dtype=torch.long)
        mask = None if asked.packed else torch.ones(batch, length, dtype=torch.long)
        alive = Alive(model, asked.even, layers)
        step(model, loss, ids, mask, mode, asked.precision, alive)
    return alive


def step(model: Any, loss: Loss, ids: Any, mask: Any, mode: str, precision: str, alive: "Alive") -> None:
    """One step under `alive`: the way forth, and unless it evaluates the way back."""
    model.train(mode != "evaluating")
    if mode == "checkpointed":
        model.gradient_checkpointing_enable()
        model.enable_input_require_grads()
    elif model.is_gradient_checkpointing:
        model.gradient_checkpointing_disable()
        model.disable_input_require_grads()
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision)
    cast = torch.autocast(ids.device.type, dtype) if dtype else nullcontext()
    with alive:
        with cast, torch.set_grad_enabled(mode != "evaluating"):
            result = loss(model, ids, mask)
        alive.mark("back")
        if mode != "evaluating":
            result.backward()
    model.zero_grad(set_to_none=True)


class Alive(TorchDispatchMode):
    """Counts the bytes of all storages that operations have made and that are still alive; weights are not counted.

    A question about the content of a fake tensor is answered: rows of a batch are of one length or not, and LEARNED
    tokens are learned.
    """

    def __init__(self, model: Any, even: bool | None = None, layers: Any = ()):
        super().__init__()
        self.even = even  # None: tensors have content
        self.line: Line = []
        self._bytes = {"all": 0, "scores": 0, "gradients": 0}
        self._seen: dict[int, Any] = {}  # id of a storage -> a reference that tells its end
        self._kind: dict[int, str] = {}
        self._vocabulary = model.config.get_text_config().vocab_size
        self._parameters = list(model.parameters())
        self._own = {id(one.untyped_storage()): one.untyped_storage() for one in (*self._parameters, *model.buffers())}
        self._hooks: list[Any] = []
        self.marks: dict[str, int] = {}
        self._layers = layers

    def __enter__(self) -> "Alive":
        for one in self._parameters:
            if one.requires_grad:
                self._hooks.append(one.register_post_accumulate_grad_hook(self._is_gradient))
        self._hooks += [one.register_forward_pre_hook(self._second_begins) for one in self._layers[1:2]]
        self._hooks += [one.register_forward_hook(self._last_but_one_ends) for one in self._layers[-2:-1]]
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        for hook in self._hooks:
            hook.remove()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if self.even is not None and func is torch.ops.aten._local_scalar_dense.default:
            return self.even if args[0].dtype is torch.bool else LEARNED
        made = func(*args, **(kwargs or {}))
        new = [self._count(one) for one in tree_leaves(made) if isinstance(one, torch.Tensor)]
        if any(new):
            self.line.append((self._bytes["all"], self._bytes["scores"], self._bytes["gradients"]))
        return made

    def mark(self, name: str) -> None:
        self.marks.setdefault(name, len(self.line) - self.marks.get("back", 0))

    def parts(self) -> tuple[Line, Line, Line]:
        """Until the first layer has ended, from there to the loss, and back."""
        back = self.marks["back"]
        first = self.marks.get("second", 0)
        return self.line[:first], self.line[first:back], self.line[back:]

    def _second_begins(self, layer: Any, given: tuple[Any, ...]) -> None:
        if "back" not in self.marks and given and given[0].requires_grad:
            given[0].register_hook(lambda gradient: self.mark("before_first"))
        self.mark("second")

    def _last_but_one_ends(self, layer: Any, given: Any, made: Any) -> None:
        states = made[0] if isinstance(made, tuple) else made
        if "back" not in self.marks and states.requires_grad:
            states.register_hook(lambda gradient: self.mark("after_last"))

    def _count(self, tensor: Any) -> bool:
        """Whether the tensor takes memory that nothing took before."""
        storage = tensor.untyped_storage()
        key = id(storage)
        if key in self._own or key in self._seen:
            return False
        size = storage.nbytes()
        self._kind[key] = "scores" if self._vocabulary in tensor.shape[-1:] and tensor.dim() > 1 else "all"
        self._add(key, size)
        self._seen[key] = weakref.ref(storage, lambda _: self._gone(key, size))
        return True

    def _is_gradient(self, parameter: Any) -> None:
        storage = parameter.grad.untyped_storage()
        key = id(storage)
        if key in self._seen and self._kind[key] != "gradients":
            self._add(key, -storage.nbytes())
            self._kind[key] = "gradients"
            self._add(key, storage.nbytes())

    def _gone(self, key: int, size: int) -> None:
        self._add(key, -size)
        del self._seen[key], self._kind[key]

    def _add(self, key: int, size: int) -> None:
        self._bytes["all"] += size
        if self._kind[key] != "all":
            self._bytes[self._kind[key]] += size


@contextmanager
def fake(model: Any) -> Iterator[FakeTensorMode]:
    """Fake tensors on the CPU in the place of a meta model's parameters and buffers.

    Masks are made as for a real batch, though transformers leaves its shortcuts where it meets a fake tensor; and
    experts in 32 bit are multiplied by its own operation, as torch's has no fake one for them.
    """
    from transformers import masking_utils
    from transformers.integrations import moe

    mode = FakeTensorMode()
    real = [(module._parameters, dict(module._parameters)) for module in model.modules()]
    real += [(module._buffers, dict(module._buffers)) for module in model.modules()]
    stands_in: dict[Any, Any] = {}
    for place, given in real:
        for name, one in given.items():
            if one is not None:
                if one not in stands_in:
                    stands_in[one] = _stand_in(mode, one)
                place[name] = stands_in[one]
    try:
        with (
            _replaced(masking_utils, "is_tracing", lambda tensor=None: False),
            _replaced(moe, "_can_use_grouped_mm", lambda rows, weight, offs: weight.dtype is torch.bfloat16),
        ):
            yield mode
    finally:
        for place, given in real:
            place.update(given)


@contextmanager
def _replaced(module: Any, name: str, other: Any) -> Iterator[None]:
    own = getattr(module, name)
    setattr(module, name, other)
    try:
        yield
    finally:
        setattr(module, name, own)


def _stand_in(mode: FakeTensorMode, one: Any) -> Any:
    made = FakeTensor(mode, one.detach().to("meta"), torch.device("cpu"))
    return torch.nn.Parameter(made, requires_grad=one.requires_grad) if isinstance(one, torch.nn.Parameter) else made


def _linear(points: tuple[tuple[int, int, int], ...]) -> Moment:
    """A moment's bytes as base + tokens * a + tokens * length * b, through the three sizes."""
    (_, scores, gradients) = (_through(tuple(point[index] for point in points)) for index in range(3))
    rest = _through(tuple(point[0] - point[1] - point[2] for point in points))
    return moment(rest, scores, gradients)


def _through(values: tuple[int, ...]) -> tuple[float, float, float]:
    (batch, length), (more, _), (_, longer) = SIZES
    tokens, more_tokens = batch * length, more * length
    # More rows of one length, then as many tokens in longer rows.
    square = Fraction(values[2] - values[1], batch * longer * longer - more * length * length)
    each = Fraction(values[1] - values[0] - square * (more - batch) * length * length, more_tokens - tokens)
    base = values[0] - each * tokens - square * batch * length * length
    return float(base), float(each), float(square)


def _peaks(found: set[Moment]) -> list[Moment]:
    """Those that no other one exceeds in every respect."""
    kept: list[Moment] = []
    for one in sorted(found, key=lambda one: sum(one.whole), reverse=True):
        if not any(_exceeds(other, one) for other in kept):
            kept = [other for other in kept if not _exceeds(one, other)] + [one]
    return kept


def _exceeds(one: Moment, other: Moment) -> bool:
    pairs = zip((*one.whole, *one.beside), (*other.whole, *other.beside), strict=True)
    return all(mine >= its for mine, its in pairs)
