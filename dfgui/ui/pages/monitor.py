"""Monitor: how is it going? One run, live: its loss, its checkpoints, its log, and the buttons that stop or save it.

The page is monitor.html, filled by monitor.js from the answers of the pulse (components/live.py). What is asked of a
run goes into the store, and so does what comes of it: every browser sees the same.
"""

import json
from pathlib import Path

import gradio as gr

from dfgui.ui.context import Context
from dfgui.views.curves import METRICS

HERE = Path(__file__).parent


def build(context: Context) -> None:
    gr.HTML(
        "",
        html_template=(HERE / "monitor.html").read_text(encoding="utf-8"),
        js_on_load=f"dfgui.monitor.boot(element, {json.dumps(list(METRICS))})",
        apply_default_css=False,
        elem_id="monitor",
    )
