"""Export: bring a model home. A run, one of its checkpoints, and a plain link for each shape it comes in.

The page is export.html, filled by export.js. What is downloaded is made while it is sent (GET download/RUN/STEP/KIND).
"""

from pathlib import Path
from typing import Any

import gradio as gr

from dfgui import actions
from dfgui.artifacts import usage
from dfgui.errors import UserError
from dfgui.models import earlier
from dfgui.settings import Settings
from dfgui.store import Store
from dfgui.ui.components.live import spoken, whole_number
from dfgui.ui.context import Context
from dfgui.views import export

HERE = Path(__file__).parent


def build(context: Context) -> None:
    def offers(question: dict) -> dict:
        return spoken(_offers, question, context.settings, context.store)

    gr.HTML(
        "",
        html_template=(HERE / "export.html").read_text(encoding="utf-8"),
        js_on_load="dfgui.exporting.boot(element, server)",
        server_functions=[offers],
        apply_default_css=False,
        elem_id="export",
    )
    context.step.change(None, context.step, None, js="(step) => dfgui.exporting && dfgui.exporting.asked(step)")


def _offers(question: dict[str, Any], settings: Settings, store: Store) -> dict[str, Any]:
    """{runs, run, checkpoints, step, offers}: what can be chosen, and what there is of what was chosen."""
    runs = [(run, store.checkpoints.of(run["id"])) for run in store.runs.all()]
    runs = [(run, checkpoints) for run, checkpoints in runs if checkpoints]
    if not runs:
        return {"runs": []}
    run, checkpoints = next(((run, rows) for run, rows in runs if run["id"] == question.get("run")), runs[0])
    step = export.chosen_step(checkpoints, whole_number(question.get("step")))
    sizes, trouble = _sizes(settings, run["id"], step)
    return {
        "trouble": trouble,
        "runs": [{"value": run["id"], "label": export.run_label(run)} for run, _ in runs],
        "run": run["id"],
        "checkpoints": [{"value": row["step"], "label": export.step_label(row)} for row in reversed(checkpoints)],
        "step": step,
        "offers": export.offers(sizes, earlier.origin(run).name, _code(run), _files(settings, run["id"], step)),
    }


def _sizes(settings: Settings, run: str, step: int) -> tuple[dict[str, int], str]:
    """What the checkpoint comes in, and why it cannot if it cannot; another one can be chosen then."""
    try:
        return actions.home_sizes(settings, run, step), ""
    except UserError as error:
        return {}, str(error)


def _files(settings: Settings, run: str, step: int) -> dict[str, int]:
    """Bytes of the checkpoint's own weights, file by file."""
    try:
        return {name: file.stat().st_size for name, file in actions.weights(settings, run, step).items()}
    except (UserError, OSError):  # why is told already
        return {}


def _code(run: dict[str, Any]) -> dict[str, str]:
    """The lines that load each shape. The demo's base has no name on the Hub: there it is a folder."""
    return {"adapter": usage.ADAPTER.replace("BASE", repr(actions.base_name(run))), "merged": usage.MODEL}
