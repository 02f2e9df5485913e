"""A learning rate so far above the usual that the run would most likely learn nothing."""

from collections.abc import Iterator

from dfgui import presets, words
from dfgui.config import LEARNING_RATES, RunConfig
from dfgui.settings import Settings
from dfgui.training.preflight.note import Note

BEYOND = 10  # times the usual
ALIKE = ("adam", "lion", "ademamix")  # optimisers with the usual rates; others, as sgd, take larger ones


def rate(run: RunConfig, settings: Settings) -> Iterator[Note]:
    asked, usual = run.training.learning_rate, usual_of(run)
    if asked > BEYOND * usual and any(name in run.training.optim for name in ALIKE):
        times = words.whole(round(asked / usual))
        text = f"{words.number(asked)} is {times} times the usual: most likely the model learns nothing."
        cure, changes = f"{words.number(usual)} is usual.", {"training.learning_rate": usual}
        yield Note("warn", "Learning rate", text, cure, "training.learning_rate", changes)


def usual_of(run: RunConfig) -> float:
    """The tiny model of the demo takes larger steps than any other."""
    if run.model.name == "demo":
        return float(presets.PRESETS["cpu"].values["training.learning_rate"])
    return LEARNING_RATES[run.method]
