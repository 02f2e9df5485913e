"""What a run is asked to do: one class, from which the form (fields.py), YAML and the command line (recipe.py) come.

    name: weather-lora
    model: {name: demo}
    data: {source: rows.jsonl, eval_fraction: 0.1}
    method: lora
    adapter: {r: 16, lora_alpha: 32}
    training: {max_steps: 60, learning_rate: 2.0e-3, logging_steps: 1}

Names are TRL's where TRL has one, and each default stands here and nowhere else. What is wrong on every machine is
refused here; what is wrong on this machine is training/preflight.py's business. Imports neither torch nor TRL.
"""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from dfgui.config import older, rules, sft_config
from dfgui.config.block import GROUPS, Block, FieldErrors, setting, written
from dfgui.config.control import Callback, EarlyStopping, Run
from dfgui.config.data import COLUMNS, LEAVABLE, Data
from dfgui.config.model import EARLIER, Adapter, Model
from dfgui.config.optimisation import LEARNING_RATES, METHODS, OPTIMIZERS
from dfgui.config.training import Training

__all__ = [
    "COLUMNS",
    "EARLIER",
    "GROUPS",
    "LEARNING_RATES",
    "LEAVABLE",
    "METHODS",
    "OPTIMIZERS",
    "TRACKERS",
    "Adapter",
    "Block",
    "Callback",
    "Data",
    "EarlyStopping",
    "FieldErrors",
    "Model",
    "Run",
    "RunConfig",
    "Training",
]

TRACKERS = ("tensorboard", "wandb", "trackio", "deepfabric")


EMPTY = ("early_stopping", "callbacks", "extra")
TOLD = "; ".join(f"{name} {said['TELLS']}" for name, said in METHODS.items())


class RunConfig(Block):
    name: str = setting(
        "", "Run name", "What this run is called in the list. Empty: made from the model and the method.", "run"
    )
    model: Model = Field(default_factory=Model)
    data: Data = Field(default_factory=Data)
    method: Literal[tuple(METHODS)] = setting(  # type: ignore[valid-type]  # the files in training/methods
        "lora", "Method", f"{TOLD}.", "method"
    )
    adapter: Adapter = Field(default_factory=Adapter)
    training: Training = Field(default_factory=Training)
    early_stopping: EarlyStopping = Field(default_factory=EarlyStopping)
    trackers: list[Literal[TRACKERS]] = setting(  # type: ignore[valid-type]  # the names stand once, above
        [],
        "Trackers",
        "Where the run is written down besides dfgui: TensorBoard files, W&B, Trackio, DeepFabric.",
        "callbacks",
        "advanced",
    )
    callbacks: list[Callback] = setting(
        [],
        "Own callbacks",
        "Classes that hear of the run as it goes: each step, each log, each evaluation, each checkpoint.",
        "callbacks",
        "advanced",
    )
    run: Run = Field(default_factory=Run)
    extra: dict[str, Any] = setting(
        {},
        "Other settings",
        "Any other setting of SFTConfig by its name, one `name: value` a line: adam_beta2: 0.95.",
        "extra",
        "advanced",
    )

    @model_validator(mode="before")
    @classmethod
    def by_the_names_of_today(cls, values: Any) -> Any:
        """Names from elsewhere are understood (older.py); a block that is there and empty asks for nothing."""
        if not isinstance(values, dict):
            return values
        values = older.translated(values)[0]
        return {name: value for name, value in values.items() if value is not None or name not in EMPTY}

    @model_validator(mode="before")
    @classmethod
    def learning_rate_of_the_method(cls, values: Any) -> Any:
        """A learning rate that nobody chose is the method's own."""
        if not isinstance(values, dict):
            return values
        training = values.get("training") or {}
        if isinstance(training, dict) and training.get("learning_rate") is None:
            rate = LEARNING_RATES.get(values.get("method", "lora"), LEARNING_RATES["lora"])
            values = {**values, "training": {**training, "learning_rate": rate}}
        return values

    @field_validator("extra", mode="before")
    @classmethod
    def as_sft_config_has_it(cls, extra: Any) -> Any:
        extra = written(extra)
        return sft_config.checked(extra, set(Training.model_fields)) if isinstance(extra, dict) else extra

    @model_validator(mode="after")
    def fits_together(self) -> "RunConfig":
        if wrong := list(rules.broken(self)):
            raise FieldErrors(wrong)
        return self

    @field_validator("trackers", mode="before")
    @classmethod
    def trackers_listed(cls, trackers: Any) -> Any:
        """One name alone is a list of one; "none" and nothing name none; a name given twice counts once."""
        listed = [trackers] if isinstance(trackers, str) else trackers or []
        if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
            return listed
        return list(dict.fromkeys(name for name in listed if name != "none"))

    def title(self) -> str:
        """The name given, or one made from what is trained: "demo-lora"."""
        return self.name or f"{self.model.name.rstrip('/').rsplit('/', 1)[-1]}-{self.method}"

    def rows_per_step(self, devices: int = 1) -> int:
        """The effective batch: rows that one update of the weights has seen."""
        return self.training.per_device_train_batch_size * self.training.gradient_accumulation_steps * max(devices, 1)
