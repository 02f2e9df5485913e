"""The TRL backend: plain transformers weights, PEFT's LoRA."""

from typing import Any

from dfgui.config import Adapter
from dfgui.models import load


def model(folder: str, dtype: str, device: str) -> Any:
    """The model to train, from a local folder, weights held in `dtype`."""
    loaded = load.weights(folder, dtype, device)
    loaded.config.use_cache = False  # a cache only costs memory while training
    return loaded


def peft_config(adapter: Adapter) -> Any:
    """PEFT's description of the adapter."""
    from peft import LoraConfig

    return LoraConfig(
        r=adapter.r,
        lora_alpha=adapter.lora_alpha,
        lora_dropout=adapter.lora_dropout,
        target_modules=adapter.target_modules,
        task_type="CAUSAL_LM",
    )
