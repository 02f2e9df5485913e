"""Data: what will the model see? The chosen dataset row by row: spoken, as the model reads it, as it stands."""

from collections.abc import Iterator
from contextlib import suppress
from html import escape
from typing import Any

import gradio as gr

from dfgui.data.checks import CHECKS, Check
from dfgui.data.conversation import Conversation
from dfgui.data.formats import MAPPED
from dfgui.data.sources import Broken
from dfgui.errors import UserError
from dfgui.ui import messages, place, relay
from dfgui.ui.components import check, conversation, examples, tokens
from dfgui.ui.context import Context
from dfgui.ui.samples import Look, look_at
from dfgui.ui.uploads import unmarked
from dfgui.views import sample

QUIET: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "always_last", "api_visibility": "private"}
VISITORS: dict[str, Any] = {"concurrency_limit": 4}  # who look through rows at once: a tokenizer takes its time to load
BACK = "(row) => Math.max(1, (row || 1) - 1)"
ON = "(row) => Math.min((row || 0) + 1, document.querySelector('#row-total [data-total]')?.dataset.total || Infinity)"
JUMP = "(jump) => [Number(jump.split(':')[0]), dfgui.view.to('conversation')]"
WAITING = '<p class="faint">Loading the tokenizer …</p>'
NO_DUPLICATES = "Rows that repeat others are found under All rows."
PLAIN = "the model learns to continue it, not to answer."
PLAIN_DO = "To train answers, bring rows of questions and answers: see What should my file look like?"
LEAVE_OUT = "Or leave it out: All rows › Check every row offers that."
COLUMNS_DO = "Then the rows are shown here."
BLANK = '<p class="faint">Nothing to show yet.</p>'


