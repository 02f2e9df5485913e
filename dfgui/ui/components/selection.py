"""The header over Data and Train: which model, which dataset. Chosen once, for both.

    selection = build(settings, connections)
    gr.on(selection.changes, show, inputs_kwargs=selection.inputs)        # model__name, data__source, data__config, ...

A dataset is the demo, hf:owner/name, a path inside the allowed folders, or an upload, which is kept in the home under a
name of ours and shown under its own.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from dfgui.actions import models as picking
from dfgui.config import COLUMNS, EARLIER, RunConfig
from dfgui.data.formats import LABELS, MAPPED
from dfgui.data.formats.columns import guess
from dfgui.data.sources import open_source
from dfgui.integrations.connections import Connections, visitor_of
from dfgui.models.catalog import CATALOG
from dfgui.settings import Settings
from dfgui.store import Store
from dfgui.ui import form, messages, place, relay, uploads
from dfgui.ui.components import models

DEMO = ("demo (comes with dfgui)", "demo")
HUB_PAGE = re.compile(r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/(datasets/)?([\w.-]+/[\w.-]+)(?:/.*)?")
HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")
RECENT = 12  # entries offered besides the demo


@dataclass(frozen=True)
class Selection:
    model: gr.Dropdown
    picker: gr.HTML  # selected: a model was chosen in its dialog; changed: one was downloaded
    source: gr.Dropdown
    config: gr.Textbox
    split: gr.Textbox
    format: gr.Dropdown
    columns: dict[str, gr.Dropdown]  # by what a column is: prompt, answer, ...
    shape: gr.State  # what Train has set of the model and the data: previews and checks depend on it too

    @property
    def fields(self) -> dict[str, Any]:
        return {
            "model.name": self.model,
            "data.source": self.source,
            "data.config": self.config,
            "data.split": self.split,
            "data.format": self.format,
            **{f"data.{place}_column": dropdown for place, dropdown in self.columns.items()},
        }

    @property
    def inputs(self) -> dict[str, Any]:
        return {form.keyword(path): component for path, component in self.fields.items()}

    @property
    def changes(self) -> list[Any]:
        """For one listener: who asks gets an event that is nobody else's."""
        return relay.own([component.change for component in self.fields.values()])


def build(settings: Settings, connections: Connections) -> Selection:
    """Lays the header out and wires what belongs to it alone."""
    with gr.Row(elem_classes="selection"):
        with gr.Column(scale=3, min_width=210, elem_id="model-choice"):
            model = _dropdown("model.name", [DEMO], scale=3)
            picker = models.build(settings, connections)
        source = _dropdown("data.source", [DEMO], scale=3)
        upload = gr.UploadButton(
            "Upload a file", file_types=[*uploads.KINDS, ".gz"], size="md", scale=0, min_width=130, elem_id="upload"
        )
        format = _dropdown("data.format", _formats(), scale=1, allow_custom_value=False, min_width=230)
    with gr.Row(elem_classes="selection", visible=False) as hub:
        config = _textbox("data.config")
        split = _textbox("data.split")
    with gr.Row(elem_classes="selection", visible=False) as mapping:
        columns = {place: _dropdown(f"data.{place}_column", [], scale=1, min_width=150) for place in COLUMNS}
    trouble = gr.HTML("", elem_id="selection-trouble")
    selection = Selection(model, picker, source, config, split, format, columns, gr.State(shape_of(RunConfig())))

    @messages.says(trouble)
    def keep_upload(path: str) -> dict:
        kept = uploads.keep(path, settings)
        return {source: gr.update(choices=_recent(settings)[1]["choices"], value=str(kept)), format: "auto"}

    @messages.says(trouble)
    def offer_columns(
        format: str, source: str, config: str, split: str, request: gr.Request, *chosen: str | None
    ) -> dict:
        """The columns of the dataset to choose from, those with usual names chosen, where they are to be mapped."""
        if format != MAPPED:
            return {mapping: gr.update(visible=False)}
        theirs = settings.with_secrets(connections.secrets(visitor_of(request)))
        head = open_source(source, theirs, config or None, split).head(1)
        names = list(head[0].raw) if head else []
        taken = {place: name for place, name in zip(COLUMNS, chosen, strict=True) if name in names} or guess(names)
        choices = [("none", ""), *((name, name) for name in names)]
        fields = {columns[place]: gr.update(choices=choices, value=taken.get(place, "")) for place in COLUMNS}
        return {mapping: gr.update(visible=True), **fields}

    gr.on(
        relay.own([format.change, source.change, config.change, split.change]),
        offer_columns,
        [format, source, config, split, *columns.values()],
        [trouble, mapping, *columns.values()],
        show_progress="hidden",
        api_visibility="private",
    )
    upload.upload(keep_upload, upload, [trouble, source, format], api_visibility="private", show_progress="minimal")
    source.change(lambda name: gr.update(visible=str(name or "").startswith("hf:")), source, hub, **QUIET)
    source.input(understood, source, source, **QUIET)
    model.input(understood_model, model, model, **QUIET)
    place.blocks().load(lambda: _recent(settings), None, [model, source], **QUIET)
    return selection


