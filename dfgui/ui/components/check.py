"""Every row of the chosen dataset, looked at: what is wrong, the rows that have it, the cures; how long rows are.

    panel = build(context)                     # inside a tab of the Data page
    panel.jump.change(show_row, panel.jump)    # "17:1": somebody wants to see row 17

A cure is a setting of Train: a click on one writes it to `context.cure`, Train fills it in and says so in
`context.cured`, and the rows are looked at again.
"""

import base64
import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import gradio as gr

from dfgui import actions
from dfgui.data.cures import USED_TOOLS
from dfgui.ui import messages, relay
from dfgui.ui.components import histogram
from dfgui.ui.context import Context
from dfgui.ui.samples import look_at
from dfgui.ui.uploads import unmarked
from dfgui.views import findings
from dfgui.words import counted

if TYPE_CHECKING:
    from dfgui.data.cures import Cure
    from dfgui.data.report import Finding, Report

KINDS = {"error": "stop", "warning": "warn", "info": "tell"}
NAMED = 12  # rows of a finding that can be opened with a click
TOOLS = 12  # listed with their counts
INTRODUCTION = (
    '<p class="faint">Reads, renders and tokenises every row as the training will, and lists what is wrong: rows that '
    "cannot be used, calls of unknown tools, arguments against their schema, answers that max_length cuts off, "
    "duplicates. Nothing is changed.</p>"
)


@dataclass(frozen=True)
class Panel:
    jump: gr.Textbox  # hidden: "17:3", row 17 for the third time


def build(context: Context) -> Panel:
    with gr.Row(elem_id="check-bar"):
        start = gr.Button(
            "Check every row", variant="primary", size="sm", scale=0, min_width=150, elem_id="check-start"
        )
        stop = gr.Button("Stop", size="sm", scale=0, min_width=80, interactive=False, elem_id="check-stop")
        progress = gr.HTML("", elem_id="check-progress")
    trouble = gr.HTML("", elem_id="check-trouble", elem_classes="slot")
    result = gr.HTML(INTRODUCTION, elem_id="check-result", apply_default_css=False)
    jump = gr.Textbox(visible="hidden")
    selection = context.selection
    idle: dict[Any, Any] = {start: gr.update(interactive=True), stop: gr.update(interactive=False)}

    @messages.says(trouble, then={**idle, progress: ""})
    def check(shape: dict, request: gr.Request, **chosen: Any) -> Iterator[dict]:
        yield {start: gr.update(interactive=False), stop: gr.update(interactive=True), progress: _progress(0, None)}
        theirs = context.settings_of(request)
        look = look_at(theirs, chosen, shape)
        for report in actions.check(theirs, look.data, look.model, look.max_length):
            done = _progress(report.rows, report.total)
            yield {progress: "", **idle} if report.complete else {progress: done}
            yield {result: draw(report, look.max_length)}

    def stopped() -> dict:
        return {**idle, progress: '<span class="faint">Stopped: what is listed is of the rows until then.</span>'}

    def forgotten() -> dict:
        """Another dataset or model was chosen."""
        return {**idle, progress: "", result: INTRODUCTION}

    asked: dict[str, Any] = {
        "fn": check,
        "inputs": [selection.shape],
        "inputs_kwargs": selection.inputs,
        "outputs": [start, stop, progress, trouble, result],
        "show_progress": "hidden",
        "api_visibility": "private",
        "concurrency_limit": 2,
    }
    going: list[Any] = [start.click(**asked), gr.on(relay.own([context.cured.change]), **asked)]
    quiet: dict[str, Any] = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
    stop.click(stopped, None, [start, stop, progress], cancels=going, **quiet)
    selection.shape.change(lambda: INTRODUCTION, None, result, **quiet)  # other settings of Train: no longer true
    gr.on(selection.changes, forgotten, None, [start, stop, progress, result], cancels=going, **quiet)
    result.click(None, [jump, context.cure], [jump, context.cure], js="(jump, cure) => dfgui.check.clicked(jump, cure)")
    return Panel(jump)


def draw(report: "Report", max_length: int) -> str:
    """The report as HTML; what stands in it of rows is escaped."""
    found = "".join(map(_finding, report.findings))
    fine = "" if found or not report.complete else messages.note("ok", "Nothing is wrong with these rows.", "")
    listed = f'<section class="notes"><h3>Findings</h3><ul>{found}{fine}</ul>{_downloads(report)}</section>'
    counted = f"<section>{_lengths(report, max_length)}{_tools(report)}</section>"
    return f'<p class="summary">{escape(findings.summary(report))}</p><div class="checked">{listed}{counted}</div>'


