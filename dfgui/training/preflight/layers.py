"""Which layers an adapter is put on, and whether the model has them: known once its shape is (models/shapes.py)."""

from collections.abc import Iterator

from dfgui import words
from dfgui.config import RunConfig
from dfgui.models import earlier, shapes
from dfgui.models.memory import Shape
from dfgui.settings import Settings
from dfgui.training.preflight.note import Note


def layers(run: RunConfig, settings: Settings) -> Iterator[Note]:
    """How much learns, and in which layers; a name that the model has not keeps the run from starting."""
    if run.method != "lora" or earlier.goes_on(run, earlier.find(run.model.name, settings)):
        return
    shape = shapes.known(run, settings, begin=False)
    if shape is None:
        yield Note("tell", "Layers", "They are looked up in the model's config.", pending=True)
    elif isinstance(shape, Shape):
        yield _strange(run, shape) if shape.strange else _learning(run, shape)


def _learning(run: RunConfig, shape: Shape) -> Note:
    adapter = run.adapter
    named = adapter.target_modules if isinstance(adapter.target_modules, list) else shape.linear
    whole = f", and all of {words.listed(adapter.whole)}" if adapter.whole else ""
    learning = sum(one.numbers for one in shape.trainable)
    share = words.share(learning / shape.parameters)
    those = words.listed(named) or "All linear layers"
    text = f"{those} are adapted{whole}: {words.short(learning)} of its weights learn, {share}."
    return Note("ok", "Layers", text)


def _strange(run: RunConfig, shape: Shape) -> Note:
    name = shape.strange[0]
    field = "adapter.modules_to_save" if name in run.adapter.whole else "adapter.target_modules"
    text = f"Its linear layers are {words.listed(shape.linear)}."
    cure = "Correct the name, or take it out." if len(shape.strange) < 2 else "Correct the names, or take them out."
    return Note("stop", f"The model has no layer {words.listed(shape.strange)}.", text, cure, field)
