"""Filled from a YAML file, as the command line reads it: {"yaml": TEXT, "file": "run.yaml"}.

All that it does not name becomes as it is anyway.
"""

from dfgui import recipe
from dfgui.ui.fill.filling import Filling, Wish, apart


def filling(wish: Wish) -> Filling:
    """Raises UserError with all that is wrong in it."""
    name = str(wish.asked.get("file") or "The file")
    run, told = recipe.read(str(wish.asked["yaml"]), file=name)
    values, carried, _ = apart(recipe.flat(run.model_dump()), wish.shown)
    return Filling(values, f"Filled in from {name}.", "What it does not name is as it is anyway.", told, carried)