def _progress(done: int, total: int | None) -> str:
    words = f"{done:,} of {total:,} rows" if total else f"{done:,} rows"
    return f'<progress {f"value={done / total:.3f}" if total else ""}></progress> <span class="faint">{words}</span>'


def _finding(found: "Finding") -> str:
    kind = KINDS[found.severity]
    numbers = "".join(_row(number) for number in found.rows[:NAMED])
    more = f" and {found.count - NAMED:,} more" if found.count > NAMED else ""
    cures = "".join(map(_cure, found.cures))
    examples = "".join(f"<li>{escape(unmarked(words))}</li>" for words in found.examples)
    return (
        f'<li class="note {kind}"><span class="kind">{messages.KINDS[kind]}</span><div>'
        f"<b>{escape(found.title)}</b> {findings.rows(found.count)} "
        f'<span class="rows">{numbers}{more}</span><span class="cure">{escape(found.advice)}</span>'
        f'<div class="cures">{cures}</div>'
        f"<details><summary>What exactly</summary><ul>{examples}</ul></details></div></li>"
    )


def _row(number: int) -> str:
    return f'<button type="button" class="row" data-row="{number}" aria-label="Show row {number}">{number}</button>'


def _cure(cure: "Cure") -> str:
    setting = escape(json.dumps({cure.setting: cure.value}))
    return f'<button type="button" class="df-button small" data-cure="{setting}">{escape(cure.label)}</button>'


def _lengths(report: "Report", max_length: int) -> str:
    drawn = histogram.draw(report.lengths["histogram"], max_length, _spoken(report))
    facts = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in _facts(report))
    return f'<h3>Tokens per row</h3>{drawn}<dl class="facts">{facts}</dl>'


def _spoken(report: "Report") -> str:
    return " ".join(findings.lengths(report)) or "No row could be tokenised."


def _facts(report: "Report") -> list[tuple[str, str]]:
    found = report.lengths
    packed = counted(found["packed_sequences"], "sequence") if report.complete else "… sequences"
    return [
        ("Half of the rows", f"up to {found['median']:,} tokens"),
        ("95 % of the rows", f"up to {found['p95']:,}"),
        ("Longest", f"{found['max']:,}"),
        ("Cut by max_length", f"{found['cut_share'] * 100:.1f} %"),
        ("Recommended max_length", f"{found['recommended_max_length']:,}"),
        ("Learned", f"{report.trained_token_share * 100:.0f} % of the tokens"),
        ("Packed", f"{packed} instead of {counted(report.trainable_rows, 'row')}"),
    ]


def _tools(report: "Report") -> str:
    if not report.tools:
        return ""
    listed = sorted(report.tools.items(), key=lambda item: -item[1][1])[:TOOLS]
    lines = "".join(
        f'<tr><td>{escape(name)}</td><td class="num">{offered:,}</td><td class="num">{used:,}</td></tr>'
        for name, (offered, used) in listed
    )
    more = f'<p class="faint">{len(report.tools) - TOOLS:,} more tools.</p>' if len(report.tools) > TOOLS else ""
    head = '<tr><th>Tool</th><th class="num">rows offer it</th><th class="num">rows call it</th></tr>'
    sizes = "".join(f"<p>{escape(line)} {_used(report)}</p>" for line in findings.tools(report))
    return f'<h3>Tools</h3>{sizes}<table class="tools"><thead>{head}</thead><tbody>{lines}</tbody></table>{more}'


def _used(report: "Report") -> str:
    """The click that shows fewer tools, where that saves something and is not done yet."""
    saves = report.tools_shown == "all" and report.tool_tokens["used"] < report.tool_tokens["all"]
    return _cure(USED_TOOLS) if saves else ""


def _downloads(report: "Report") -> str:
    """The whole report, with every row number, once it is complete."""
    if not report.complete:
        return ""
    name = f"{PurePath(unmarked(report.source)).stem or 'rows'}-report"
    as_json = _link(f"{name}.json", "application/json", json.dumps(report.to_dict(), indent=1))
    return f'<p class="downloads">{as_json}{_link(f"{name}.csv", "text/csv", to_csv(report))}</p>'


def to_csv(report: "Report") -> str:
    """check, severity, row: a line for each row of each finding."""
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow(["check", "severity", "row"])
    lines.writerows([one.check, one.severity, row] for one in report.findings for row in one.rows)
    return out.getvalue()


def _link(name: str, kind: str, text: str) -> str:
    data = f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}"
    words = f"Report as {name.rpartition('.')[2].upper()}"
    return f'<a class="df-button small" download="{escape(name)}" href="{data}">{words}</a>'
