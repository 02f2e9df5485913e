"""An event of one's own for what many listen to.

    gr.on(relay.own([model.change, source.change]), show, trigger_mode="always_last", ...)

Gradio repeats an event that came while a listener of it was busy, once that listener is done; but to all listeners of
the event. Two that are busy together wake each other without end. To the event made here nobody else listens.
"""

from collections.abc import Sequence
from typing import Any

import gradio as gr

NEW = "() => String(Math.random())"


def own(events: Sequence[Any]) -> list[Any]:
    """The one event that follows any of these, for one listener."""
    told = gr.Textbox(visible="hidden")
    gr.on(list(events), None, None, told, js=NEW)
    return [told.change]
