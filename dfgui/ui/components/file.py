"""The Train form as a file, and back: Save YAML, Load YAML, Copy link, Copy as Python.

    file.build(context, whole, marked, carried, trouble)    # where the buttons stand

What is wrong is said beside its field, as before a start, and nothing is written then. Saving and copying are the
browser's (train.js), and so is reading: it fills the form with what a file says.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from dfgui import actions, recipe
from dfgui.config import RunConfig
from dfgui.ui import fill, form, messages
from dfgui.ui.context import Context
from dfgui.ui.form import Form, Updates, Values

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
FILES = "The rows and files it reads come with `dfgui script`."


def build(context: Context, whole: Form, marked: gr.State, carried: gr.State, trouble: gr.HTML) -> None:
    """`marked`: the problems beside fields; `carried`: settings that have none; `trouble`: where errors are told."""
    with gr.Row(elem_id="file"):
        saving = gr.Button("Save YAML", size="sm", min_width=80, elem_id="save-yaml")
        loading = gr.Button("Load YAML", size="sm", min_width=80, elem_id="load-yaml")
        linking = gr.Button("Copy link", size="sm", min_width=80, elem_id="copy-link")
        python = gr.Button("Copy as Python", size="sm", min_width=80, elem_id="copy-python")
    written = gr.Textbox(visible="hidden")  # a file or a text for the browser to take

    def written_out(
        make: Callable[[RunConfig], str], marked_before: dict[str, str], carried: Values, given: dict[str, Any]
    ) -> Iterator[Updates]:
        """What is made of the settings, once nothing is wrong with them."""
        values = fill.settings(carried, given)
        problems = form.problems(values)
        yield {**whole.mark(problems, marked_before), **whole.open(problems), marked: problems}
        form.require_filled(values)
        yield {written: make(recipe.parse(values))}

    @messages.says(trouble)
    def save(marked_before: dict[str, str], carried: Values, **given: Any) -> Iterator[Updates]:
        """A file of what is not as it is anyway."""
        return written_out(_yaml_file, marked_before, carried, given)

    @messages.says(trouble)
    def copy(marked_before: dict[str, str], carried: Values, request: gr.Request, **given: Any) -> Iterator[Updates]:
        """The script that would train the same."""
        theirs = context.settings_of(request)
        return written_out(
            lambda run: _text("Python", actions.source(theirs, run), FILES), marked_before, carried, given
        )

    writing: dict[str, Any] = {
        "inputs": [marked, carried],
        "inputs_kwargs": whole.inputs,
        "outputs": [*whole.outputs, marked, trouble, written],
        **QUIET,
    }
    saving.click(save, **writing)
    python.click(copy, **writing)
    loading.click(None, js="() => dfgui.train.load()")
    linking.click(None, js="() => dfgui.train.link()")
    written.change(None, written, None, js="(text) => dfgui.train.take(text)")


def _yaml_file(run: RunConfig) -> str:
    """For train.js to save; `at` makes the same file twice a change."""
    name = re.sub(r"[^\w.-]+", "-", run.title()).strip("-.") or "run"
    text = recipe.to_short_yaml(run)
    return json.dumps({"name": f"{name}.yaml", "kind": "application/yaml", "text": text, "at": time.time()})


def _text(what: str, text: str, then: str) -> str:
    """The same, to be pasted elsewhere; `then` is said once it is copied."""
    return json.dumps({"copy": text, "what": what, "then": then, "at": time.time()})
