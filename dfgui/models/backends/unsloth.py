"""The Unsloth backend: the same model and the same LoRA, made by FastLanguageModel.

Importing unsloth rewrites TRL, transformers and the environment for the whole process, and cannot be undone. So it is
imported here alone, before all that it rewrites, and only in a process that trains one run and ends with it.
"""

import logging
import os
import sys
from pathlib import Path
from typing import Any

from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.models import load
from dfgui.models.backends import trl

logger = logging.getLogger("dfgui")

REWRITTEN = ("trl", "transformers", "peft")


def begin(home: Path) -> str:
    """Imports Unsloth. Raises UserError in a process where what it rewrites is in use already."""
    if "unsloth" not in sys.modules and any(name in sys.modules for name in REWRITTEN):
        raise UserError(
            "Unsloth cannot begin in this process.",
            "It rewrites TRL as it is imported, and TRL is in use here already.",
            "Let the run have a process of its own: run.placement: process.",
            field="run.placement",
        )
    os.environ.setdefault("UNSLOTH_DISABLE_STATISTICS", "1")  # it would fetch a file from the Hub, to be counted
    # Else it would keep what it compiles in whatever folder this process began in.
    os.environ.setdefault("UNSLOTH_COMPILE_LOCATION", str(home / "unsloth_compiled_cache"))
    before = dict(os.environ)
    import unsloth  # noqa: F401

    changed = sorted(name for name, value in os.environ.items() if before.get(name) != value)
    logger.info("Unsloth has set %s", ", ".join(changed))  # names alone: a value may be a secret
    return f"Unsloth has rewritten TRL's trainer and set {len(changed)} environment variables, for this process alone."


def model(folder: str, dtype: str, device: str, tokenizer: Any, config: RunConfig) -> Any:
    """The model to train, with room for every token of `tokenizer`. FastLanguageModel picks the device itself."""
    import torch
    from unsloth import FastLanguageModel

    made, _ = FastLanguageModel.from_pretrained(
        model_name=folder,
        max_seq_length=config.training.max_length,
        dtype=getattr(torch, dtype),
        load_in_4bit=config.model.load_in_4bit,
        load_in_8bit=config.model.load_in_8bit,
        full_finetuning=config.method == "full",
        use_gradient_checkpointing=_checkpointing(config),
        trust_remote_code=False,
    )
    load.make_room(made, tokenizer)
    made.config.use_cache = False
    return made


def adapted(model: Any, config: RunConfig, tokens: list[int]) -> dict[str, Any]:
    """What SFTTrainer is given: the model with its adapter on it already."""
    from peft import PeftModel

    if config.method == "full" or isinstance(model, PeftModel):  # one of an earlier run, which is trained on
        return {"model": model}
    from unsloth import FastLanguageModel

    adapter = config.adapter
    rows = {"trainable_token_indices": dict.fromkeys(trl.embeddings(model, adapter), tokens)} if tokens else {}
    made = FastLanguageModel.get_peft_model(
        model,
        r=adapter.r,
        lora_alpha=adapter.lora_alpha,
        lora_dropout=adapter.lora_dropout,
        target_modules=adapter.target_modules,
        use_rslora=adapter.use_rslora,
        modules_to_save=adapter.whole or None,
        use_gradient_checkpointing=_checkpointing(config),
        random_state=config.training.seed,
        max_seq_length=config.training.max_length,
        **rows,
    )
    return {"model": made}


def _checkpointing(config: RunConfig) -> Any:
    return "unsloth" if config.training.gradient_checkpointing else False
