"""A block of settings, and what each setting says of itself to the form."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

GROUPS = {  # the form's sections, in its order
    "model": "Model",
    "data": "Data",
    "method": "Method",
    "adapter": "Adapter",
    "duration": "Duration",
    "batch": "Batch",
    "schedule": "Learning rate",
    "precision": "Precision and memory",
    "records": "Logging, checkpoints, evaluation",
    "stopping": "Early stopping",
    "callbacks": "Callbacks and trackers",
    "run": "Run",
}


def setting(default: Any, title: str, help: str, group: str, level: str = "basic", **bounds: Any) -> Any:
    """A pydantic field that the form can draw. `level` is basic or advanced; `bounds` are pydantic's ge, gt, le, lt."""
    return Field(default, title=title, description=help, json_schema_extra={"group": group, "level": level}, **bounds)


class FieldError(ValueError):
    """What is wrong with a setting that only others show to be wrong: `field` is its path, "training.save_steps"."""

    def __init__(self, field: str, words: str):
        super().__init__(words)
        self.field = field


class Block(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True, allow_inf_nan=False, str_strip_whitespace=True)
