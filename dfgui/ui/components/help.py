"""Help: the [?] at the end of the title's line. What each page is for, our words, the keys, and where things are kept.

The dialog is help.html, opened by help.js.
"""

from html import escape
from pathlib import Path

import gradio as gr

from dfgui.settings import Settings

HERE = Path(__file__).parent


def build(settings: Settings) -> gr.HTML:
    return gr.HTML(
        escape(str(settings.home)),
        html_template=(HERE / "help.html").read_text(encoding="utf-8"),
        js_on_load="dfgui.help.boot(element)",
        apply_default_css=False,
        elem_id="help",
    )