def build(context: Context) -> None:
    tab = place.tab()
    facts = gr.HTML(_facts([]), elem_id="data-facts")
    trouble = gr.HTML("", elem_id="data-trouble")
    with gr.Accordion("What should my file look like?", open=False, elem_id="data-examples"):
        gr.HTML(examples.draw())
    with gr.Row(elem_id="data-bar"):
        previous = _button("‹ Previous", "row-previous")
        number = gr.Number(1, precision=0, label="Row", min_width=110, scale=0, elem_id="row-number", interactive=True)
        total = gr.HTML(_total(None), elem_id="row-total")
        following = _button("Next ›", "row-next")
        problem = _button("Next problem ›", "row-problem")
        onward = gr.Button("Go on to Train ›", variant="primary", size="sm", scale=0, elem_id="data-onward")
    wrong = gr.HTML("", elem_id="row-wrong")
    with gr.Tabs(elem_id="data-views", overflow_behavior="wrap") as shapes_shown:
        views = {
            name: _view(title, name)
            for name, title in {
                "conversation": "Conversation",
                "text": "What the model reads",
                "tokens": "Tokens",
                "raw": "Raw row",
            }.items()
        }
        with gr.Tab("All rows", id="all"):
            panel = check.build(context)
    here = gr.Textbox(visible="hidden")
    detected = gr.State(None)  # the format of the dataset on show
    turns = gr.State([0, 0])  # how often a row, and a dataset, was asked for; the last wins, however long others take
    counted = gr.State(None)  # the dataset whose rows are counted, also where its first row is in trouble
    seen = gr.State(None)  # what is shown, so that coming back to this page does not read it again

    def pictures(turns: list[int], look: Look, number: int, format: str) -> Iterator[dict]:
        """The row in its four shapes, until another row is asked for. `turns` is this visitor's own."""
        turns[0] = mine = turns[0] + 1
        for update in shapes(look, number, format):
            if turns[0] != mine:
                return
            yield update

    def shapes(look: Look, number: int, format: str) -> Iterator[dict]:
        """Each shape as soon as it is there. What cannot be shown is emptied, and says why."""
        missing = [views[name] for name in ("raw", "conversation", "text", "tokens")]
        try:
            row = look.row(number)
            yield {missing.pop(0): conversation.raw(row.raw), wrong: ""}
            spoken = look.conversation(row, format)
            plain = _plain(spoken)
            yield {missing.pop(0): _spoken(spoken), wrong: _notes(plain)}
            made = look.preview(row, format)
        except UserError:
            yield {**dict.fromkeys(missing, BLANK), wrong: ""}
            raise
        length = _length(made, look.max_length)
        yield {
            views["text"]: length + conversation.text(made["text"]),
            views["tokens"]: length + tokens.draw(made["tokens"], made["cut"], look.special(format)),
            wrong: _notes(plain + _problems(made["problems"])),
        }

    @messages.says(trouble, then={seen: None})
    def choose(
        here: str,
        seen_before: Any,
        row: float | None,
        turns: list[int],
        shape: dict,
        request: gr.Request,
        **chosen: Any,
    ) -> Iterator[dict]:
        """Another dataset, format or model: its facts and its first row; the same row where only settings differ."""
        if here != "data" or seen_before == [chosen, shape]:
            yield {seen: gr.skip(), trouble: gr.skip()}
            return
        emptied: dict[Any, Any] = {
            facts: _facts([]),
            counted: None,
            total: _total(None),
            wrong: "",
            **dict.fromkeys(views.values(), BLANK),
        }
        turns[1] = mine = turns[1] + 1
        if missing := _columns_to_choose(chosen):
            yield {seen: [chosen, shape], **emptied, wrong: messages.empty(f"Choose {missing}.", COLUMNS_DO)}
            return
        yield {seen: [chosen, shape], **emptied}
        look = look_at(context.settings_of(request), chosen, shape)
        head, broken = look.head()
        format = look.format(head)
        described, by_hand = look.describe(head, format), look.data.format != "auto"
        waiting = dict.fromkeys((views["text"], views["tokens"]), WAITING)
        soon = _facts(sample.facts(described, by_hand, "…"))
        if turns[1] != mine:
            return
        first = int(row or 1) if seen_before and seen_before[0] == chosen else head[0].number
        yield {facts: soon, number: first, detected: format, counted: [chosen, shape], **waiting}
        try:
            yield from pictures(turns, look, first, format)
            known = _facts(sample.facts(described, by_hand, _template(look, format)))
            if turns[1] != mine:
                return
            yield {facts: known, trouble: _broken(broken, look.data.leave_out)}
        except UserError:
            yield {facts: _facts(sample.facts(described, by_hand, _template(look, format)))}
            raise

    def count(counted: Any, request: gr.Request) -> str:
        """How many rows there are, beside everything else: a large file is read to its end for this, the Hub is not."""
        if not counted:
            return _total(None)
        with suppress(UserError):  # whatever is wrong with the dataset, `choose` says it
            total = look_at(context.settings_of(request), *counted).rows().size()
            return _total(total) if total else ""
        return _total(None)

    @messages.says(trouble)
    def turn_to(
        number: float | None, format: str | None, turns: list[int], shape: dict, request: gr.Request, **chosen: Any
    ) -> Iterator[dict]:
        """Another row of the same dataset."""
        look = look_at(context.settings_of(request), chosen, shape)
        yield from pictures(turns, look, int(number or 1), format or look.format())

    @messages.says(trouble)
    def seek(
        after: float | None, format: str | None, turns: list[int], shape: dict, request: gr.Request, **chosen: Any
    ) -> Iterator[dict]:
        """The next row in which something is wrong."""
        look = look_at(context.settings_of(request), chosen, shape)
        form = format or look.format()
        if found := look.next_problem(int(after or 0), form):
            yield {number: found.number}
            yield from pictures(turns, look, found.number, form)
        else:
            words = f"Nothing is wrong in the rows after {int(after or 0):,}."
            yield {wrong: messages.empty(words, NO_DUPLICATES)}

    selection = context.selection
    shown = [trouble, number, wrong, *views.values()]
    asked = {
        "inputs": [number, detected, turns, selection.shape],
        "inputs_kwargs": selection.inputs,
        "outputs": shown,
        **QUIET,
        **VISITORS,
    }
    previous.click(None, number, number, js=BACK).then(turn_to, **asked)
    following.click(None, number, number, js=ON).then(turn_to, **asked)
    onward.click(None, None, context.tabs, js="() => dfgui.view.to('train')")
    number.submit(turn_to, **asked)
    problem.click(seek, **{**asked, "show_progress": "minimal"}, show_progress_on=problem)
    jumped = panel.jump.change(None, panel.jump, [number, shapes_shown], js=JUMP)
    jumped.then(turn_to, **asked)
    counted.change(count, counted, total, **QUIET, **VISITORS)
    choosing: dict[str, Any] = {
        "fn": choose,
        "inputs": [here, seen, number, turns, selection.shape],
        "inputs_kwargs": selection.inputs,
        "outputs": [seen, counted, detected, facts, total, *shown],
        **QUIET,
        **VISITORS,
    }
    tab.select(**choosing, js=place.opened("data"))
    gr.on([*selection.changes, *relay.own([context.cured.change])], **choosing, js=place.HERE)


