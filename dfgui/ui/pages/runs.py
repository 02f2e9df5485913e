"""Runs: every run in one table that can be scanned; choosing one opens it in Monitor.

The page is runs.html, filled by runs.js from the answers of the pulse (components/live.py).
"""

from pathlib import Path

import gradio as gr

from dfgui.ui.context import Context

HERE = Path(__file__).parent


def build(context: Context) -> None:
    gr.HTML(
        "",
        html_template=(HERE / "runs.html").read_text(encoding="utf-8"),
        js_on_load="dfgui.runs.boot(element)",
        apply_default_css=False,
        elem_id="runs",
    )
