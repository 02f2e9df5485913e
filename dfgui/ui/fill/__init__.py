"""What the Train form can be filled with, and by whom: a run, a preset, a file, a link, what was left, one default.

    asked(Wish({"preset": "24gb"}, now, shown, header, store))  ->  Filling(values, title, words, ...)

The browser asks (`dfgui.view.fill`), and names what it wants by the first of these words:

    {"run": ID, "step": 60}          a run's settings; with a step, to train on from there
    {"preset": "24gb"}
    {"yaml": TEXT, "file": NAME}     a run as people write it
    {"set": ["training.max_steps=60"]}   as in a link, and as the command line's --set
    {"left": {"training.max_steps": 60}}   what the page remembered
    {"back": "training.max_steps"}   one setting, as it is anyway
    {"defaults": true}               all of them
    {"changes": {"training.max_length": 1344}, "because": "..."}   what was found to be needed
"""

from dfgui.errors import UserError
from dfgui.ui.fill import back, changes, file, left, preset, run
from dfgui.ui.fill.filling import Filling, Wish, differing, kept, settings, together, way

__all__ = ["Filling", "Wish", "asked", "differing", "kept", "settings", "together", "way"]

KINDS = {
    "run": run.filling,
    "preset": preset.filling,
    "yaml": file.filling,
    "set": left.of_a_link,
    "left": left.as_it_was,
    "back": back.one,
    "defaults": back.every,
    "changes": changes.filling,
}


def asked(wish: Wish) -> Filling:
    """What the form becomes. Raises UserError."""
    kind = next((name for name in KINDS if name in wish.asked), None)
    if kind is None:
        raise UserError("Nothing was filled in.", "It was not said with what.", "Load the page again.")
    return KINDS[kind](wish)
