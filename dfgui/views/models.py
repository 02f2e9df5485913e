"""Models to pick from, in words: a row of the list, what one is in detail, and how far a download is.

A row is {value, title, facts, badges: [{kind, words}], changes}: `changes` are settings that go with the choice. A
badge's kind is good, look, bad or plain.
"""

from typing import Any

from dfgui import words
from dfgui.models.cache import Cached
from dfgui.models.card import Card
from dfgui.models.catalog import Offer
from dfgui.models.download import Download
from dfgui.models.hub import Found
from dfgui.training.preflight.fit import Fit
from dfgui.training.preflight.pace import Pace

IN_4_BIT = {"model.load_in_4bit": True}
FITS = {  # kind of a note on memory -> how that is said in a badge
    "ok": ("good", "fits here"),
    "warn": ("look", "tight here"),
    "stop": ("bad", "too large here"),
}
UNKNOWN = "not known"
WORKING = "Whether a run with it fits here is being worked out from its config."

Row = dict[str, Any]
Note = dict[str, str]


def demo() -> Row:
    return _row("demo", "demo", "a tiny model that comes with dfgui")


def offer(given: Offer, here: set[str]) -> Row:
    held = "trained in 4 bit" if given.in_4bit else ""
    there = "on this machine" if given.id in here else f"{words.size(given.bytes)} to download"
    facts = (parameters(given.parameters), there, given.licence, held)
    return _row(given.id, given.id, *facts, changes=IN_4_BIT if given.in_4bit else {})


def cached(given: Cached) -> Row:
    return _row(given.id, given.id, f"{words.size(given.bytes)} on the disk")


def made(run: dict[str, Any], step: int, now: float) -> Row:
    title = f"{run['name']}, step {step:,}"
    return _row(f"run:{run['id']}@{step}", title, run["config"]["model"]["name"], words.ago(run["created_at"], now))


def used(name: str) -> Row:
    return _row(name, name, "an earlier run began from it")


def found(given: Found) -> Row:
    badges = [_badge("look", "gated")] if given.gated else []
    badges += [_badge("plain", "private")] if given.private else []
    badges += [] if given.safetensors else [_badge("bad", "no safetensors")]
    counted = f"{words.short(given.downloads)} downloads" if given.downloads is not None else ""
    facts = (parameters(given.parameters), _size(given.bytes), given.licence, counted)
    return _row(given.id, given.id, *facts, badges=badges)


def _row(value: str, title: str, *facts: str, badges: list[Note] | None = None, changes: Any = None) -> Row:
    said = " · ".join(fact for fact in facts if fact)
    return {"value": value, "title": title, "facts": said, "badges": badges or [], "changes": changes or {}}


def _badge(kind: str, words: str) -> Note:
    return {"kind": kind, "words": words}


def _size(count: int | None) -> str:
    return words.size(count) if count else ""


def parameters(count: int | None) -> str:
    """ "135 million parameters", "4.0 billion parameters"; "" where that is not known."""
    if count is None:
        return ""
    billions = count / 1e9
    if billions >= 0.9995:
        return f"{billions:.1f} billion parameters" if billions < 99.5 else f"{billions:.0f} billion parameters"
    return f"{count / 1e6:.0f} million parameters" if count >= 9.5e6 else f"{count / 1e6:.1f} million parameters"


def fit(given: Fit, begun: bool = True) -> dict[str, Any]:
    """{badge, words, time, pending}: whether it fits, why, and how long it takes; "" and None where nobody knows.

    `begun`: whether it is worked out, where it is not known yet; else there is nothing to wait for.
    """
    note = given.memory
    text = f"{note.text} {note.do}".strip() if note and not note.pending else ""
    kind, said = FITS.get(note.kind if note else "", ("", ""))
    return {
        "badge": _badge(kind, said) if said else None,
        "words": WORKING if given.pending and begun else text,
        "time": time(given.pace),
        "pending": given.pending and begun,
    }


