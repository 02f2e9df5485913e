"""Filled from a run: its settings as they were, or to train longer from its weights.

{"run": "7h2kq0x1zz"}                      the same again
{"run": "7h2kq0x1zz", "step": 60}          a new run from the weights of step 60
{"run": "7h2kq0x1zz", "mended": true}      with the changes that its failure asks for
"""

import re
from collections.abc import Collection
from typing import Any

from dfgui import actions
from dfgui.recipe import flat
from dfgui.store import Store
from dfgui.ui.fill.filling import Filling, Wish, apart
from dfgui.ui.form import SPECS, Values, spoken
from dfgui.views.runs import short_name

# A checkpoint brings its tokenizer with the template that it was trained with: it is not to be changed once more.
FROM_A_CHECKPOINT: Values = {
    "model.revision": None,
    "model.chat_template": "own",
    "model.tools_in": "template",
    "model.saved_template": "own",
}


def filling(wish: Wish) -> Filling:
    """Raises UserError when there is no such run."""
    asked, store = wish.asked, wish.store
    row = store.runs.get(actions.checked(str(asked.get("run"))))
    given = flat(row["config"])
    changes, title, words = _as_it_was(row, store) if asked.get("step") is None else _longer(row, asked["step"], store)
    mended = ((row["error"] or {}).get("changes") or {}) if asked.get("mended") else {}
    values, _, _ = apart(given | changes | mended, wish.shown)
    _, carried, unknown = apart(given, wish.shown)
    lines = [f"{SPECS[path].title}: {spoken(path, value)}" for path, value in mended.items() if path in SPECS]
    lines += [f"Not known to this version, and left out: {', '.join(unknown)}."] if unknown else []
    return Filling(values, title, words, lines, carried)


def _as_it_was(row: dict[str, Any], store: Store) -> tuple[Values, str, str]:
    words = "Change what you like, then start: it becomes a new run, from the same beginning."
    made = f"{short_name(row['config']['model']['name'])}-{row['config']['method']}"
    named = row["config"]["name"] or row["name"] != made  # else the next one is called after what it trains, too
    return {"name": _free(row["name"], store) if named else ""}, f"Filled in from {row['name']}.", words


def _longer(row: dict[str, Any], step: Any, store: Store) -> tuple[Values, str, str]:
    found = store.checkpoints.get(row["id"], int(step))
    words = f"A new run with a schedule of its own, from the weights of step {found['step']:,}."
    values = {"name": _free(f"{row['name']} longer", store), "model.name": f"run:{row['id']}@{found['step']}"}
    return FROM_A_CHECKPOINT | values, f"Train {row['name']} longer.", words


def next_name(name: str, taken: Collection[str]) -> str:
    """The first of "name", "name 2", "name 3" that no run has; a number that the name ends with is counted on."""
    stem = re.sub(r" \d+$", "", name)
    tried = [stem, *(f"{stem} {number}" for number in range(2, len(taken) + 3))]
    return next(one for one in tried if one not in taken)


def _free(name: str, store: Store) -> str:
    return next_name(name, [run["name"] for run in store.runs.all()])
