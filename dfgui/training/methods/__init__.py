"""Methods: which weights learn. One file for each, which is all that a new one is (docs/adding-a-method.md).

    ORDER            its place in the form
    TITLE            what people call it
    TELLS            what it does, for the help of the setting: "trains every weight"
    LEARNS           what learns, in a few words: "every weight"
    LEARNING_RATE    the usual one
    choose(model)    leaves requires_grad on for the weights that learn, and on no other

lora and full have no choose: the backends make the adapter, and a model as it is loaded learns whole. The trainer is
the same for all of them (training/sft.py).
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from dfgui.config import RunConfig
from dfgui.errors import UserError


def chooser(method: str) -> Callable[[Any], None] | None:
    """The method's choose(model), where it has one."""
    return getattr(import_module(f"{__name__}.{method}"), "choose", None)


def file(method: str) -> Path:
    return Path(__file__).parent / f"{method}.py"


def choose(method: str, model: Any, marks: list[int]) -> None:
    """Freezes what does not learn. `marks` are tokens that are new to the model. Raises UserError."""
    if not (chosen := chooser(method)):
        return
    chosen(model)
    if not any(weight.requires_grad for weight in model.parameters()):
        raise UserError(
            f"Nothing learns with {method}.", "It leaves no weight of this model on.", "Choose another.", field="method"
        )
    if marks and not model.get_input_embeddings().weight.requires_grad:
        raise UserError(
            "The model would not learn the marks of its chat template.",
            f"They are new to it, and {method} trains no embeddings.",
            "Choose LoRA or full fine-tuning, or a template whose marks the model knows.",
            field="model.chat_template",
        )


def as_loaded(run: RunConfig) -> RunConfig:
    """The run as models/ knows it: weights of its own model learn as in a full fine-tune, which takes at least as much
    memory.
    """
    return run if run.method in ("lora", "full") else run.model_copy(update={"method": "full"})
