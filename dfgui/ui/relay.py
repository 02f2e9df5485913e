"""Many listeners of the same events, of which none wakes another.

    relay.any_of([rate.input, source.change]).then(check, trigger_mode="always_last", ...)
    gr.on(relay.own([model.change, source.change]), show, trigger_mode="always_last", ...)

Gradio repeats an event that came while a listener of it was busy, once that listener is done; but to all listeners of
the event. Two that are busy together wake each other without end. What follows as a next step is repeated alone, and so
is what follows an event that nobody else listens to.
"""

from collections.abc import Sequence
from typing import Any

import gradio as gr

NEW = "() => String(Math.random())"


def any_of(events: Sequence[Any]) -> Any:
    """A first step of nothing, at any of these events."""
    return gr.on(list(events), None, None, None, js="() => {}")


def own(events: Sequence[Any]) -> list[Any]:
    """The one event that follows any of these, for one listener."""
    told = gr.Textbox(visible="hidden")
    gr.on(list(events), None, None, told, js=NEW)
    return [told.change]
