"""A block of settings, and what each setting says of itself to the form."""

from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

GROUPS = {  # the form's sections, in its order
    "model": "Model",
    "data": "Data",
    "method": "Method",
    "adapter": "Adapter",
    "duration": "Duration",
    "batch": "Batch",
    "schedule": "Learning rate",
    "optimiser": "Optimiser and loss",
    "precision": "Precision",
    "memory": "Memory",
    "logging": "Logging",
    "checkpoints": "Checkpoints",
    "evaluation": "Evaluation",
    "stopping": "Early stopping",
    "callbacks": "Callbacks and trackers",
    "run": "Run",
    "extra": "Anything else",
}


def setting(
    default: Any,
    title: str,
    help: str,
    group: str,
    level: str = "basic",
    when: dict[str, list[Any]] | None = None,
    **bounds: Any,
) -> Any:
    """A pydantic field that the form can draw.

    `level` is basic or advanced; `when` names the values of other settings for which this one matters, by path, where
    it does not always; `bounds` are pydantic's ge, gt, le, lt.
    """
    extra: Any = {"group": group, "level": level, "when": when or {}}
    return Field(default, title=title, description=help, json_schema_extra=extra, **bounds)


def written(given: Any) -> Any:
    """Settings by name as a form has them, one `name: value` a line, as a dict; anything else as it is."""
    if given is None or given == "":
        return {}
    if not isinstance(given, str):
        return given
    try:
        return yaml.safe_load(given) or {}
    except yaml.YAMLError as error:
        raise ValueError("Write one `name: value` a line.") from error


class FieldError(ValueError):
    """What is wrong with a setting that only others show to be wrong: `field` is its path, "training.save_steps"."""

    def __init__(self, field: str, words: str):
        super().__init__(words)
        self.field = field


class FieldErrors(ValueError):
    """Several of them at once."""

    def __init__(self, errors: list[FieldError]):
        super().__init__(" ".join(map(str, errors)))
        self.errors = errors


class Block(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True, allow_inf_nan=False, str_strip_whitespace=True)
