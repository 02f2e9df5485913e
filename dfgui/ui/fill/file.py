"""Filled from a YAML file, as the command line reads it: {"yaml": TEXT, "file": "run.yaml"}.

All else gets its default.
"""

from dfgui import recipe
from dfgui.ui.fill.filling import Filling, Wish, apart


def filling(wish: Wish) -> Filling:
    """Raises UserError with all that is wrong in it."""
    name = str(wish.asked.get("file") or "The file")
    run, told = recipe.read(str(wish.asked["yaml"]), file=name)
    values, carried, _ = apart(recipe.flat(run.model_dump()), wish.shown)
    return Filling(values, f"Filled in from {name}.", "All else keeps its default.", told, carried)
