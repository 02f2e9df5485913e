"""Export: bring a model home. A run, its checkpoints to choose from, and a plain link for each shape it comes in.

The page is export.html, filled by export.js. What is downloaded is made while it is sent (GET download/RUN/STEP/KIND);
what goes to the Hub is pushed by the server (server/pushes.py).
"""

from pathlib import Path
from typing import Any

import gradio as gr

from dfgui import actions, words
from dfgui.artifacts import usage
from dfgui.errors import UserError
from dfgui.integrations.connections import visitor_of
from dfgui.models import earlier
from dfgui.settings import Settings
from dfgui.store import Store
from dfgui.store.runs import ENDED
from dfgui.ui.components.live import spoken, whole_number
from dfgui.ui.context import Context
from dfgui.views import export, shelf

HERE = Path(__file__).parent


def build(context: Context) -> None:
    def offers(question: dict) -> dict:
        return spoken(_offers, question, context.settings, context.store)

    def keep(question: dict) -> dict:
        return spoken(_keep, question, context.settings)

    def discard(question: dict) -> dict:
        return spoken(_discard, question, context.settings)

    def name_base(question: dict, request: gr.Request) -> dict:
        theirs = context.connections.secrets(visitor_of(request))
        return spoken(_name_base, question, context.settings.with_secrets(theirs))

    gr.HTML(
        "",
        html_template=(HERE / "export.html").read_text(encoding="utf-8"),
        js_on_load="dfgui.exporting.boot(element, server)",
        server_functions=[offers, keep, discard, name_base],
        apply_default_css=False,
        elem_id="export",
    )
    context.step.change(None, context.step, None, js="(step) => dfgui.exporting && dfgui.exporting.asked(step)")


def _offers(question: dict[str, Any], settings: Settings, store: Store) -> dict[str, Any]:
    """What can be chosen, and what there is of what was chosen.

    {runs, run, name, shelf, left_over, step, two, base, offers, trouble}; {runs: []} where nothing has a checkpoint.
    """
    runs = [(run, store.checkpoints.of(run["id"])) for run in store.runs.all()]
    runs = [(run, checkpoints) for run, checkpoints in runs if checkpoints]
    if not runs:
        return {"runs": []}
    run, checkpoints = next(((run, rows) for run, rows in runs if run["id"] == question.get("run")), runs[0])
    step = export.chosen_step(checkpoints, whole_number(question.get("step")))
    sizes, trouble = _sizes(settings, run["id"], step)
    saved = actions.shelf(settings, run["id"])
    base = export.question(run) if sizes else None
    refused = {"merged": base["first"]} if base else {}
    files = _files(settings, run["id"], step)
    gguf = export.gguf(
        run, _gguf_sizes(settings, run["id"], step), actions.can_convert(settings), (base or {}).get("first", "")
    )
    return {
        "trouble": trouble,
        "runs": [{"value": run["id"], "label": export.run_label(run)} for run, _ in runs],
        "run": run["id"],
        "name": run["name"],
        "shelf": shelf.listed(saved),
        "left_over": shelf.left_over(actions.unfinished(settings, run["id"]), run["status"] in ENDED),
        "step": step,
        "two": _two(saved, step, whole_number(question.get("beside"))),
        "base": base,
        "offers": export.offers(sizes, earlier.origin(run).name, _code(run), files, refused, gguf),
    }


def _two(saved: list[dict[str, Any]], step: int, beside: int | None) -> dict[str, Any] | None:
    """The chosen checkpoint and another one, the earlier first; None where that is not there."""
    pair = [one for one in saved if one["step"] in (step, beside)]
    return shelf.side_by_side(*pair) if len(pair) == 2 else None


def _keep(question: dict[str, Any], settings: Settings) -> dict[str, Any]:
    return actions.keep(settings, str(question.get("run")), _step(question), question.get("kept") is True)


def _discard(question: dict[str, Any], settings: Settings) -> dict[str, Any]:
    gone = actions.delete_checkpoint(settings, str(question.get("run")), _step(question))
    at, freed = words.whole(gone["step"]), words.size(gone["bytes"])
    return {"words": f"Checkpoint {at} is deleted, {freed} are free again."}


def _name_base(question: dict[str, Any], settings: Settings) -> dict[str, Any]:
    model = str(question.get("model") or "").strip()
    if not model:
        why = "A run knows its base again by its weights, wherever it lies."
        raise UserError("No model is named.", why, "Write the path of its folder.")
    told = actions.name_base(settings, str(question.get("run")), model)
    others = len(told["runs"]) - 1
    more = f" {words.counted(others, 'other run')} trained from it {'know' if others > 1 else 'knows'} it too."
    return {"words": f"The model is found.{more if others else ''}"}


def _step(question: dict[str, Any]) -> int:
    if (step := whole_number(question.get("step"))) is None:
        raise UserError("That is not a checkpoint.", "A checkpoint is named by its step.", "Choose one of the list.")
    return step


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


def _gguf_sizes(settings: Settings, run: str, step: int) -> dict[str, int]:
    try:
        return actions.gguf_sizes(settings, run, step)
    except (UserError, OSError, ValueError):  # why is told already
        return {}


def _code(run: dict[str, Any]) -> dict[str, str]:
    """The lines that load each shape. The demo's base has no name on the Hub: there it is a folder."""
    return {"adapter": usage.ADAPTER.replace("BASE", repr(actions.base_name(run))), "merged": usage.MODEL}
