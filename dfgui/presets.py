"""Named starting points: a few settings laid over the config. Where a piece is missing the substitute is named.

The Unsloth, 16 GB and 24 GB presets are the values of DeepFabric's "Training Frameworks" page, exactly.
"""

from dataclasses import dataclass
from typing import Any

_PAGE = {"training.gradient_checkpointing": True, "training.precision": "bf16"}
_LARGER = {"training.gradient_checkpointing": "auto", "training.precision": "bf16"}


@dataclass(frozen=True)
class Preset:
    title: str
    help: str
    values: dict[str, Any]


PRESETS: dict[str, Preset] = {
    "cpu": Preset(
        "CPU demo",
        "Choose this to try dfgui: the built-in tiny model learns the built-in rows in about two minutes, on any "
        "computer.",
        {
            "model.name": "demo",
            "data.source": "demo",
            "method": "lora",
            "adapter.r": 64,
            "adapter.lora_alpha": 128,
            "training.max_steps": 380,
            "training.learning_rate": 4e-3,
            "training.lr_scheduler_type": "cosine",
            "training.warmup_steps": 20,
            "training.per_device_train_batch_size": 4,  # many small steps teach so small a model most in two minutes
            "training.gradient_accumulation_steps": 1,
            "training.gradient_checkpointing": False,  # a tiny model has memory to spare, and time is short
            "training.train_sampling_strategy": "random",  # what it learns in two minutes was measured so
            "training.precision": "fp32",
            "training.max_length": 1024,
            "training.logging_steps": 1,
            "training.save_steps": 95,
            "training.eval_steps": 95,
        },
    ),
    "16gb": Preset(
        "16 GB GPU",
        "Choose this for a GPU with 16 GB of memory, such as RTX 4080 or A4000: one row at a time, an update after "
        "every 16, and an optimiser that keeps its memory in 8 bit.",
        {
            **_PAGE,
            "training.per_device_train_batch_size": 1,
            "training.gradient_accumulation_steps": 16,
            "training.optim": "paged_adamw_8bit",
        },
    ),
    "24gb": Preset(
        "24 GB GPU",
        "Choose this for a GPU with 24 GB of memory, such as RTX 3090 or 4090: two rows at a time, an update after "
        "every 16, and an optimiser that keeps its memory in 8 bit.",
        {
            **_PAGE,
            "training.per_device_train_batch_size": 2,
            "training.gradient_accumulation_steps": 8,
            "training.optim": "adamw_8bit",
        },
    ),
    "48gb": Preset(
        "48 or 80 GB GPU",
        "Choose this for a GPU with 48 GB of memory or more, such as A6000, L40S, A100 or H100: 8 rows at a time, an "
        "update after every 16, and rows of up to 4,096 tokens.",
        {
            **_LARGER,
            "training.per_device_train_batch_size": 8,
            "training.gradient_accumulation_steps": 2,
            "training.max_length": 4096,
            "training.optim": "adamw_torch_fused",
        },
    ),
    "full": Preset(
        "Full fine-tune",
        "Choose this when an adapter is not enough: every weight of the model learns, in small careful steps. A GPU "
        "with 24 GB of memory has room for a model of about 1 billion weights, one with 80 GB for 4 billion.",
        {
            **_LARGER,
            "method": "full",
            "training.num_train_epochs": 2.0,
            "training.learning_rate": 2e-5,
            "training.lr_scheduler_type": "cosine",
            "training.warmup_steps": 0.03,
            "training.per_device_train_batch_size": 2,
            "training.gradient_accumulation_steps": 8,
            "training.optim": "adamw_8bit",
            "training.save_total_limit": 2,  # a checkpoint is six times the model in 16 bit
        },
    ),
    "tools": Preset(
        "Long tool calling",
        "Choose this for conversations with many tools and turns: rows of up to 8,192 tokens, one at a time, and a "
        "wider adapter, which learns the form of calls better.",
        {
            **_LARGER,
            "method": "lora",
            "adapter.r": 32,
            "adapter.lora_alpha": 64,
            "training.num_train_epochs": 2.0,
            "training.max_length": 8192,
            "training.learning_rate": 1e-4,
            "training.lr_scheduler_type": "cosine",
            "training.warmup_steps": 0.03,
            "training.per_device_train_batch_size": 1,
            "training.gradient_accumulation_steps": 16,
            "training.optim": "paged_adamw_8bit",
        },
    ),
    "unsloth": Preset(
        "Unsloth LoRA",
        "Choose this for a faster LoRA on an NVIDIA GPU: Unsloth trains a small adapter of the attention layers, two "
        "rows at a time, with an update after every 8.",
        {
            "run.backend": "unsloth",
            "method": "lora",
            "model.load_in_4bit": True,
            "adapter.r": 16,
            "adapter.lora_alpha": 16,
            "adapter.lora_dropout": 0.0,
            "adapter.target_modules": "q_proj, k_proj, v_proj, o_proj",
            "training.num_train_epochs": 3.0,
            "training.max_steps": -1,
            "training.max_length": 2048,
            "training.learning_rate": 2e-4,
            "training.per_device_train_batch_size": 2,
            "training.gradient_accumulation_steps": 4,
            "training.gradient_checkpointing": True,
            "training.precision": "auto",
            "training.optim": "adamw_8bit",
        },
    ),
}


def apply(
    name: str, bf16: bool, bitsandbytes: bool, unsloth: bool = False, in_4bit: bool = False
) -> tuple[dict[str, Any], list[str]]:
    """The preset's values as this machine can run them, and a sentence for each value that had to give way.

    `bf16`: whether the hardware trains in bf16; `bitsandbytes`: whether its 8-bit optimisers are installed; `unsloth`:
    whether that is; `in_4bit`: whether a model can be held in 4 bit.
    """
    values = dict(PRESETS[name].values)
    notes = []
    if values.get("training.precision") == "bf16" and not bf16:
        values["training.precision"] = "auto"
        notes.append("bf16 is not supported here: precision is chosen by the hardware instead.")
    if "8bit" in values.get("training.optim", "") and not bitsandbytes:
        notes.append(
            f"{values['training.optim']} needs bitsandbytes, which is not installed: adamw_torch_fused instead."
        )
        values["training.optim"] = "adamw_torch_fused"
    if values.get("run.backend") == "unsloth" and not unsloth:
        values["run.backend"] = "trl"
        notes.append("Unsloth is not installed: TRL trains the same adapter instead.")
    if values.get("model.load_in_4bit") and not in_4bit:
        values["model.load_in_4bit"] = False
        notes.append("4-bit weights need an NVIDIA GPU and bitsandbytes: the base is held in 16 or 32 bit instead.")
    return values, notes
