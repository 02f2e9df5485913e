"""How the weights move: the optimiser, the learning rate and its schedule, by SFTConfig's names and meanings."""

from typing import Any, Literal

from pydantic import field_validator

from dfgui import seams
from dfgui.config.block import Block, setting, written

METHODS = seams.said(seams.METHODS)  # what each file says of its method at its top
LEARNING_RATES = {name: float(said["LEARNING_RATE"]) for name, said in METHODS.items()}

# transformers' OptimizerNames, and the package that each needs beside torch.
OPTIMIZERS: dict[str, str] = {
    "adamw_torch_fused": "",
    "adamw_torch": "",
    "adamw_8bit": "bitsandbytes",
    "paged_adamw_8bit": "bitsandbytes",
    "paged_adamw_32bit": "bitsandbytes",
    "adamw_bnb_8bit": "bitsandbytes",
    "adafactor": "",
    "sgd": "",
    "adagrad": "",
    "rmsprop": "",
    "rmsprop_bnb": "bitsandbytes",
    "rmsprop_bnb_8bit": "bitsandbytes",
    "rmsprop_bnb_32bit": "bitsandbytes",
    "lion_32bit": "bitsandbytes",
    "lion_8bit": "bitsandbytes",
    "paged_lion_32bit": "bitsandbytes",
    "paged_lion_8bit": "bitsandbytes",
    "ademamix": "bitsandbytes",
    "ademamix_8bit": "bitsandbytes",
    "paged_ademamix_32bit": "bitsandbytes",
    "paged_ademamix_8bit": "bitsandbytes",
    "adamw_torch_4bit": "torchao",
    "adamw_torch_8bit": "torchao",
    "adamw_anyprecision": "torchdistx",
    "adamw_torch_xla": "torch_xla",
    "adamw_torch_npu_fused": "torch_npu",
    "galore_adamw": "galore_torch",
    "galore_adamw_8bit": "galore_torch",
    "galore_adafactor": "galore_torch",
    "galore_adamw_layerwise": "galore_torch",
    "galore_adamw_8bit_layerwise": "galore_torch",
    "galore_adafactor_layerwise": "galore_torch",
    "lomo": "lomo_optim",
    "adalomo": "lomo_optim",
    "grokadamw": "grokadamw",
    "schedule_free_adamw": "schedulefree",
    "schedule_free_radam": "schedulefree",
    "schedule_free_sgd": "schedulefree",
    "apollo_adamw": "apollo_torch",
    "apollo_adamw_layerwise": "apollo_torch",
    "stable_adamw": "torch_optimi",
}

# transformers' SchedulerType, and what each can be told by lr_scheduler_kwargs; None: whatever its class takes.
SCHEDULERS: dict[str, tuple[str, ...] | None] = {
    "linear": (),
    "cosine": ("num_cycles",),
    "cosine_with_restarts": ("num_cycles",),
    "cosine_with_min_lr": ("min_lr", "min_lr_rate", "num_cycles"),
    "cosine_warmup_with_min_lr": ("min_lr", "min_lr_rate", "num_cycles", "warmup_lr_rate"),
    "polynomial": ("lr_end", "power"),
    "constant": (),
    "constant_with_warmup": (),
    "inverse_sqrt": ("timescale",),
    "warmup_stable_decay": (
        *("num_decay_steps", "num_stable_steps", "min_lr_ratio", "num_cycles"),
        *("warmup_type", "decay_type"),
    ),
    "reduce_lr_on_plateau": None,
    "greedy": None,
}
NEEDED = {  # one of these at least
    "cosine_with_min_lr": ("min_lr", "min_lr_rate"),
    "cosine_warmup_with_min_lr": ("min_lr", "min_lr_rate"),
    "warmup_stable_decay": ("num_decay_steps",),
}


class Schedule(Block):
    learning_rate: float = setting(
        LEARNING_RATES["lora"],
        "Learning rate",
        "Size of an update. 2e-4 for LoRA, 2e-5 for full fine-tuning.",
        "schedule",
        gt=0,
        le=10,
    )
    lr_scheduler_type: Literal[tuple(SCHEDULERS)] = setting(  # type: ignore[valid-type]  # the names stand once, above
        "linear", "Schedule", "How the learning rate falls over the run.", "schedule", "advanced"
    )
    lr_scheduler_kwargs: dict[str, Any] = setting(
        {},
        "Schedule's own",
        "What the schedule is told beside: min_lr: 1e-5, num_cycles: 2, num_decay_steps: 100.",
        "schedule",
        "advanced",
        when={"training.lr_scheduler_type": [name for name, told in SCHEDULERS.items() if told != ()]},
    )
    warmup_steps: float = setting(
        0.0,
        "Warm-up",
        "Steps until the learning rate is full. Below 1: a share of all steps.",
        "schedule",
        "advanced",
        ge=0,
    )

    @field_validator("lr_scheduler_kwargs", mode="before")
    @classmethod
    def as_it_is_written(cls, given: Any) -> Any:
        return written(given)


class Optimiser(Block):
    optim: Literal[tuple(OPTIMIZERS)] = setting(  # type: ignore[valid-type]  # the names stand once, above
        "adamw_torch_fused",
        "Optimiser",
        "adamw_8bit and paged_adamw_8bit save memory and need bitsandbytes.",
        "optimiser",
        "advanced",
    )
    weight_decay: float = setting(
        0.0, "Weight decay", "Pull of the weights towards zero; 0.01 is common.", "optimiser", "advanced", ge=0, le=1
    )
    max_grad_norm: float = setting(
        1.0, "Gradient clipping", "Larger gradients are scaled down to this norm.", "optimiser", "advanced", gt=0
    )
    neftune_noise_alpha: float | None = setting(
        None,
        "NEFTune",
        "Noise on the embeddings while training, which can make answers better; 5 is usual. Empty: none.",
        "optimiser",
        "advanced",
        ge=0.1,
        le=100,
    )
    loss_type: Literal["auto", "chunked_nll", "nll", "dft"] = setting(
        "auto",
        "Loss",
        "chunked_nll: cross-entropy, a piece of the scores at a time, for less memory. nll: the same at once. dft: "
        "answers the model finds likely count for more. auto: chunked_nll where it can be.",
        "optimiser",
        "advanced",
    )
