"""Filled with what was found to be needed: {"changes": {"training.max_length": 1344}, "because": "..."}.

By the check of the rows, or before the start.
"""

from dfgui.ui.fill.filling import Filling, Wish
from dfgui.ui.form import SPECS, spoken


def filling(wish: Wish) -> Filling:
    asked = wish.asked["changes"]
    values = {path: value for path, value in asked.items() if path in wish.shown} if isinstance(asked, dict) else {}
    lines = [f"{SPECS[path].title}: {spoken(path, value)}" for path, value in values.items()]
    return Filling(values, str(wish.asked.get("because") or "Changed."), lines=lines)
