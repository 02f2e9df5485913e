"""What may end or watch a run besides its steps: early stopping and callbacks; and where it executes."""

import re
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from dfgui.config.block import Block, FieldError, setting

METRICS = Literal["eval_loss", "eval_mean_token_accuracy", "eval_entropy"]  # what TRL says of an evaluation
SECRET = re.compile(r"(^|_)(key|token|secret|password)s?$", re.IGNORECASE)  # how an argument is named that holds one
TRAINER = "@trainer"  # an argument that is the trainer itself
ENVIRONMENT = "@env:"  # "@env:DEEPFABRIC_API_KEY": the value is read where the run executes, and written nowhere
USE = re.compile(r"([A-Za-z_]\w*(\.[A-Za-z_]\w*)*|[A-Za-z_][\w-]*\.py):[A-Za-z_]\w*")


class EarlyStopping(Block):
    """transformers' EarlyStoppingCallback, and which checkpoint is the model in the end."""

    patience: int = setting(
        0,
        "Patience",
        "Evaluations without improvement after which the run ends. 0: it trains to its last step.",
        "stopping",
        "advanced",
        ge=0,
        le=1000,
    )
    threshold: float = setting(
        0.0, "Threshold", "An improvement counts when it is larger than this.", "stopping", "advanced", ge=0
    )
    metric: METRICS = setting(
        "eval_loss",
        "Metric",
        "What is watched, and by what the best checkpoint is known. A loss or an entropy is better when it falls.",
        "stopping",
        "advanced",
    )
    greater_is_better: bool | None = setting(
        None,
        "Greater is better",
        "auto: known from the metric's name.",
        "stopping",
        "advanced",
    )
    load_best_model_at_end: bool = setting(
        False,
        "End with the best",
        "At the end the weights go back to the checkpoint with the best metric.",
        "stopping",
        "advanced",
    )

    @model_validator(mode="before")
    @classmethod
    def patience_comes_first(cls, values: Any) -> Any:
        """Whoever says how to stop, but not after how many evaluations, would wait for a stop that never comes."""
        if not isinstance(values, dict) or values.get("patience"):
            return values
        given = {name for name in cls.model_fields if values.get(name) is not None}
        silent = "patience" not in values and not values.get("load_best_model_at_end")
        if values.get("threshold") or (silent and given - {"load_best_model_at_end"}):
            raise FieldError("early_stopping.patience", "Without it nothing stops: set patience too, for example to 3.")
        return values

    @field_validator("metric", mode="before")
    @classmethod
    def as_trl_logs_it(cls, metric: Any) -> Any:
        """transformers takes `loss` for `eval_loss`."""
        return f"eval_{metric}" if isinstance(metric, str) and not metric.startswith("eval_") else metric

    @property
    def greater(self) -> bool:
        """Whether a larger value is the better one."""
        if self.greater_is_better is not None:
            return self.greater_is_better
        return self.metric.endswith("accuracy")


class Callback(Block):
    """One callback of the user's own: a class that the owner allowed when dfgui was started."""

    use: str = Field(title="Class", description="pkg.module:Class, or file.py:Class of the callbacks folder.")
    args: dict[str, Any] = Field(
        default_factory=dict,
        title="Arguments",
        description='By name; "@trainer" stands for the trainer, "@env:NAME" for what the environment holds.',
    )
    detach: bool = Field(
        True,
        title="Detach if it fails",
        description="A callback that raises is reported and left out; off: it ends the run.",
    )

    @model_validator(mode="before")
    @classmethod
    def a_name_is_enough(cls, values: Any) -> Any:
        return {"use": values} if isinstance(values, str) else values

    @field_validator("use")
    @classmethod
    def names_a_class(cls, use: str) -> str:
        if not USE.fullmatch(use):
            raise ValueError("Write package.module:Class, or file.py:Class of the callbacks folder.")
        return use

    @field_validator("args", mode="before")
    @classmethod
    def without_secrets(cls, args: Any) -> Any:
        """A config is stored, shown and exported: a secret in it would be too."""
        if not isinstance(args, dict):
            return args or {}
        for name, value in args.items():
            if SECRET.search(str(name)) and isinstance(value, str) and value and not value.startswith("@"):
                raise ValueError(f"A secret would be stored: write {name}: '@env:NAME', and set NAME where it runs.")
        return args


class Run(Block):
    """Where and with what a run executes."""

    placement: Literal["thread", "process", "accelerate"] = setting(
        "thread",
        "Runs in",
        "thread: inside the app. process: on its own, so that it survives the app. accelerate: several processes, for "
        "several GPUs or machines.",
        "run",
    )
    backend: Literal["trl", "unsloth"] = setting(
        "trl",
        "Engine",
        "trl: SFTTrainer of the TRL library. unsloth: the same, made faster on an NVIDIA GPU; always in a process.",
        "method",
    )
    processes: int = setting(
        0,
        "Processes",
        "With accelerate: how many. 0: one for each GPU, two without one.",
        "run",
        "advanced",
        when={"run.placement": ["accelerate"]},
        ge=0,
        le=1024,
    )
    accelerate_config: str = setting(
        "",
        "Accelerate config",
        "With accelerate: the path of its own config file, as `accelerate config` writes it (DDP, FSDP, DeepSpeed).",
        "run",
        "advanced",
        when={"run.placement": ["accelerate"]},
    )

    @model_validator(mode="after")
    def unsloth_never_shares_a_process(self) -> "Run":
        """Importing unsloth rewrites TRL for the whole process."""
        if self.backend == "unsloth" and self.placement == "thread":
            self.__dict__["placement"] = "process"
        return self
