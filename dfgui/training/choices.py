"""What a run leaves open, decided once its rows are tokenised and its model is at hand (models/fastest.py says how).

It is kept as facts of the run: a resume goes on with it, its script is written with it, and Monitor shows it.
"""

import logging
import time
from pathlib import Path
from typing import Any

from dfgui.config import RunConfig
from dfgui.models import fastest, hardware, load, shapes
from dfgui.models.hardware import Hardware
from dfgui.models.memory import Shape
from dfgui.settings import Settings
from dfgui.training.phases import Phases

logger = logging.getLogger("dfgui")

SECONDS = 90  # at most, until a large model is measured: little beside a run that need not compute everything twice


def settle(
    config: RunConfig, phases: Phases, settings: Settings, prepared: Any, base: str, machine: Hardware
) -> RunConfig:
    """The config with nothing left open. `base`: the folder with the model's config.json."""
    memory = _memory(config, phases, settings, prepared.longest, base)
    if before := phases.facts().get("chosen"):
        return fastest.settled(config, before)
    lengths = [len(ids) for ids in prepared.train["input_ids"]] if fastest.is_open(config, fastest.ORDER) else []
    known = fastest.Known(
        lengths=lengths,
        longest=prepared.longest,
        flash=_can_flash(base) if fastest.is_open(config, fastest.ATTENTION) else False,
        free=hardware.free(),
        **memory,
    )
    found = fastest.choices(config, machine, known)
    for one in found:
        words = fastest.in_words(one)
        logger.info("%s", words)
        phases.writer.event("phase", f"{words}.")
    keep(phases.writer, {}, found)
    return fastest.settled(config, {one.path: one.value for one in found})


def keep(writer: Any, facts: dict[str, Any], found: list[fastest.Choice]) -> None:
    """Writes these choices into the facts of a run, over those that they have."""
    chosen = facts.get("chosen", {}) | {one.path: one.value for one in found}
    because = facts.get("chosen_because", {}) | {one.path: one.because for one in found}
    writer.facts(chosen=chosen, chosen_because=because)


def _memory(config: RunConfig, phases: Phases, settings: Settings, longest: int, base: str) -> dict[str, Any]:
    """What is known of the memory that the run takes without checkpointing: a shape, or a bound that is low enough.

    Measuring a model takes seconds, which a small one does not need and a large one is worth: it may not fit at all.
    """
    if not fastest.goes_by_memory(config):
        return {}
    if isinstance(shape := shapes.known(config, settings, begin=False), Shape):
        return {"shape": shape}
    from transformers import AutoConfig

    how = AutoConfig.from_pretrained(base, trust_remote_code=False).get_text_config()
    bound = fastest.bound(how, config, load.weights_size(config.model, settings) or 0, longest)
    if bound is not None and fastest.is_small(bound, hardware.free()):
        return {"bound": bound}
    phases.begin("measuring the model")
    until = time.monotonic() + SECONDS
    while (shape := shapes.known(config, settings)) is None and time.monotonic() < until:
        phases.stop_if_asked()
        time.sleep(0.2)
    return {"shape": shape} if isinstance(shape, Shape) else {"bound": bound}


def _can_flash(base: str) -> bool:
    """Whether transformers' class of this model can use flash attention."""
    from transformers import AutoConfig, AutoModelForCausalLM

    how = AutoConfig.from_pretrained(Path(base), trust_remote_code=False)
    made = AutoModelForCausalLM._model_mapping.get(type(how), None)
    return bool(getattr(made, "_supports_flash_attn", False))
