"""A filling of the Train form: values for its fields, what it carries beside them, and what is said of it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from html import escape
from typing import Any

from dfgui.config import Callback, RunConfig
from dfgui.recipe import flat, nested
from dfgui.store import Store
from dfgui.ui.form import SPECS, Values, asked, by_path, changed, spoken

CALLBACKS = "callbacks"


@dataclass(frozen=True)
class Wish:
    """Who wants the form filled with what."""

    asked: dict[str, Any]  # {"preset": "24gb"}
    now: Values  # what the form says
    shown: Collection[str]  # paths that it has fields for
    header: Collection[str]  # those of them that choose the model and the dataset
    store: Store


@dataclass(frozen=True)
class Filling:
    values: Values  # by path, of fields that the form has
    title: str = ""  # "" where nothing needs to be said
    words: str = ""
    lines: list[str] = field(default_factory=list)  # what is worth knowing, one a line
    carried: Values | None = None  # settings that it has no field for and that are kept all the same; None: as before
    ways: str = ""  # buttons below, as HTML

    @property
    def html(self) -> str:
        if not self.title:
            return ""
        items = "".join(f"<li>{escape(line)}</li>" for line in self.lines)
        words = f"<b>{escape(self.title)}</b> {escape(self.words)}"
        return f'<div class="said"><div>{words}<ul>{items}</ul></div>{self.ways}</div>'


def apart(given: Values, shown: Collection[str]) -> tuple[Values, Values, list[str]]:
    """Values of a config: those for fields, those to carry along, and the paths that this version does not know."""
    known = flat(RunConfig().model_dump())
    hidden = {path: given[path] for path in given if path in known and path not in shown and given[path] != known[path]}
    carried = hidden | _with_arguments(given.get(CALLBACKS) or [])
    fields = {path: value for path, value in given.items() if path in shown}
    return fields, carried, [path for path in given if path not in known and path not in shown]


def _with_arguments(callbacks: list[Any]) -> Values:
    """The callbacks that are more than a name, which is all that the form has room for."""
    asked = [Callback.model_validate(one) for one in callbacks]
    if all(one == Callback.model_validate(one.use) for one in asked):
        return {}
    return {CALLBACKS: [one.model_dump() for one in asked if one != Callback.model_validate(one.use)]}


def together(carried: Values, given: Values) -> Values:
    """What the form says, over what is carried along. A callback that the form names keeps its arguments."""
    known = {one["use"]: one for one in carried.get(CALLBACKS, [])}
    values = carried | given
    if CALLBACKS in given:
        values[CALLBACKS] = [known.get(name, name) for name in given[CALLBACKS] or []]
    return values


def settings(carried: Values, given: dict[str, Any]) -> dict[str, Any]:
    """What is asked for, in blocks: the form as an event gives it, over what is carried along."""
    return nested(together(carried, asked(by_path(given))))


def differing(carried: Values, given: Values) -> Values:
    """All that is not as it is anyway: what fills an untouched form to ask for the same."""
    values = carried | changed(given)
    if callbacks := together(carried, given).get(CALLBACKS):
        return values | {CALLBACKS: callbacks}
    return {path: value for path, value in values.items() if path != CALLBACKS}


def kept(carried: Values) -> str:
    """The line that says what is carried along, as HTML; "" for nothing."""
    if not carried:
        return ""
    named = ", ".join(f"{path} ({spoken(path, value)})" if path in SPECS else path for path, value in carried.items())
    return f'<div class="said">Also taken over, though not in this form: <b>{escape(named)}</b>.</div>'


def way(words: str, asked: str, style: str = "") -> str:
    """A button that fills the form with something else; `asked` as JSON."""
    return f'<button type="button" class="df-button small {style}" data-fill="{escape(asked)}">{escape(words)}</button>'
