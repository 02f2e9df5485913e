"""Chat: the same question to a checkpoint and to its base, side by side, greedy and as it is written."""

import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from dfgui import actions
from dfgui.errors import UserError
from dfgui.store.scores import BASE
from dfgui.ui import held_out, messages
from dfgui.ui.components import checkpoint, conversation
from dfgui.ui.context import Context
from dfgui.views import question

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
OWN = 0  # stands in the list of rows for a question of one's own
MOST_OFFERED = 200
CALL_MARK = re.compile(r"<tool_call>|<\|python_tag\|>|\[TOOL_CALLS\]")
WAITING = '<p class="faint waiting">The answer appears here.</p>'
LOADING = '<p class="faint loading">Loading the model …</p>'
STOPPED = '<p class="faint">Stopped.</p>'


def build(context: Context) -> None:
    settings = context.settings
    picked = checkpoint.build(context, "chat")
    with picked.body:
        row = gr.Dropdown(
            [("My own question", OWN)],
            value=OWN,
            label="Question",
            info="A row that was held out: the model has never seen it. Or ask something of your own.",
            elem_id="chat-row",
        )
        before = gr.HTML("", elem_id="chat-before")
        prompt = gr.Textbox(
            lines=2, max_lines=8, label="You ask", placeholder="Weather in Oslo?", elem_id="chat-prompt"
        )
        with gr.Accordion(_offered([]), open=False, elem_id="chat-tools") as offered:
            tools = gr.Code("[]", language="json", lines=4, max_lines=18, label="tools", interactive=True)
        trouble = gr.HTML("", elem_id="chat-trouble", elem_classes="slot")
        with gr.Row(elem_id="chat-buttons"):
            ask = gr.Button("Ask both", variant="primary", scale=0, min_width=140, elem_id="chat-ask")
            stop = gr.Button("Stop", scale=0, min_width=90, elem_id="chat-stop")
        with gr.Row(elem_id="chat-answers"):
            untrained = _column("Base, before training", "chat-base")
            tuned = _column("Tuned, this checkpoint", "chat-tuned")
        expected = gr.HTML("", elem_id="chat-expected")
    history = gr.State([])  # what stands before the question in its row

    @messages.says(trouble)
    def offer(run: str | None) -> dict:
        """The questions of the run's held-out rows; the first of them asked."""
        asked = held_out.questions(settings, run)[:MOST_OFFERED] if run else []
        choices = [("My own question", OWN), *((question.label(one), one.row) for one in asked)]
        return {row: gr.update(choices=choices, value=asked[0].row if asked else OWN)}

    @messages.says(trouble)
    def take(run: str | None, number: int | None) -> dict:
        """Fills the question, what stands before it, its tools, and what its row answers."""
        blank = {untrained: WAITING, tuned: WAITING}
        found = next((one for one in held_out.questions(settings, run) if one.row == number), None) if run else None
        if found is None:
            nothing = {offered: gr.update(label=_offered([])), tools: "[]"}
            return {**blank, **nothing, history: [], before: "", prompt: "", expected: ""}
        return {
            **blank,
            history: found.history,
            before: conversation.draw(found.history) if found.history else "",
            prompt: found.prompt,
            offered: gr.update(label=_offered(found.tools)),
            tools: json.dumps(found.tools, indent=2, ensure_ascii=False),
            expected: f"<h3>The answer that stands in row {found.row}</h3>{conversation.draw(found.answer)}",
        }

    def answer(side: gr.HTML, step_of: Any) -> Any:
        """A handler that lets one side answer."""

        @messages.says(side)  # each side its own trouble: the other may answer all the same
        def write(run: str, step: int, before: list[dict], prompt: str, tools: str) -> Iterator[dict]:
            asked = [*before, {"role": "user", "content": _something(prompt)}]
            yield {side: LOADING}
            text = ""
            answer = actions.reply(settings, run, step_of(step), asked, _listed(tools))
            for piece in answer:
                text += piece
                yield {side: _growing(text)}
            yield {side: _answered(actions.parse_reply(settings, run, text), text, answer.cut)}

        return write

    filled = [trouble, history, before, prompt, offered, tools, expected, untrained, tuned]
    taking: dict[str, Any] = {"fn": take, "inputs": [picked.run, row], "outputs": filled, **QUIET}
    picked.run.change(offer, picked.run, [trouble, row], **QUIET).then(**taking)
    row.input(**taking)  # and not its change: a question that is being written would be filled in again
    asking = {"inputs": [picked.run, picked.step, history, prompt, tools], "concurrency_limit": 2, **QUIET}
    triggers = [ask.click, prompt.submit]
    going = [
        gr.on(triggers, answer(untrained, lambda _: BASE), outputs=[untrained], **asking),
        gr.on(triggers, answer(tuned, lambda step: step), outputs=[tuned], **asking),
    ]
    sides = [untrained, tuned]
    stop.click(None, cancels=going).then(lambda *shown: [_halted(one) for one in shown], sides, sides, **QUIET)


def _column(title: str, id: str) -> gr.HTML:
    with gr.Column(min_width=280, elem_classes="answer"):
        gr.HTML(f"<h3>{escape(title)}</h3>", apply_default_css=False)
        return gr.HTML(WAITING, elem_id=id, elem_classes="answered", apply_default_css=False)


def _offered(tools: list[dict[str, Any]]) -> str:
    names = ", ".join(tool["function"]["name"] for tool in tools)
    return f"Tools on offer · {names or 'none'}"


def _something(prompt: str) -> str:
    if not prompt.strip():
        raise UserError("There is no question.", "The field is empty.", "Write one, or choose a held-out row.")
    return prompt


def _listed(tools: str) -> list[dict[str, Any]]:
    """The tools as a list of schemas. Raises UserError when they are not JSON, or not that."""
    from dfgui.data.conversation import to_tools

    try:
        given = json.loads(tools or "[]")
    except ValueError as error:
        raise UserError("The tools are not JSON.", f"{error}.", "Correct them, or empty the list: [].") from error
    return to_tools(given)


def _growing(text: str) -> str:
    """What is written so far: words as words, and a call that is still being written as it comes."""
    mark = CALL_MARK.search(text)
    if not mark:
        return f'<div class="writing"><div class="text">{escape(text)}</div></div>'
    said, call = text[: mark.start()], text[mark.start() :]
    words = f'<div class="text">{escape(said)}</div>' if said.strip() else ""
    return f'<div class="writing">{words}<pre class="call">{escape(call)}</pre></div>'


def _halted(shown: str) -> str:
    """What a side shows once it was stopped. chat.css shows Stop only while something loads or is being written, and
    once both sides do: Gradio cannot end what it has not been told the beginning of.
    """
    return STOPPED if shown == LOADING else shown.replace('class="writing"', 'class="written"')


def _answered(parsed: dict[str, Any], text: str, cut: bool) -> str:
    """The whole answer: words, calls as calls, and the exact text folded below."""
    message = {
        "role": "assistant",
        "content": parsed["content"],
        "reasoning_content": parsed.get("reasoning", ""),
        "tool_calls": parsed["calls"],
    }
    broken = f'<p class="broken">A call that cannot be read: {escape(parsed["broken"])}</p>' if parsed["broken"] else ""
    ending = '<p class="faint">The answer was cut here: it is as long as one may be.</p>' if cut else ""
    exact = f"<details><summary>exactly as written</summary>{conversation.text(text)}</details>"
    return f"{conversation.draw([message])}{broken}{ending}{exact}"
