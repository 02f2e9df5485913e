"""How it is trained: SFTConfig's names and meanings."""

from typing import Any, Literal

from pydantic import field_validator, model_validator

from dfgui.config.block import Block, setting

# The two starting points of DeepFabric's "Training Frameworks" page: an adapter takes steps ten times larger.
LEARNING_RATES = {"lora": 2e-4, "full": 2e-5}

SCHEDULERS = Literal[
    "linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup", "inverse_sqrt"
]
OPTIMIZERS = Literal["adamw_torch_fused", "adamw_torch", "adamw_8bit", "paged_adamw_8bit", "adafactor", "sgd"]


class Training(Block):
    """SFTConfig's names and meanings, flat."""

    num_train_epochs: float = setting(
        3.0,
        "Epochs",
        "How often the model sees each row. 1 to 3 is usually enough; more can overfit a small dataset.",
        "duration",
        gt=0,
        le=1000,
    )
    max_steps: int = setting(
        -1, "Max steps", "Stop after this many updates. -1: as many as the epochs need.", "duration", ge=-1
    )
    max_length: int = setting(
        1024, "Max length", "Tokens per row. Longer rows are cut: their end is lost.", "duration", ge=8, le=1_048_576
    )
    per_device_train_batch_size: int = setting(
        4,
        "Batch size",
        "Rows per device at once. Start with 2 to 4 and raise it while memory allows.",
        "batch",
        ge=1,
        le=4096,
    )
    gradient_accumulation_steps: int = setting(
        4,
        "Accumulation",
        "Batches added up before one update: a larger batch without the memory.",
        "batch",
        ge=1,
        le=4096,
    )
    per_device_eval_batch_size: int = setting(
        8, "Eval batch size", "Rows per device while evaluating.", "batch", "advanced", ge=1, le=4096
    )
    packing: bool = setting(
        False,
        "Packing",
        "Join short rows into sequences of max length. Quicker, if attention keeps the rows apart.",
        "batch",
        "advanced",
    )
    learning_rate: float = setting(
        LEARNING_RATES["lora"],
        "Learning rate",
        "Size of an update. 2e-4 for LoRA, 2e-5 for full fine-tuning.",
        "schedule",
        gt=0,
        le=10,
    )
    lr_scheduler_type: SCHEDULERS = setting(
        "linear", "Schedule", "How the learning rate falls over the run.", "schedule", "advanced"
    )
    warmup_steps: float = setting(
        0.0,
        "Warm-up",
        "Steps until the learning rate is full. Below 1: a share of all steps.",
        "schedule",
        "advanced",
        ge=0,
    )
    optim: OPTIMIZERS = setting(
        "adamw_torch_fused",
        "Optimiser",
        "adamw_8bit and paged_adamw_8bit save memory and need bitsandbytes.",
        "schedule",
        "advanced",
    )
    weight_decay: float = setting(
        0.0, "Weight decay", "Pull of the weights towards zero; 0.01 is common.", "schedule", "advanced", ge=0, le=1
    )
    max_grad_norm: float = setting(
        1.0, "Gradient clipping", "Larger gradients are scaled down to this norm.", "schedule", "advanced", gt=0
    )
    precision: Literal["auto", "bf16", "fp16", "fp32"] = setting(
        "auto", "Precision", "auto: bf16 where the hardware supports it, otherwise fp16, otherwise fp32.", "precision"
    )
    gradient_checkpointing: bool = setting(
        True,
        "Gradient checkpointing",
        "Recompute instead of remember: much less memory, about a quarter slower.",
        "precision",
    )
    logging_steps: int = setting(5, "Log every", "Steps between two points of the loss curve.", "records", ge=1)
    save_strategy: Literal["steps", "epoch"] = setting(
        "steps", "Save by", "When checkpoints are written; the last step is always saved.", "records", "advanced"
    )
    save_steps: int = setting(100, "Save every", "Steps between two checkpoints.", "records", ge=1)
    save_total_limit: int = setting(
        0,
        "Keep at most",
        "Older checkpoints are deleted beyond this many. The last always stays, and the best if it was evaluated as it "
        "was saved: make save_steps a multiple of eval_steps. 0: keep all.",
        "records",
        "advanced",
        ge=0,
        le=1000,
    )
    eval_strategy: Literal["steps", "epoch", "no"] = setting(
        "steps", "Evaluate by", "When the held-out rows are scored.", "records", "advanced"
    )
    eval_steps: int = setting(50, "Evaluate every", "Steps between two evaluations.", "records", ge=1)
    seed: int = setting(
        42, "Seed", "Same seed, same data order and same start.", "records", "advanced", ge=0, le=2**32 - 1
    )

    @model_validator(mode="before")
    @classmethod
    def known_by_older_names(cls, values: Any) -> Any:
        """Older names: max_seq_length, warmup_ratio (a zero never overrides warmup_steps), bf16, fp16."""
        if not isinstance(values, dict):
            return values
        values = dict(values)
        if "max_seq_length" in values:
            values.setdefault("max_length", values.pop("max_seq_length"))
        if ratio := values.pop("warmup_ratio", 0):
            values["warmup_steps"] = ratio
        flags = {name: values.pop(name) for name in ("bf16", "fp16") if name in values}
        if flags.get("bf16") and flags.get("fp16"):
            raise ValueError("bf16 and fp16 cannot both be on: choose one precision.")
        if flags:
            values.setdefault("precision", next((name for name, on in flags.items() if on), "fp32"))
        return values

    @field_validator("eval_strategy", mode="before")
    @classmethod
    def no_as_yaml_reads_it(cls, strategy: Any) -> Any:
        """YAML 1.1 reads a bare `no` as false."""
        return "no" if strategy is False else strategy

    @field_validator("save_total_limit", mode="before")
    @classmethod
    def nothing_said_keeps_all(cls, limit: Any) -> Any:
        return 0 if limit is None else limit

    @field_validator("save_total_limit")
    @classmethod
    def room_for_best_and_last(cls, limit: int) -> int:
        if limit == 1:
            raise ValueError("1 would delete the last checkpoint or the best. Use 2 or more, or 0 to keep all.")
        return limit

    @field_validator("max_steps")
    @classmethod
    def some_steps(cls, steps: int) -> int:
        if steps == 0:
            raise ValueError("0 steps train nothing. Use -1 to go by epochs.")
        return steps
