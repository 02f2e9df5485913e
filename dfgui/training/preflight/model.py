"""The model of a run, before its start: whether it can be had, and what is kept of an earlier run."""

from collections.abc import Iterator

from dfgui import config
from dfgui.config import METHODS, RunConfig
from dfgui.models import earlier, load
from dfgui.settings import Settings
from dfgui.training.preflight.note import Note, concerning


def model(run: RunConfig, settings: Settings) -> Iterator[Note]:
    with concerning("model.name"):
        size = load.weights_size(run.model, settings)
    place = "on this machine" if size else "looked for on the Hub and fetched at the start"
    found = earlier.find(run.model.name, settings)
    yield Note("ok", "Model", f"{found.title if found else run.model.name}, {place}.")


def goes_on(run: RunConfig, settings: Settings) -> Iterator[Note]:
    """What a run keeps that begins from a checkpoint of another one."""
    found = earlier.find(run.model.name, settings)
    if found is None or found.kind == "full":
        return
    if run.method != "lora":
        text = f"That of {found.title} is merged into its base; then {METHODS[run.method]['LEARNS']} is trained."
        yield Note("ok", "Adapter", text)
        return
    if run.model.chat_template != "own":
        text = "Its adapter has learned the marks of the template that it was trained with."
        cure = "Choose own, or train a new adapter on the base model."
        yield Note("stop", f"{found.title} keeps its chat template.", text, cure, "model.chat_template")
    yield _adapter_kept(run.adapter, found)


def _adapter_kept(asked: config.Adapter, found: earlier.Earlier) -> Note:
    differs = [name for name in earlier.ADAPTED if getattr(asked, name) != getattr(found.adapter, name)]
    if not differs:
        return Note("ok", "Adapter", f"That of {found.title} is trained on: {found.shape}.")
    text = f"That of {found.title} is trained on, and keeps its shape: {found.shape}."
    return Note("warn", "Adapter", text, f"What is set for {', '.join(differs)} is not used.", f"adapter.{differs[0]}")
