"""The TRL backend: plain transformers weights, PEFT's LoRA."""

from pathlib import Path
from typing import Any

from dfgui.config import Adapter, RunConfig
from dfgui.models import load


def begin(home: Path) -> str:
    """Imports TRL, which changes nothing by that."""
    import trl  # noqa: F401

    return ""


def model(folder: str, dtype: str, device: str, tokenizer: Any, config: RunConfig) -> Any:
    """The model to train, from a local folder, weights held in `dtype`, with room for every token of `tokenizer`."""
    asked = config.model
    loaded = load.weights(folder, dtype, device, asked.bits, asked.attn_implementation)
    load.make_room(loaded, tokenizer)
    loaded.config.use_cache = False  # a cache only costs memory while training
    return loaded


def adapted(model: Any, config: RunConfig, tokens: list[int]) -> dict[str, Any]:
    """What SFTTrainer is given: the model, and the adapter that it is to put on it."""
    return {
        "model": model,
        "peft_config": peft_config(config.adapter, model, tokens) if config.method == "lora" else None,
    }


def peft_config(adapter: Adapter, model: Any, tokens: list[int]) -> Any:
    """PEFT's description of the adapter; None where `model` has one that is trained on.

    The rows of `tokens` in the embeddings of `model` are learned as well.
    """
    from peft import LoraConfig, PeftModel

    if isinstance(model, PeftModel):
        return None
    return LoraConfig(
        r=adapter.r,
        lora_alpha=adapter.lora_alpha,
        lora_dropout=adapter.lora_dropout,
        target_modules=adapter.target_modules,
        use_rslora=adapter.use_rslora,
        use_dora=adapter.use_dora,
        modules_to_save=adapter.whole or None,
        ensure_weight_tying=bool(adapter.whole),  # embeddings that are one stay one
        trainable_token_indices=dict.fromkeys(embeddings(model, adapter), tokens) if tokens else None,
        task_type="CAUSAL_LM",
    )


def embeddings(model: Any, adapter: Adapter) -> list[str]:
    """Names of the layers that hold a row for each token: one where input and output share it, otherwise two.

    A layer that is adapted itself, or trained whole, learns new rows by that.
    """
    layers = [one for one in (model.get_input_embeddings(), model.get_output_embeddings()) if one is not None]
    names = [name.rpartition(".")[2] for name, module in model.named_modules() if any(module is one for one in layers)]
    tied = layers[-1].weight is layers[0].weight
    if tied and any(name in adapter.whole for name in names):
        return []  # whichever of the two names it
    adapted = adapter.target_modules if isinstance(adapter.target_modules, list) else []
    return [name for name in (names[:1] if tied else names) if name not in (*adapted, *adapter.whole)]
