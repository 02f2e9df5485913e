"""The search over the form: any setting by a word of its title, its name or its help, wherever it is folded away.

search.js finds, and leads to the field.
"""

import json
from collections.abc import Iterable
from html import escape

import gradio as gr

from dfgui import config
from dfgui.fields import Spec

WORDS = "Find a setting"


def build(specs: Iterable[Spec]) -> gr.HTML:
    """`specs` are the settings that the form has fields for."""
    known = [
        {
            "id": f"field-{spec.path.replace('.', '__')}",
            "name": spec.path.removeprefix("training."),
            "title": spec.title,
            "help": spec.help,
            "group": spec.group,
            "in": config.GROUPS[spec.group],
            "level": spec.level,
            "when": [other.replace(".", "__") for other in spec.when],
        }
        for spec in specs
    ]
    box = (
        f'<div class="search" data-settings="{_safe(escape(json.dumps(known)))}">'
        f'<input type="search" role="combobox" autocomplete="off" aria-label="{WORDS}" placeholder="{WORDS}" '
        'aria-expanded="false" aria-controls="search-found" aria-autocomplete="list">'
        '<ul id="search-found" role="listbox" aria-label="Settings found" hidden></ul></div>'
    )
    return gr.HTML(
        "", html_template=box, js_on_load="dfgui.search.boot(element)", apply_default_css=False, elem_id="search"
    )


def _safe(text: str) -> str:
    """Text of an attribute as a template of gr.HTML, which is one of JavaScript's."""
    return text.replace("\\", "&#92;").replace("`", "&#96;").replace("$", "&#36;").replace("{{", "&#123;&#123;")
