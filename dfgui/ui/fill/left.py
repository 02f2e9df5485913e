"""Filled from what differs: a link of this page, or what the browser has kept of it over a reload.

    ?view=train&set=training.max_steps=60&set=method="full"     as on the command line: --set training.max_steps=60

Values are taken as they stand, right or wrong: the form says beside each field what is wrong with it.
"""

import json
from typing import Any

import yaml

from dfgui.fields import Spec
from dfgui.recipe import value
from dfgui.ui.fill.filling import CALLBACKS, Filling, Wish, apart, way
from dfgui.ui.form import SPECS, Values, usual

RATE = "training.learning_rate"
DEFAULTS = way("Start from the defaults", json.dumps({"defaults": True}))


def of_a_link(wish: Wish) -> Filling:
    pairs = [str(one).partition("=") for one in wish.asked["set"]]
    given = {path.strip(): _value(path.strip(), text) for path, equals, text in pairs if equals}
    return _filling(given, wish, "Filled in from the link.", "Nothing is started yet.")


def as_it_was(wish: Wish) -> Filling:
    left = wish.asked["left"]
    return _filling(left if isinstance(left, dict) else {}, wish, "As you left it.", "")


def _filling(given: Values, wish: Wish, title: str, words: str) -> Filling:
    known = {path: one for path, one in given.items() if path not in SPECS or _fits(SPECS[path], one)}
    if "method" in known:  # its learning rate is named only where it is another than the method's own
        known = {RATE: usual(known)[RATE]} | known
    values, carried, unknown = apart(known, wish.shown)
    unknown += [path for path in given if path not in known]
    lines = [f"Not understood, and left out: {', '.join(unknown)}."] if unknown else []
    return Filling(values, title, words, lines, carried, DEFAULTS)


def _value(path: str, text: str) -> Any:
    try:
        return value(path, text)
    except yaml.YAMLError:
        return text


def _fits(spec: Spec, given: Any) -> bool:
    """Whether a field of this kind can show the value."""
    if spec.path == CALLBACKS:
        return isinstance(given, list) and all(isinstance(one, str) or _is_callback(one) for one in given)
    if given is None or given == "":
        return spec.optional or spec.kind in ("text", "mapping", "number", "integer")
    if spec.kind == "several":
        return isinstance(given, list) and all(one in spec.choices for one in given)
    if spec.kind == "choice":
        return given in spec.choices
    if spec.kind == "switch":
        return isinstance(given, bool) or given in spec.choices
    if spec.kind in ("number", "integer"):
        return (isinstance(given, int | float) and not isinstance(given, bool)) or (spec.optional and _is_text(given))
    return _is_text(given) or (isinstance(given, dict) if spec.kind == "mapping" else _are_texts(given))


def _is_callback(one: Any) -> bool:
    return isinstance(one, dict) and _is_text(one.get("use")) and set(one) <= {"use", "args", "detach"}


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))