def time(pace: Pace | None) -> str:
    if pace is None:
        return ""
    return f"{'roughly' if pace.roughly else 'about'} {words.duration(max(pace.seconds, 1))} here, as {pace.like} took"


def card(given: Card, has_token: bool) -> dict[str, Any]:
    """What a model is, as facts [name, value, the exact name], and as notes what to know before it is chosen."""
    return {
        "value": given.name,
        "title": given.title or given.name,
        "page": given.page,
        "revision": given.revision or "",
        "commit": given.commit,
        "pinned": given.kind == "hub",
        "here": given.here,
        "usable": given.usable,
        "download": _download_words(given) if given.kind == "hub" and given.usable and not given.here else "",
        "facts": _facts(given),
        "notes": _notes(given, has_token),
    }


def _facts(given: Card) -> list[list[str]]:
    disk = _size(given.bytes) or UNKNOWN
    return [
        ["Size", parameters(given.parameters) or UNKNOWN, ""],
        ["Reads at most", f"{given.context:,} tokens" if given.context else UNKNOWN, "context length"],
        ["Chat template", _template(given), "chat_template"],
        ["On this machine", disk, "safetensors"] if given.here else ["To download", disk, "safetensors"],
        ["Licence", given.licence or ("see its page" if given.page else UNKNOWN), ""],
        *([["Access", "its terms have to be accepted", "gated"]] if given.gated else []),
    ]


def _template(given: Card) -> str:
    if given.template is None:
        return UNKNOWN
    if not given.template:
        return "none: it gets one that fits"
    return "yes, and it speaks of tools" if given.tools else "yes, without tools"


def _download_words(given: Card) -> str:
    left = max((given.bytes or 0) - given.begun, 0)
    if given.begun:
        return f"Go on downloading ({words.size(left)} left)" if given.bytes else "Go on downloading"
    return f"Download now ({words.size(given.bytes)})" if given.bytes else "Download now"


def _notes(given: Card, has_token: bool) -> list[Note]:
    notes = []
    if given.closed:
        token = "The token you gave is not let in." if has_token else "Then give a token under Connections."
        notes.append(_note("stop", "It is gated.", f"Accept its terms on {given.page}.", token))
    elif given.gated and not has_token and not given.here:
        notes.append(
            _note("look", "It is gated.", f"Accept its terms on {given.page}.", "Give a token under Connections.")
        )
    if not given.safetensors:
        why = "It has no *.safetensors files; other formats can carry code and are not read."
        notes.append(_note("stop", "It cannot be used.", why, "Choose a model with safetensors."))
    if given.code == "needed":
        why = "It needs code that it brings along, and dfgui does not run that."
        notes.append(_note("stop", "It cannot be used.", why, "Choose a model that transformers knows."))
    if given.code == "unused":
        notes.append(
            _note("info", "It brings code along.", "dfgui does not run it: transformers knows this model.", "")
        )
    if given.writes_text is False:
        notes.append(_note("stop", "It cannot be used.", "It is no model that writes text.", "Choose a chat model."))
    if given.silence:
        error = given.silence
        notes.append(_note("info", error.what, error.why, "What is said here is what lies on this machine."))
    return notes


def _note(kind: str, title: str, why: str, do: str) -> Note:
    return {"kind": kind, "title": title, "text": why, "do": do}


def download(given: Download | None) -> dict[str, Any] | None:
    """{name, revision, state, share, words, error}; None where nobody has asked for it."""
    if given is None:
        return None
    share = given.done / given.total if given.total else 0.0
    return {
        "name": given.name,
        "revision": given.revision or "",
        "state": given.state,
        "share": round(share, 4),
        "words": _far(given),
        "error": given.error.to_dict() if given.error else None,
    }


def _far(given: Download) -> str:
    if given.state == "done":
        return "It is on this machine."
    if given.state == "cancelled":
        return f"Cancelled. {words.size(given.done)} are kept for the next time." if given.done else "Cancelled."
    if given.state == "failed":
        return ""
    return f"{words.size(given.done)} of {words.size(given.total)}" if given.total else "Asking the Hub …"
