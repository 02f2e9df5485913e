"""What may end or watch a run besides its steps: early stopping and callbacks; and where it executes."""

from typing import Any, Literal

from pydantic import Field, model_validator

from dfgui.config.block import Block, setting


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
    metric: str = setting(
        "eval_loss", "Metric", "What is watched: eval_loss, or eval_mean_token_accuracy.", "stopping", "advanced"
    )
    greater_is_better: bool | None = setting(
        None,
        "Greater is better",
        "Empty: known from the metric's name; a loss is better when it falls.",
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


class Callback(Block):
    """One callback of the user's own: a class that the owner allowed when dfgui was started."""

    use: str = Field(title="Class", description="pkg.module:Class, or file.py:Class of the callbacks folder.")
    args: dict[str, Any] = Field(
        default_factory=dict, title="Arguments", description='By name; "@trainer" stands for the trainer.'
    )
    detach: bool = Field(
        True,
        title="Detach if it fails",
        description="A callback that raises is reported and left out; off: it ends the run.",
    )


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
        ge=0,
        le=1024,
    )
    accelerate_config: str = setting(
        "",
        "Accelerate config",
        "With accelerate: the path of its own config file, as `accelerate config` writes it (DDP, FSDP, DeepSpeed).",
        "run",
        "advanced",
    )

    @model_validator(mode="after")
    def unsloth_never_shares_a_process(self) -> "Run":
        """Importing unsloth rewrites TRL for the whole process."""
        if self.backend == "unsloth" and self.placement == "thread":
            self.__dict__["placement"] = "process"
        return self
