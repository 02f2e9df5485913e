"""What Unsloth and weights in 4 or 8 bit need before the start, and what an engine makes of the settings.

require_unsloth(config), require_bits(config)   raise UserError where that cannot be on this machine
replaced(config, precision, dtype, trainer)     ["packing is False and not True.", ...]
"""

from typing import Any

from dfgui.config import RunConfig
from dfgui.config.rules import EMBEDDINGS
from dfgui.errors import UserError
from dfgui.models import hardware
from dfgui.models.hardware import Precision


def require_unsloth(config: RunConfig) -> None:
    """Raises UserError where Unsloth cannot train this run on this machine."""
    if not (hardware.has("unsloth") and hardware.has("unsloth_zoo")):
        raise UserError(
            "Unsloth is not installed.",
            "It has a requirements file of its own, as it adds much that not every machine needs.",
            "Install it with `pip install --no-deps -r requirements-unsloth.txt`, or choose TRL.",
            field="run.backend",
        )
    if config.run.placement == "accelerate":
        raise UserError(
            "Unsloth trains in one process.",
            "Several are the business of TRL and accelerate.",
            "Run it in a process, or choose TRL.",
            field="run.placement",
        )
    if hardware.look().device == "mps":
        raise UserError(
            "Unsloth does not train here on an Apple GPU.",
            "It would leave the GPU and train on the CPU.",
            "Choose TRL, which uses the GPU.",
            field="run.backend",
        )
    if config.method == "lora" and (whole := [name for name in EMBEDDINGS if name in config.adapter.target_modules]):
        raise UserError(
            f"Unsloth gives {whole[0]} no adapter.",
            "It would train all of that layer.",
            "Take it out of the layers and write it under 'Layers trained whole', or choose TRL.",
            field="adapter.target_modules",
        )


def require_bits(config: RunConfig) -> None:
    """Raises UserError where the base of this run cannot be held in 4 or 8 bit, as it asks for."""
    machine, bits = hardware.look(), config.model.bits
    off = f"leave 'Base in {bits} bit' off."
    if config.method != "lora":
        title, why = f"Weights in {bits} bit cannot be trained.", "They are frozen, and an adapter learns beside them."
        cure = f"Choose LoRA, or {off}"
    elif config.model.name.startswith("run:"):
        title, why = f"A base in {bits} bit cannot be an earlier run.", "What it has learned would be rounded away."
        cure = f"Export it merged and begin from that folder, or {off}"
    elif machine.device not in ("cuda", "cpu"):
        title, why = f"{bits}-bit weights do not work here.", f"This machine: {hardware.describe(machine)}."
        cure = off.capitalize()
    elif not hardware.has("bitsandbytes"):
        title, why = f"{bits}-bit weights need bitsandbytes.", "It is not installed."
        cure = f"Install it with `pip install bitsandbytes`, or {off}"
    else:
        return
    raise UserError(title, why, cure, field=f"model.load_in_{bits}bit")


def advice(config: RunConfig) -> str:
    """What to know of Unsloth on this machine; "" where there is a GPU that it makes faster."""
    if hardware.look().device == "cuda":
        return ""
    replaced = ["packing is left off"] if config.training.packing else []
    replaced += ["adamw_torch_fused is the optimiser"] if "8bit" in config.training.optim else []
    return "Without a GPU it trains as TRL does, and no faster" + "".join(f"; {words}" for words in replaced) + "."


def replaced(config: RunConfig, names: list[str], precision: Precision, dtype: str, trainer: Any) -> list[str]:
    """A sentence for each of the settings `names` that the trainer was left with another value of. TRL changes none."""
    asked = {name: getattr(config.training, name) for name in names}
    left = {name: _plain(getattr(trainer.args, name)) for name in names}
    asked["precision"] = precision
    left["precision"] = "bf16" if trainer.args.bf16 else "fp16" if trainer.args.fp16 else "fp32"
    if not config.model.bits:  # else what is not quantised is held as the quantiser likes
        asked["dtype"], left["dtype"] = dtype, str(trainer.model.dtype).removeprefix("torch.")
    engine = config.run.backend
    return [
        f"{name} is {left[name]} and not {asked[name]}: {engine} has changed it."
        for name in asked
        if left[name] != asked[name]
    ]


def _plain(value: Any) -> Any:
    """transformers holds some choices as enums."""
    return getattr(value, "value", value)
