"""What a run has found on its machine and its config does not say: the base and its commit, precision, new tokens."""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dfgui.config import EARLIER, Model, RunConfig, rules
from dfgui.errors import UserError
from dfgui.models import earlier, hardware, load
from dfgui.models.hardware import Precision
from dfgui.settings import Settings
from dfgui.training import apart, callback_source, methods
from dfgui.training.script.places import MODEL


@dataclass(frozen=True)
class Known:
    """What a config alone does not say."""

    model: str  # a Hub id, or MODEL
    revision: str | None
    device: str  # cuda, mps or cpu
    precision: Precision
    dtype: str  # in which the weights are held
    evaluates: bool
    adapter: str = ""  # "trained on" or "merged", where the run begins from an earlier one's adapter
    marks: bool = False  # whether the chat template has marks that the model learns
    learned: dict[str, list[int]] | None = field(default_factory=dict)  # as rows of the embeddings; None: not known yet
    grows: bool = False  # whether the tokenizer has more tokens than the model
    processes: int = 1
    run: str = ""  # its id; "" for one that has not been started
    plain: frozenset[str] = frozenset()  # callbacks that do not derive from TrainerCallback


def known(config: RunConfig, settings: Settings, facts: dict[str, Any] | None = None, run: str = "") -> Known:
    """From the facts of a run; what they do not tell, as it would be on this machine. Raises UserError."""
    facts = facts or {}
    machine = hardware.look()
    precision = facts.get("precision") or hardware.precision(config.training.precision, machine)
    found = earlier.find(config.model.name, settings)
    facts = {**earlier.facts(config.model.name, settings), **facts}
    model = began_from(config, facts)
    on_the_hub = is_on_the_hub(model)
    strange = not facts and config.model.chat_template != "own"
    marks = facts.get("marks", int(config.model.chat_template != "own"))
    return Known(
        model=model.name if on_the_hub else MODEL,
        revision=model.revision if on_the_hub else None,
        device=facts.get("device_type") or machine.device,
        precision=precision,
        dtype=facts.get("dtype")
        or hardware.weights_dtype(config.model.dtype, methods.as_loaded(config).method, precision),
        evaluates=config.training.eval_strategy != "no" and bool(facts.get("eval_rows", rules.has_held_out(config))),
        adapter="" if not found or found.kind == "full" else "trained on" if config.method == "lora" else "merged",
        marks=bool(marks),
        learned=facts.get("learned", None if strange else {}),
        grows=_grows(facts),
        processes=apart.processes(config) if config.run.placement == "accelerate" else 1,
        run=run,
        plain=frozenset(one.use for one in config.callbacks if _is_plain(one.use, settings)),
    )


def began_from(config: RunConfig, facts: dict[str, Any]) -> Model:
    """The model under whatever is trained, pinned to the commit that was found."""
    return earlier.origin({"facts": facts, "config": config.model_dump()})


def is_on_the_hub(model: Model) -> bool:
    return model.name != "demo" and not EARLIER.fullmatch(model.name) and not load.is_folder(model.name)


def _grows(facts: dict[str, Any]) -> bool:
    """Whether the tokenizer has more tokens than its base has embeddings."""
    file = Path(facts.get("base", "")) / "config.json"
    if "vocabulary" not in facts or not file.is_file():
        return False
    base = json.loads(file.read_text(encoding="utf-8"))
    return facts["vocabulary"] > base.get("vocab_size", base.get("text_config", {}).get("vocab_size", 10**9))


def _is_plain(use: str, settings: Settings) -> bool:
    with suppress(UserError):  # it cannot be found here: the script will say so
        return callback_source.is_plain(use, settings)
    return False
