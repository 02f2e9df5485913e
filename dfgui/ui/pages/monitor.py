"""Monitor: how is it going?"""

import gradio as gr

from dfgui.ui.context import Context


def build(context: Context) -> None:
    gr.Markdown("Monitor")
