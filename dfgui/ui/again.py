"""A run's settings as the Train form is filled with them: as they were, or to train longer from its weights.

found = again.settings(store, '{"run": "7h2kq0x1zz", "step": 60}', whole.fields)
whole.fill(found.values)      what the form shows
found.carried                 what it does not show and is kept all the same: {"callbacks": [...]}
"""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from html import escape
from typing import Any

from dfgui import actions
from dfgui.config import Callback, RunConfig
from dfgui.recipe import flat
from dfgui.store import Store
from dfgui.ui.form import SPECS, Values, spoken
from dfgui.views.runs import short_name

CALLBACKS = "callbacks"
# A checkpoint brings its tokenizer with the template that it was trained with: it is not to be changed once more.
FROM_A_CHECKPOINT: Values = {
    "model.revision": None,
    "model.chat_template": "own",
    "model.tools_in": "template",
    "model.saved_template": "own",
}


@dataclass(frozen=True)
class Again:
    values: Values  # by path, of fields that the form has
    carried: Values  # by path, of settings that it does not have
    unknown: list[str]  # paths that this version does not know: they are left behind
    title: str
    words: str  # what will happen
    changed: list[str]  # what is not as it was, in words

    @property
    def html(self) -> str:
        gone = [f"Not known to this version, and left out: {', '.join(self.unknown)}."] if self.unknown else []
        items = "".join(f"<li>{escape(line)}</li>" for line in [*self.changed, *gone])
        return f'<div class="said"><b>{escape(self.title)}</b> {escape(self.words)}<ul>{items}</ul></div>'


def settings(store: Store, asked: str, shown: Collection[str]) -> Again:
    """`asked` is {"run": ID} as JSON; with "step" to train longer from that checkpoint, with "mended": true to change
    what its failure has found. `shown`: paths of the form. Raises UserError when there is no such run.
    """
    wanted = json.loads(asked)
    row = store.runs.get(actions.checked(str(wanted.get("run"))))
    given, known = flat(row["config"]), flat(RunConfig().model_dump())
    values, title, words = _as_it_was(row, store) if wanted.get("step") is None else _longer(row, wanted["step"], store)
    mended = ((row["error"] or {}).get("changes") or {}) if wanted.get("mended") else {}
    values |= mended
    hidden = {path: given[path] for path in given if path in known and path not in shown and given[path] != known[path]}
    return Again(
        {path: value for path, value in (given | values).items() if path in shown},
        hidden | _with_arguments(given.get(CALLBACKS) or []),
        [path for path in given if path not in known and path not in shown],
        title,
        words,
        [f"{SPECS[path].title}: {spoken(path, value)}" for path, value in mended.items() if path in SPECS],
    )


def _with_arguments(callbacks: list[dict[str, Any]]) -> Values:
    """The callbacks that are more than a name, which is all that the form has room for."""
    more = [one for one in callbacks if Callback.model_validate(one) != Callback.model_validate(one["use"])]
    return {CALLBACKS: more} if more else {}


def together(carried: Values, given: Values) -> Values:
    """What the form says, over what is carried along. A callback that the form names keeps its arguments."""
    known = {one["use"]: one for one in carried.get(CALLBACKS, [])}
    values = carried | given
    if CALLBACKS in given:
        values[CALLBACKS] = [known.get(name, name) for name in given[CALLBACKS] or []]
    return values


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


def kept(carried: Values) -> str:
    """The line that says what is carried along, as HTML; "" for nothing."""
    if not carried:
        return ""
    named = ", ".join(f"{path} ({spoken(path, value)})" if path in SPECS else path for path, value in carried.items())
    return f'<div class="said">Also taken over, though not in this form: <b>{escape(named)}</b>.</div>'
