"""Backends: how a model is made and adapted, and what must be imported for it. One file each, with the same functions.

begin(home)                                        imports the engine; what that changed, in words, "" for nothing
model(folder, dtype, device, tokenizer, config)    the model to train
adapted(model, config, tokens)                     what SFTTrainer is given of it: {"model": ..., "peft_config": ...}
"""

from importlib import import_module
from importlib.metadata import version
from types import ModuleType

TITLES = {"trl": "TRL", "unsloth": "Unsloth"}


def of(name: str) -> ModuleType:
    """The backend of that name. Nothing heavy is imported before its begin()."""
    return import_module(f"dfgui.models.backends.{name}")


def described(name: str) -> str:
    """ "TRL 1.14.2" """
    return f"{TITLES[name]} {version(name)}"