QUIET: dict[str, Any] = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}


def shape_of(run: RunConfig) -> dict[str, Any]:
    chosen_here = {"source", "config", "split", "format", *(f"{place}_column" for place in COLUMNS)}
    return {
        "model": run.model.model_dump(exclude={"name"}),
        "max_length": run.training.max_length,
        "data": run.data.model_dump(exclude=chosen_here),
    }


def understood(name: str | None) -> str:
    """A dataset as a person may write it, as config wants it: a page's address or owner/name is one of the Hub."""
    name = (name or "").strip()
    if address := HUB_PAGE.fullmatch(name):
        return f"hf:{address[2]}"
    is_file = any(ending in uploads.KINDS for ending in Path(name).suffixes)
    return f"hf:{name}" if HUB_ID.fullmatch(name) and not is_file else name


def understood_model(name: str | None) -> str:
    address = HUB_PAGE.fullmatch((name or "").strip())
    return address[2] if address else (name or "").strip()


def _dropdown(
    path: str, choices: list[tuple[str, str]], scale: int, allow_custom_value: bool = True, min_width: int = 210
) -> gr.Dropdown:
    spec = form.SPECS[path]
    if path == "data.format":  # there is little room
        spec = spec.model_copy(update={"help": spec.help.rpartition(". ")[2]})
    return gr.Dropdown(
        choices,
        value=spec.default,
        label=spec.title,
        info=form.info(spec),
        allow_custom_value=allow_custom_value,
        scale=scale,
        min_width=min_width,
        elem_id=f"field-{form.keyword(path)}",
        elem_classes=form.classes(path),
    )


def _textbox(path: str) -> gr.Textbox:
    spec = form.SPECS[path]
    id = f"field-{form.keyword(path)}"
    return gr.Textbox(
        spec.default, label=spec.title, info=form.info(spec), elem_id=id, elem_classes=form.classes(path), max_lines=1
    )


def _formats() -> list[tuple[str, str]]:
    return [("auto", "auto"), *((LABELS.get(name, name), name) for name in form.SPECS["data.format"].choices[1:])]


def _recent(settings: Settings) -> list[Any]:
    """What the two lists offer: the demo, uploads under the names they came with, and what earlier runs used."""
    own = uploads.told_apart(uploads.all_of(settings)[:RECENT])
    sources = dict.fromkeys(run["config"]["data"]["source"] for run in Store(settings.store_path).runs.all())
    return [
        gr.update(choices=offered_models(settings)),
        _offer([*((name, path) for path, name in own.items()), *((name, name) for name in sources if name not in own)]),
    ]


def offered_models(settings: Settings, chosen: str = "") -> list[tuple[str, str]]:
    """The demo, what earlier runs began from and what they made (their best checkpoint, or else their last), and some
    to begin with.

    `chosen` is offered whatever it is.
    """
    store = Store(settings.store_path)
    runs = {run["id"]: run for run in store.runs.all()}
    made = picking.made(store, runs)
    if (asked := EARLIER.fullmatch(chosen)) and asked["run"] in runs and asked["step"]:
        made = list(dict.fromkeys([(asked["run"], int(asked["step"])), *made]))
    used = dict.fromkeys(run["config"]["model"]["name"] for run in runs.values())
    named = [(name, name) for name in used if name != "demo" and not EARLIER.fullmatch(name)]
    earlier = [(f"{runs[run]['name']}, step {step:,}", f"run:{run}@{step}") for run, step in made]
    to_begin_with = [(offer.label, offer.id) for offer in CATALOG if offer.id not in dict(named[:RECENT])]
    return [DEMO, *named[:RECENT], *earlier[:RECENT], *to_begin_with]


def _offer(choices: list[tuple[str, str]]) -> Any:
    return gr.update(choices=[DEMO, *(choice for choice in choices if choice[1] != "demo")][: 2 * RECENT])
