"""What DeepFabric is told of a run: plain dicts, made of what the trainer says, ready to be written as JSON.

run_id("h3k9x2m4q7")  ->  the uuid under which DeepFabric knows the run, the same in every part of it
"""

import math
import uuid
from datetime import UTC, datetime
from enum import Enum
from typing import Any

CONFIG = """
num_train_epochs max_steps per_device_train_batch_size per_device_eval_batch_size gradient_accumulation_steps
learning_rate weight_decay adam_beta1 adam_beta2 adam_epsilon max_grad_norm warmup_steps warmup_ratio lr_scheduler_type
logging_steps eval_steps save_steps seed fp16 bf16 gradient_checkpointing deepspeed local_rank dataloader_num_workers
""".split()  # the arguments that DeepFabric's own callback sends


def run_id(run: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{run}.dfgui"))


def run_start(run: str, model_name: str, args: Any, state: Any) -> dict[str, Any]:
    now = _now()
    return {
        "event_type": "run_start",
        "run_id": run_id(run),
        "model_name": model_name,
        "training_config": {name: plain(getattr(args, name)) for name in CONFIG if hasattr(args, name)},
        "state": {
            "max_steps": state.max_steps,
            "num_train_epochs": plain(state.num_train_epochs),
            "is_world_process_zero": state.is_world_process_zero,
        },
        "started_at": now,
        "timestamp": now,
    }


def metrics(run: str, kind: str, state: Any, values: dict[str, Any]) -> dict[str, Any]:
    """One entry of a batch; `kind` is log, eval or checkpoint."""
    return {
        "run_id": run_id(run),
        "global_step": state.global_step,
        "epoch": plain(state.epoch),
        "timestamp": _now(),
        "type": kind,
        "metrics": plain(values),
    }


def run_end(run: str, state: Any) -> dict[str, Any]:
    now = _now()
    return {
        "event_type": "run_end",
        "run_id": run_id(run),
        "final_step": state.global_step,
        "final_epoch": plain(state.epoch),
        "total_flos": plain(state.total_flos),
        "best_metric": plain(state.best_metric),
        "best_model_checkpoint": state.best_model_checkpoint,
        "completed_at": now,
        "timestamp": now,
    }


def plain(value: Any) -> Any:
    """The value as JSON can hold it: NaN and infinity are null, numpy's and torch's numbers are numbers."""
    if isinstance(value, dict):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, Enum):
        value = value.value
    if hasattr(value, "item"):
        value = _number(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _number(value: Any) -> Any:
    """One number of numpy or torch as Python's own; more of them stay what they are."""
    try:
        return value.item()
    except (ValueError, RuntimeError):
        return value


def _now() -> str:
    return datetime.now(UTC).isoformat()
