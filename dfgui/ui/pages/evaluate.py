"""Evaluate: did it learn to call tools? Held-out calls answered rightly before and after, and each failure to read."""

from html import escape
from typing import Any

import gradio as gr

from dfgui import actions
from dfgui.errors import UserError
from dfgui.store.scores import BASE
from dfgui.ui import held_out, messages
from dfgui.ui.components import checkpoint, conversation
from dfgui.ui.context import Context
from dfgui.views import question, score
from dfgui.views.conversation import call
from dfgui.views.score import Count

QUIET: dict[str, Any] = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
SECONDS = 1.5  # between two looks while something counts
MOST = 100  # failures drawn
DEFINITION = (
    "The held-out rows were kept from the training. For each tool call in them the model reads the row up to there and "
    "answers, always with its likeliest word. Right means: the same calls, each with the same name and every argument."
)


def build(context: Context) -> None:
    settings, store = context.settings, context.store
    picked = checkpoint.build(context, "evaluate")
    with picked.body:
        gr.HTML(f'<p class="definition">{DEFINITION}</p>', apply_default_css=False)
        start = gr.Button("Count right calls", variant="primary", scale=0, min_width=180, elem_id="count")
        trouble = gr.HTML("", elem_id="count-trouble", elem_classes="slot")
        result = gr.HTML("", elem_id="result", apply_default_css=False)
        read = gr.HTML("", elem_id="failures", apply_default_css=False)
    clock = gr.Timer(SECONDS, active=False)
    seen = gr.State("")  # what is drawn, so that a look that finds nothing new sends nothing

    def look(run: str | None, step: int | None, seen_before: str) -> dict:
        if not (run and step):
            return {seen: gr.skip()}
        scores = store.scores.of(run)
        tag = repr([(one["step"], one["state"], one["done"]) for one in scores] + [run, step])
        if tag == seen_before:
            return {seen: gr.skip()}
        return {
            seen: tag,
            clock: gr.Timer(active=score.counting(scores)),
            start: gr.update(interactive=not score.counting(scores)),
            result: _result(scores, step),
            read: _failures(scores, step, settings, run),
        }

    @messages.says(trouble)
    def begin(run: str, step: int) -> dict:
        for each in score.to_count(store.scores.of(run), step):
            actions.score(settings, run, each)
        return {clock: gr.Timer(active=True)}

    shown = {"inputs": [picked.run, picked.step, seen], "outputs": [seen, clock, start, result, read], **QUIET}
    gr.on([picked.run.change, picked.step.change, clock.tick], look, trigger_mode="always_last", **shown)
    start.click(
        begin, [picked.run, picked.step], [trouble, clock], show_progress="minimal", api_visibility="private"
    ).then(look, **shown)


def _result(scores: list[dict[str, Any]], step: int) -> str:
    before = _count("Before", "the base model", score.count(scores, BASE))
    after = _count("After", f"the checkpoint at step {step:,}", score.count(scores, step))
    others = [score.count(scores, one["step"]) for one in scores if one["step"] not in (BASE, step)]
    lines = "".join(f"<li>step {one.step:,}: {escape(one.words)}</li>" for one in others)
    rest = f'<div class="others"><h4>Other checkpoints</h4><ul>{lines}</ul></div>' if lines else ""
    return f'<div class="counts">{before}{after}</div>{rest}'


def _count(title: str, of: str, count: Count) -> str:
    part = count.done if count.state == "scoring" else count.right if count.state == "done" else 0
    share = part / max(count.total, 1)
    return (
        f'<section class="count {count.state}" style="--share: {share:.3f}">'
        f"<h4>{title} <small>{escape(of)}</small></h4>"
        f'<p class="big">{escape(count.words)}</p><div class="bar"></div>'
        f'<p class="faint">{escape(count.remark)}</p></section>'
    )


def _failures(scores: list[dict[str, Any]], step: int, settings: Any, run: str) -> str:
    wrong = score.failures(scores, step)
    if not wrong:
        return ""
    asked = _asked(settings, run)
    drawn = "".join(
        _failure(one, question.asked_before(asked.get(one["row"], []), one["turn"])) for one in wrong[:MOST]
    )
    more = f'<p class="faint">{len(wrong) - MOST} more are not drawn here.</p>' if len(wrong) > MOST else ""
    return f'<h3>Wrong at step {step:,}: {len(wrong)}</h3><div class="failures">{drawn}</div>{more}'


def _asked(settings: Any, run: str) -> dict[int, list[dict]]:
    """The messages of the held-out rows by number; none when the dataset is gone: what went wrong reads without."""
    try:
        return {row["row"]: row["messages"] for row in held_out.rows(settings, run)}
    except UserError:
        return {}


def _failure(result: dict[str, Any], asked: str) -> str:
    expected = "".join(conversation.call(call(one)) for one in result["expected"])
    got = "".join(conversation.call(call(one)) for one in result["got"]) or conversation.text(result["text"])
    return (
        f"<details><summary><b>Row {result['row']}</b> {escape(asked)}<small>{escape(result['why'])}</small></summary>"
        f'<div class="pair"><div><h5>expected</h5>{expected}</div><div><h5>got</h5>{got}</div></div></details>'
    )
