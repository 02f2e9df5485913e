"""What to know before the start, as HTML: each note with its cure, and what the start button says of them all.

A note is {kind, title, text, do, changes, pending}, as actions.launch_notes() gives it.
"""

import json
from typing import Any

import gradio as gr

from dfgui.ui import fill, form, messages

Note = dict[str, Any]


def draw(notes: list[Note], advice: list[str] | None = None) -> str:
    lines = "".join(map(_line, notes))
    parted = [words.split(":", 1) for words in advice or []]
    lines += "".join(messages.note("tip", title, text) for title, text in parted)
    return f'<section class="notes"><h3>Before you start</h3><ul aria-live="polite">{lines}</ul></section>'


def button(found: list[Note]) -> Any:
    """What the button says: a look that was asked for is not taken by starting, and what stops the start dims it.

    It can be pressed all the same: that leads to what is wrong.
    """
    kinds = {note["kind"] for note in found}
    if "stop" in kinds:
        return gr.update(value="Cannot start yet", variant="secondary")
    return gr.update(value="Start anyway" if "warn" in kinds else "Start training", variant="primary")


def wrong(problems: dict[str, str]) -> list[Note]:
    """Notes on settings that cannot be used."""
    titles = {path: form.SPECS[path].title if path in form.SPECS else path for path in problems}
    return [{"kind": "stop", "title": titles[path], "text": words} for path, words in problems.items()]


def _line(note: Note) -> str:
    do, pending = note.get("do", ""), note.get("pending", False)
    return messages.note(note["kind"], note["title"], note["text"], do, _mend(note), pending)


def _mend(note: Note) -> str:
    """The click that changes what a note asks to be changed."""
    changes = note.get("changes")
    if not changes:
        return ""
    words = "; ".join(f"{form.SPECS[path].title}: {form.spoken(path, value)}" for path, value in changes.items())
    if note["kind"] == "ok":  # what is chosen already
        asked = json.dumps({"changes": changes, "because": f"{note['title']}: set as it was chosen here."})
        return fill.way(f"Pin {words}", asked)
    asked = json.dumps({"changes": changes, "because": f"{note['title'].rstrip('.')}: changed, so that it fits."})
    return fill.way(f"Set {words}", asked)
