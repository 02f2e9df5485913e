"""Which settings to change, and to what, after a run has ended badly: computed from what the run was asked to do.

    memory(config, longest=1800)
    [({"training.per_device_train_batch_size": 2, "training.gradient_accumulation_steps": 8}, "the same rows per step"),
     ({"training.gradient_checkpointing": True}, ""), ({"training.max_length": 900}, "longer rows lose their end")]

What is at its best already is not named. The first helps most.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from dfgui.config import LEARNING_RATES, RunConfig
from dfgui.models import hardware
from dfgui.models.fastest import value_of

MOST = 3  # at once: more is not tried out anyway
SHORTEST = 128  # tokens; cutting rows further leaves little to learn from

Changes = dict[str, Any]  # path -> value
Remedy = tuple[Changes, str]  # and what it does besides, in words


def memory(config: RunConfig, longest: int | None = None, evaluating: bool = False) -> list[Remedy]:
    """What takes less memory. `longest`: tokens of the longest row; `evaluating`: it ran out in an evaluation."""
    found = (*(_smaller_evaluation(config) if evaluating else ()), *_smaller_batch(config), *_checkpointing(config))
    others = (*_adapter(config), *_shorter(config, longest), *_optimizer(config))
    return list(islice((*found, *others), MOST))


def divergence(config: RunConfig) -> list[Remedy]:
    """What keeps a loss from becoming no number."""
    training, usual = config.training, LEARNING_RATES[config.method]
    found: list[Remedy] = []
    if training.learning_rate > usual:
        found.append(({"training.learning_rate": max(usual, float(f"{training.learning_rate / 10:.3g}"))}, ""))
    if training.precision == "fp16":
        found.append(({"training.precision": "auto"}, "fp16 overflows beyond 65,504"))
    if training.max_grad_norm > 1:
        found.append(({"training.max_grad_norm": 1.0}, ""))
    if not training.warmup_steps:
        found.append(({"training.warmup_steps": 0.1}, "a tenth of all steps"))
    if not found:
        found.append(({"training.learning_rate": float(f"{training.learning_rate / 10:.3g}")}, ""))
    return found[:MOST]


def changes(remedies: list[Remedy]) -> Changes:
    """All of them at once."""
    return {path: value for changed, _ in remedies for path, value in changed.items()}


def sentence(config: RunConfig, remedies: list[Remedy]) -> str:
    """ "Set max_length to 900 (now 2048; longer rows lose their end) and precision to auto (now fp16)." """
    parts = [
        _part(path, value, value_of(config, path), remark if path == next(iter(changed)) else "")
        for changed, remark in remedies
        for path, value in changed.items()
    ]
    *most, last = parts or [""]
    return f"Set {', '.join(most)}{' and ' if most else ''}{last}." if last else ""


def _part(path: str, value: Any, now: Any, remark: str) -> str:
    name = path.removeprefix("training.")
    return f"{name} to {_written(value)} (now {_written(now)}{f'; {remark}' if remark else ''})"


def _written(value: Any) -> str:
    """As it stands in YAML."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _smaller_evaluation(config: RunConfig) -> Iterator[Remedy]:
    size = config.training.per_device_eval_batch_size
    if size > 1:
        yield {"training.per_device_eval_batch_size": max(1, size // 4)}, "it ran out while evaluating"


def _smaller_batch(config: RunConfig) -> Iterator[Remedy]:
    size, added = config.training.per_device_train_batch_size, config.training.gradient_accumulation_steps
    if size > 1:
        half = size // 2 if size % 2 == 0 else 1
        smaller = {
            "training.per_device_train_batch_size": half,
            "training.gradient_accumulation_steps": added * size // half,
        }
        yield smaller, f"still {size * added} rows per step"


def _checkpointing(config: RunConfig) -> Iterator[Remedy]:
    if config.training.gradient_checkpointing is not True:
        yield {"training.gradient_checkpointing": True}, "about a quarter slower"


def _adapter(config: RunConfig) -> Iterator[Remedy]:
    if config.method != "lora":
        rate = config.training.learning_rate == LEARNING_RATES[config.method]
        more = {"training.learning_rate": LEARNING_RATES["lora"]} if rate else {}
        yield {"method": "lora", **more}, "an adapter needs no optimiser state for the model's weights"


def _shorter(config: RunConfig, longest: int | None) -> Iterator[Remedy]:
    """Half of what rows really have: a max_length beyond the longest row costs nothing."""
    half = min(config.training.max_length, longest or config.training.max_length) // 2
    if half >= SHORTEST:
        yield {"training.max_length": half}, "longer rows lose their end"


def _optimizer(config: RunConfig) -> Iterator[Remedy]:
    if config.method != "lora" and "8bit" not in config.training.optim and hardware.has("bitsandbytes"):
        yield {"training.optim": "paged_adamw_8bit"}, ""
