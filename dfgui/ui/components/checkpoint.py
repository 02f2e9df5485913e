"""Which run, and which of its checkpoints: two lists that Chat and Evaluate have at their top.

    picked = build(context, "chat")
    picked.step.change(show, [picked.run, picked.step], ...)

They follow the run and the step that other pages ask for, and tell the others when a person picks another run.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from dfgui.store import Store
from dfgui.ui import messages, place, relay
from dfgui.ui.context import Context
from dfgui.views import export

QUIET: dict[str, Any] = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}


@dataclass(frozen=True)
class Picked:
    run: gr.Dropdown  # ids of runs that have a checkpoint
    step: gr.Dropdown
    body: gr.Column  # what there is to do with a checkpoint; hidden while there is none


def build(context: Context, page: str) -> Picked:
    tab = place.tab()
    nothing = gr.HTML(_nothing(), visible=False, elem_id=f"{page}-nothing")
    with gr.Row(elem_classes="picked", visible=False) as lists:
        run = gr.Dropdown([], label="Run", interactive=True, min_width=220, scale=3, elem_id=f"{page}-run")
        step = gr.Dropdown([], label="Checkpoint", interactive=True, min_width=180, scale=2, elem_id=f"{page}-step")
    body = gr.Column(visible=False, elem_id=f"{page}-body")
    here = gr.Textbox(visible="hidden")

    def refill(here: str, wanted: str, wanted_step: str) -> dict:
        if here != page:
            return {run: gr.skip()}
        runs = with_checkpoints(context.store)
        found = next((pair for pair in runs if pair[0]["id"] == wanted), runs[0] if runs else None)
        if not found:
            return {nothing: gr.update(visible=True), lists: gr.update(visible=False), body: gr.update(visible=False)}
        steps = [(export.step_label(row), row["step"]) for row in reversed(found[1])]
        asked = int(wanted_step) if (wanted_step or "").isdigit() else None
        return {
            nothing: gr.update(visible=False),
            lists: gr.update(visible=True),
            body: gr.update(visible=True),
            run: gr.update(choices=[(export.run_label(row), row["id"]) for row, _ in runs], value=found[0]["id"]),
            step: gr.update(choices=steps, value=export.chosen_step(found[1], asked)),
        }

    filling: dict[str, Any] = {
        "fn": refill,
        "inputs": [here, context.run, context.step],
        "outputs": [nothing, lists, run, step, body],
        **QUIET,
    }
    tab.select(**filling, js=place.opened(page))
    gr.on(relay.own([context.run.change, context.step.change, context.news.change]), **filling, js=place.HERE)
    run.input(None, run, context.run, js="(run) => run")
    step.input(None, step, context.step, js="(step) => String(step)")
    return Picked(run, step, body)


def with_checkpoints(store: Store) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Runs that have a checkpoint, newest first, each with its checkpoints, oldest first."""
    pairs = [(run, store.checkpoints.of(run["id"])) for run in store.runs.all()]
    return [pair for pair in pairs if pair[1]]


def _nothing() -> str:
    return messages.empty("There is no checkpoint yet.", "Start a run on Train; its first checkpoint appears here.")
