"""Browse models: the button beside the model's field, and the dialog in which one is looked at before it is chosen.

The dialog is models.html; models.js fills its list, and model.js shows the one that is looked at. Choosing one fills
the form, as a click on any other cure does: the field, and with it every preview, follows.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from dfgui.actions import models
from dfgui.errors import UserError
from dfgui.integrations.connections import Connections, visitor_of
from dfgui.models.download import Downloads
from dfgui.settings import Settings
from dfgui.ui import form
from dfgui.ui.components.live import spoken
from dfgui.views import models as views

HERE = Path(__file__).parent
WANTED = "() => dfgui.models.wanted"  # settings, as JSON for the form to be filled with


def build(settings: Settings, connections: Connections) -> gr.HTML:
    """Selected: a model was chosen. Changed: one has been downloaded."""
    picker = Picker(settings, connections)
    return gr.HTML(
        "",
        html_template=(HERE / "models.html").read_text(encoding="utf-8"),
        js_on_load="dfgui.models.boot(element, server, trigger)",
        server_functions=picker.functions(),
        apply_default_css=False,
        elem_id="models",
    )


class Picker:
    def __init__(self, settings: Settings, connections: Connections):
        self._settings = settings
        self._connections = connections
        self._downloads = Downloads()

    def functions(self) -> list[Any]:
        """What the page may call. Each takes one JSON value; trouble comes back as {"error": {what, why, do}}."""

        def list_models(question: dict, request: gr.Request) -> dict:
            return self._answer(self.offered, question, request)

        def find_models(question: dict, request: gr.Request) -> dict:
            return self._answer(self.found, question, request)

        def look_at(question: dict, request: gr.Request) -> dict:
            return self._answer(self.card, question, request)

        def fits_here(question: dict, request: gr.Request) -> dict:
            return self._answer(self.fits, question, request)

        def begin_download(question: dict, request: gr.Request) -> dict:
            return self._answer(self.begin, question, request)

        def cancel_download(question: dict, request: gr.Request) -> dict:
            return self._answer(self.cancel, question, request)

        def list_downloads(question: dict, request: gr.Request) -> dict:
            return self._answer(self.downloads, question, request)

        return [list_models, find_models, look_at, fits_here, begin_download, cancel_download, list_downloads]

    def _answer(self, answer: Callable[[dict, Settings], dict], question: Any, request: gr.Request) -> dict:
        """With the keys of the visitor who asks."""
        theirs = self._settings.with_secrets(self._connections.secrets(visitor_of(request)))
        return spoken(answer, question, theirs)

    def offered(self, question: dict[str, Any], settings: Settings) -> dict[str, Any]:
        """{groups: [{key, title, models}]}: what can be picked without asking the Hub."""
        known = models.offered(settings)
        here = {one.id for one in known.here}
        named = here | {one.id for one in known.first}
        now = time.time()
        first = [views.demo(), *(views.offer(one, here) for one in known.first)]
        runs = [views.made(run, step, now) for run, step in known.runs]
        used = [views.used(name) for name in known.used if name not in named]
        groups = [
            {"key": "first", "title": "Good first models for this machine", "models": first},
            {"key": "here", "title": "On this machine", "models": [views.cached(one) for one in known.here]},
            {"key": "runs", "title": "Your runs", "models": [*runs, *used]},
        ]
        return {"groups": [group for group in groups if group["models"]], **self.downloads(question, settings)}

    def found(self, question: dict[str, Any], settings: Settings) -> dict[str, Any]:
        """{models}: what the Hub has of that name."""
        return {"models": [views.found(one) for one in models.search(settings, str(question.get("text") or ""))]}

    def card(self, question: dict[str, Any], settings: Settings) -> dict[str, Any]:
        """{card, fit, download}: what a model is, and whether it fits; {error} where there is none."""
        from huggingface_hub import get_token

        name, revision = _asked(question)
        found = models.look(settings, name, revision)
        fit = self._fit(question, settings, begin=True) if found.usable else {"fit": None}
        told = views.card(found, bool(settings.hub_token or get_token()))
        return {"card": told, **fit, "download": views.download(self._downloads.of(name, revision))}

    def fits(self, question: dict[str, Any], settings: Settings) -> dict[str, Any]:
        """{fit}: with the settings of the form. `fetch`: its config is asked for, where it is not here.

        The page asks for one model after another: beside a run that trains, none is measured for that.
        """
        name, revision = _asked(question)
        if question.get("fetch"):
            models.look(settings, name, revision)
        return self._fit(question, settings, begin=not models.is_training(settings))

    def _fit(self, question: dict[str, Any], settings: Settings, begin: bool) -> dict[str, Any]:
        name, revision = _asked(question)
        given = question.get("settings")
        changes = {path: given[path] for path in given if path in form.SPECS} if isinstance(given, dict) else {}
        return {"fit": views.fit(models.fits(settings, name, revision, changes, begin), begin)}

    def begin(self, question: dict[str, Any], settings: Settings) -> dict[str, Any]:
        name, revision = _asked(question)
        return {"download": views.download(models.download(settings, self._downloads, name, revision))}

    def cancel(self, question: dict[str, Any], settings: Settings) -> dict[str, Any]:
        name, revision = _asked(question)
        self._downloads.cancel(name, revision)
        return {"download": views.download(self._downloads.of(name, revision))}

    def downloads(self, question: dict[str, Any], settings: Settings) -> dict[str, Any]:
        return {"downloads": [views.download(one) for one in self._downloads.all()]}


def _asked(question: dict[str, Any]) -> tuple[str, str | None]:
    """(name, revision), as the page sends them."""
    name = question.get("name")
    if not isinstance(name, str) or not name.strip():
        raise UserError("No model was named.", "There is nothing to look at.", "Choose one of the list.")
    return name.strip(), str(question.get("revision") or "").strip() or None