def _columns_to_choose(chosen: dict[str, Any]) -> str:
    """What is still to be chosen where columns are to be mapped; "" where that is done, or not asked for."""
    if chosen["data__format"] != MAPPED:
        return ""
    places = {"question": "prompt", "answer": "answer"}
    left = [name for name, place in places.items() if not chosen[f"data__{place}_column"]]
    return f"which column is the {' and which the '.join(left)}" if left else ""


def _broken(found: Broken | UserError | None, leave_out: list[str]) -> str:
    """What cannot be read among the first rows. A row by itself can be left out; after a UserError nothing is read."""
    if isinstance(found, UserError):
        return messages.trouble(found)
    if found is None or "unreadable" in leave_out:
        return ""
    error = found.error
    return messages.trouble(UserError(error.what, error.why, f"{error.do} {LEAVE_OUT}"))


def _spoken(given: Conversation) -> str:
    if given.segments is not None:
        return conversation.pieces(given.segments)
    return conversation.draw(given.messages, given.tools)


def _plain(given: Conversation) -> str:
    """Whoever uploads a chat as .txt expects answers of the model; there is nothing in such a row to answer."""
    if given.segments is None or not all(learned for _, learned in given.segments):
        return ""
    return messages.note("tell", "Plain text:", PLAIN, PLAIN_DO)


def _problems(found: list[dict[str, str]]) -> str:
    """What a check says of the row on show."""
    return "".join(_problem(CHECKS[one["check"]], one["detail"]) for one in found)


def _notes(lines: str) -> str:
    return f'<div class="notes"><ul>{lines}</ul></div>' if lines else ""


def _problem(about: Check, detail: str) -> str:
    """What is wrong with the row, and what to do; of what is no more than worth knowing, the row's part is folded."""
    kind = check.KINDS[about.severity]
    if about.severity != "info":
        return messages.note(kind, about.title, detail)
    return (
        f'<li class="note {kind}"><span class="kind">{messages.KINDS[kind]}</span><div><b>{escape(about.title)}</b> '
        f"{escape(about.advice)}<details><summary>What exactly</summary><p>{escape(unmarked(detail))}</p></details>"
        "</div></li>"
    )


def _button(title: str, id: str) -> gr.Button:
    return gr.Button(title, size="sm", min_width=96, scale=0, elem_id=id)


def _view(title: str, name: str) -> gr.HTML:
    with gr.Tab(title, id=name):
        return gr.HTML(BLANK, elem_id=f"view-{name}", elem_classes="sample")


def _template(look: Look, format: str) -> str | None:
    """What is known of the chat template, also where the first row has trouble with it."""
    with suppress(UserError):  # `choose` says why there is none
        return look.template_note(format)
    return None


def _facts(facts: list[sample.Fact]) -> str:
    items = [
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)} <small>{escape(remark)}</small></dd></div>"
        for name, value, remark in facts
    ]
    return f'<dl class="facts">{"".join(items)}</dl>'


def _total(total: int | None) -> str:
    if total is None:
        return "<span>of …</span>"
    return f'<span data-total="{total}">of {total:,}</span>'


def _length(made: dict, max_length: int) -> str:
    words = sample.length(made["token_count"], made["trained_count"], made["cut"], max_length)
    return f'<p class="length">{escape(words)}</p>'
