"""Filled from a preset, and before that: what it would change."""

import json
import time
from html import escape
from pathlib import PurePath

from dfgui import presets
from dfgui.config import LEARNING_RATES
from dfgui.errors import UserError
from dfgui.models import hardware
from dfgui.ui.fill.filling import Filling, Wish, way
from dfgui.ui.form import SPECS, Values, defaults, same, spoken
from dfgui.ui.uploads import unmarked

CHOSEN = {"model.name", "data.source", "method"}  # by a person: a preset that names none of its own leaves them


def filling(wish: Wish) -> Filling:
    """A preset's values, over the defaults of whatever any preset sets; and what this machine had to replace."""
    name = str(wish.asked["preset"])
    values, replaced = _values(name, wish.now)
    preset = presets.PRESETS[name]
    return Filling(values, f"{preset.title}.", preset.help, replaced)


def difference(name: str, now: Values) -> str:
    """What a preset would change, setting by setting, with a click that does it; as HTML."""
    values, replaced = _values(name, now)
    preset = presets.PRESETS[name]
    changes = {path: value for path, value in values.items() if not same(path, value, now.get(path))}
    words = f"<b>{escape(preset.title)}.</b> {escape(preset.help)}"
    said = f'<div class="said" data-at="{time.time()}">'  # as the browser puts it away itself, the same is to come anew
    items = "".join(f"<li>{escape(line)}</li>" for line in [*_given_up(changes, now), *_for_a_gpu(name), *replaced])
    if not changes:
        return f"{said}<div>{words} <b>All is set so already.</b><ul>{items}</ul></div>{_close('Close')}</div>"
    count = f"Apply {len(changes)} change{'' if len(changes) == 1 else 's'}"
    ways = way(count, json.dumps({"preset": name}), "primary") + _close("Keep mine")
    lines = "".join(_line(path, now.get(path), value) for path, value in changes.items())
    head = "<thead><tr><th>Setting</th><th>now</th><th>becomes</th></tr></thead>"
    table = f'<table class="difference">{head}<tbody>{lines}</tbody></table>'
    return f'{said}<div>{words}<ul>{items}</ul></div>{table}<div class="ways">{ways}</div></div>'


def _given_up(changes: Values, now: Values) -> list[str]:
    """What a person has chosen to train on what, where the preset brings its own."""
    usual = defaults()
    return [
        f"Your {what} {_name(str(now[path]))} is replaced by the demo's."
        for path, what in {"data.source": "dataset", "model.name": "model"}.items()
        if path in changes and now.get(path) and now[path] != usual[path]
    ]


def _for_a_gpu(name: str) -> list[str]:
    if name == "cpu" or hardware.look().device != "cpu":
        return []
    return ["It is made for a GPU, which this machine has not: it may train very slowly here."]


def _name(source: str) -> str:
    """A file by its own name, as it came; anything else as it was written."""
    return PurePath(unmarked(source)).name if PurePath(source).is_absolute() else source


def _line(path: str, now: object, then: object) -> str:
    spec = SPECS[path]
    name = path.removeprefix("training.").removeprefix("adapter.")
    values = "".join(f"<td>{escape(spoken(path, value))}</td>" for value in (now, then))
    return f"<tr><th scope='row'>{escape(spec.title)} <code>{escape(name)}</code></th>{values}</tr>"


def _close(words: str) -> str:
    return f'<button type="button" class="df-button small" data-close>{escape(words)}</button>'


def _values(name: str, now: Values) -> tuple[Values, list[str]]:
    if name not in presets.PRESETS:
        raise UserError("There is no such preset.", f"It was called {name}.", "Choose one from the list.")
    values, replaced = presets.apply(
        name,
        hardware.look().bf16,
        hardware.has("bitsandbytes"),
        unsloth=hardware.has("unsloth"),
        in_4bit=hardware.has_4bit(),
    )
    filled = _reset(values.get("method") or now.get("method") or "lora") | values
    return {path: filled[path] for path in SPECS if path in filled}, replaced


def _reset(method: str) -> Values:
    """The defaults of all that any preset sets, save what a person chose."""
    usual = defaults() | {"training.learning_rate": LEARNING_RATES[method]}
    set_by_some = {path for preset in presets.PRESETS.values() for path in preset.values} - CHOSEN
    return {path: value for path, value in usual.items() if path in set_by_some}
