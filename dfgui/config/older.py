"""Settings by the names they have elsewhere: of older TRL, of Unsloth's calls, of what TRL asks for and dfgui decides.

    values, said = translated({"training": {"max_seq_length": 2048, "report_to": "tensorboard"}})
    values  ->  {"training": {"max_length": 2048}, "trackers": "tensorboard"}
    said    ->  ["training.max_seq_length is training.max_length here.", "training.report_to is trackers here."]

So a file that was written for SFTConfig reads here too. Where both names stand, the one of today wins, unless it asks
for nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dfgui.config.block import FieldError
from dfgui.config.sft_config import EXTRA

NOTHING: Any = object()  # the older name says nothing that would have to be kept


@dataclass(frozen=True)
class Older:
    to: str  # the path it has here
    value: Callable[[Any], Any] = lambda value: value


def _unless_zero(value: Any) -> Any:
    """`warmup_ratio: 0.0` is how older examples say that warmup_steps decides."""
    return value or NOTHING


def _last_part(folder: Any) -> Any:
    return Path(str(folder or "")).name or NOTHING


def _where_true(meaning: Any) -> Callable[[Any], Any]:
    return lambda value: meaning if value else NOTHING


def _unless_usual(column: Any) -> Any:
    return NOTHING if column == "text" else column


def _completion(value: Any) -> Any:
    return NOTHING if value is None else "completion" if value else "everything"


OLDER = {
    "training.max_seq_length": Older("training.max_length"),
    "training.warmup_ratio": Older("training.warmup_steps", _unless_zero),
    "training.evaluation_strategy": Older("training.eval_strategy"),
    "training.group_by_length": Older("training.train_sampling_strategy", _where_true("group_by_length")),
    "training.per_gpu_train_batch_size": Older("training.per_device_train_batch_size"),
    "training.per_gpu_eval_batch_size": Older("training.per_device_eval_batch_size"),
    "training.use_gradient_checkpointing": Older("training.gradient_checkpointing", bool),
    "training.output_dir": Older("name", _last_part),
    "training.run_name": Older("name"),
    "training.report_to": Older("trackers"),
    "training.load_best_model_at_end": Older("early_stopping.load_best_model_at_end"),
    "training.metric_for_best_model": Older("early_stopping.metric"),
    "training.greater_is_better": Older("early_stopping.greater_is_better"),
    "training.early_stopping_patience": Older("early_stopping.patience"),
    "training.early_stopping_threshold": Older("early_stopping.threshold"),
    "early_stopping.early_stopping_patience": Older("early_stopping.patience"),
    "early_stopping.early_stopping_threshold": Older("early_stopping.threshold"),
    "training.assistant_only_loss": Older("data.train_on", _where_true("assistant")),
    "training.completion_only_loss": Older("data.train_on", _completion),
    "training.dataset_text_field": Older("data.text_column", _unless_usual),
    "training.load_in_4bit": Older("model.load_in_4bit"),
    "model.model_name": Older("model.name"),
    "model.max_seq_length": Older("training.max_length"),
    "adapter.use_gradient_checkpointing": Older("training.gradient_checkpointing", bool),
    "adapter.random_state": Older("training.seed"),
}

GONE = {  # what older files ask for and nothing here has to be told
    "training.no_cuda": "the hardware decides, or `precision`",
    "training.overwrite_output_dir": "each run has a folder of its own",
    "training.save_safetensors": "weights are always saved as safetensors",
    "training.logging_dir": "a tracker's files lie in the run's folder",
}

Values = dict[str, Any]


def translated(values: Values) -> tuple[Values, list[str]]:
    """Nested values by the names of today, and a sentence for each name that was another. Raises FieldError."""
    values, said = {name: dict(block) if isinstance(block, dict) else block for name, block in values.items()}, []
    for path, older in OLDER.items():
        if (given := _taken(values, path)) is not NOTHING:
            said.append(f"{path} is {older.to} here.")
            _put(values, older.to, older.value(given))
    for path, why in GONE.items():
        if _taken(values, path) is not NOTHING:
            said.append(f"{path} is not needed: {why}.")
    said += _precision(values)
    return values, said + _extra(values)


def _precision(values: Values) -> list[str]:
    """`bf16` and `fp16` are one choice here."""
    flags = {name: given for name in ("bf16", "fp16") if (given := _taken(values, f"training.{name}")) is not NOTHING}
    if flags.get("bf16") and flags.get("fp16"):
        raise FieldError("training.precision", "bf16 and fp16 cannot both be on: choose one precision.")
    if flags:
        chosen = next((name for name, on in flags.items() if on), "fp32")
        _put(values, "training.precision", chosen, unless=("auto",))
    return [f"training.{name} is training.precision here." for name in flags]


def _extra(values: Values) -> list[str]:
    """Settings of SFTConfig that have no place of their own are written with those that have, and kept in `extra`."""
    training = values.get("training")
    known = [name for name in training if name in EXTRA] if isinstance(training, dict) else []
    for name in known:
        _put(values, f"extra.{name}", _taken(values, f"training.{name}"))
    return [f"training.{name} is extra.{name} here." for name in known]


def _taken(values: Values, path: str) -> Any:
    """What stands at the path, taken away from there; NOTHING where nothing stands."""
    block, name = path.split(".")
    inner = values.get(block)
    return inner.pop(name, NOTHING) if isinstance(inner, dict) else NOTHING


def _put(values: Values, path: str, value: Any, unless: tuple[Any, ...] = ()) -> None:
    """Sets the path, unless something stands there that asks for something."""
    *blocks, name = path.split(".")
    for block in blocks:
        if values.get(block) is None:
            values[block] = {}
        values = values[block]
        if not isinstance(values, dict):
            return  # which will be refused for itself
    if value is not NOTHING and (not values.get(name) or values[name] in unless):
        values[name] = value
