"""Connections: the button before [?]. Keys for the Hub, W&B and DeepFabric: there or not, for this visit, and a test.

The dialog is connections.html, filled by connections.js from the server's own addresses (server/connections.py): what
is typed here never passes through Gradio.
"""

from pathlib import Path

import gradio as gr

HERE = Path(__file__).parent


def build() -> gr.HTML:
    """The button and its dialog. Changed: the visitor has given a value, or had one forgotten."""
    return gr.HTML(
        "",
        html_template=(HERE / "connections.html").read_text(encoding="utf-8"),
        js_on_load="dfgui.connections.boot(element, trigger)",
        apply_default_css=False,
        elem_id="connections",
    )
