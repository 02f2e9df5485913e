"""Data: what will the model see? The chosen dataset row by row: spoken, as the model reads it, as it stands."""

from collections.abc import Iterator
from contextlib import suppress
from html import escape
from typing import Any

import gradio as gr

from dfgui.data.formats import MAPPED
from dfgui.data.sources import Broken
from dfgui.errors import UserError
from dfgui.ui import messages, place, relay
from dfgui.ui.components import check, examples, shapes
from dfgui.ui.components.shapes import Updates
from dfgui.ui.context import Context
from dfgui.ui.samples import Look, look_at
from dfgui.views import sample

QUIET: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "always_last", "api_visibility": "private"}
VISITORS: dict[str, Any] = {"concurrency_limit": 4}  # who look through rows at once: a tokenizer takes its time to load
BACK = "(row) => Math.max(1, (row || 1) - 1)"
ON = "(row) => Math.min((row || 0) + 1, document.querySelector('#row-total [data-total]')?.dataset.total || Infinity)"
JUMP = "(jump) => [Number(jump.split(':')[0]), dfgui.view.to('conversation')]"
NO_DUPLICATES = "Rows that repeat others are found under All rows."
LEAVE_OUT = "Or leave it out: All rows › Check every row offers that."
COLUMNS_DO = "Then the rows are shown here."


def build(context: Context) -> None:
    page = Page(context)
    page.wire()


class Page:
    """Its parts, as they are laid out; what happens to them; and when (`wire`)."""

    def __init__(self, context: Context):
        self.context = context
        self.tab = place.tab()
        self.facts = gr.HTML(_facts([]), elem_id="data-facts")
        self.trouble = gr.HTML("", elem_id="data-trouble")
        with gr.Accordion("What should my file look like?", open=False, elem_id="data-examples"):
            gr.HTML(examples.draw())
        with gr.Row(elem_id="data-bar"):
            self.previous = _button("‹ Previous", "row-previous")
            self.number = gr.Number(
                1, precision=0, label="Row", min_width=110, scale=0, elem_id="row-number", interactive=True
            )
            self.total = gr.HTML(_total(None), elem_id="row-total")
            self.following = _button("Next ›", "row-next")
            self.problem = _button("Next problem ›", "row-problem")
            self.onward = gr.Button("Go on to Train ›", variant="primary", size="sm", scale=0, elem_id="data-onward")
        wrong = gr.HTML("", elem_id="row-wrong")
        with gr.Tabs(elem_id="data-views", overflow_behavior="wrap") as self.views:
            self.shapes = shapes.build(wrong)
            with gr.Tab("All rows", id="all"):
                self.panel = check.build(context)
        self.here = gr.Textbox(visible="hidden")
        self.detected = gr.State(None)  # the format of the dataset on show
        # How often a row, and a dataset, was asked for; the last wins, however long others take.
        self.turns = gr.State([0, 0])
        self.counted = gr.State(None)  # the dataset whose rows are counted, also where its first row is in trouble
        self.seen = gr.State(None)  # what is shown, so that coming back to this page does not read it again

    def wire(self) -> None:
        selection = self.context.selection
        shown = [self.trouble, self.number, *self.shapes.outputs]
        asked: dict[str, Any] = {
            "inputs": [self.number, self.detected, self.turns, selection.shape],
            "inputs_kwargs": selection.inputs,
            "outputs": shown,
            **QUIET,
            **VISITORS,
        }
        turn_to = messages.says(self.trouble)(self.turn_to)
        seek = messages.says(self.trouble)(self.seek)
        self.previous.click(None, self.number, self.number, js=BACK).then(turn_to, **asked)
        self.following.click(None, self.number, self.number, js=ON).then(turn_to, **asked)
        self.onward.click(None, None, self.context.tabs, js="() => dfgui.view.to('train')")
        self.number.submit(turn_to, **asked)
        self.problem.click(seek, **{**asked, "show_progress": "minimal"}, show_progress_on=self.problem)
        jumped = self.panel.jump.change(None, self.panel.jump, [self.number, self.views], js=JUMP)
        jumped.then(turn_to, **asked)
        self.counted.change(self.count, self.counted, self.total, **QUIET, **VISITORS)
        choosing: dict[str, Any] = {
            "fn": messages.says(self.trouble, then={self.seen: None})(self.choose),
            "inputs": [self.here, self.seen, self.number, self.turns, selection.shape],
            "inputs_kwargs": selection.inputs,
            "outputs": [self.seen, self.counted, self.detected, self.facts, self.total, *shown],
            **QUIET,
            **VISITORS,
        }
        self.tab.select(**choosing, js=place.opened("data"))
        gr.on([*selection.changes, *relay.own([self.context.cured.change])], **choosing, js=place.HERE)

    def choose(
        self,
        here: str,
        seen: Any,
        row: float | None,
        turns: list[int],
        shape: dict,
        request: gr.Request,
        **chosen: Any,
    ) -> Iterator[Updates]:
        """Another dataset, format or model: its facts and its first row; the same row where only settings differ."""
        if here != "data" or seen == [chosen, shape]:
            yield {self.seen: gr.skip(), self.trouble: gr.skip()}
            return
        turns[1] = mine = turns[1] + 1
        yield {self.seen: [chosen, shape], **self._emptied(_columns_to_choose(chosen))}
        if _columns_to_choose(chosen):
            return
        same = bool(seen) and seen[0] == chosen
        for update in self._opened(look_at(self.context.settings_of(request), chosen, shape), row, same, turns):
            if turns[1] != mine:
                return
            yield update | ({self.counted: [chosen, shape]} if self.number in update else {})

    def _emptied(self, missing: str) -> Updates:
        """Nothing is shown. `missing`: what is still to be chosen."""
        emptied = {self.facts: _facts([]), self.counted: None, self.total: _total(None), **self.shapes.emptied()}
        wrong = messages.empty(f"Choose {missing}.", COLUMNS_DO) if missing else ""
        return emptied | {self.shapes.wrong: wrong}

    def _opened(self, look: Look, row: float | None, same: bool, turns: list[int]) -> Iterator[Updates]:
        """A dataset from its first look to its first row, or to the `row` that was on show of the `same` one."""
        head, broken = look.head()
        format = look.format(head)
        described, by_hand = look.describe(head, format), look.data.format != "auto"
        first = int(row or 1) if same else head[0].number
        soon = _facts(sample.facts(described, by_hand, "…"))
        yield {self.facts: soon, self.number: first, self.detected: format, **self.shapes.waiting()}
        try:
            yield from self.shapes.drawn(turns, look, first, format)
        except UserError:
            yield {self.facts: _facts(sample.facts(described, by_hand, _template(look, format)))}
            raise
        known = _facts(sample.facts(described, by_hand, _template(look, format)))
        yield {self.facts: known, self.trouble: _broken(broken, look.data.leave_out)}

    def count(self, counted: Any, request: gr.Request) -> str:
        """How many rows there are, beside everything else: a large file is read to its end for this, the Hub is not."""
        if not counted:
            return _total(None)
        with suppress(UserError):  # whatever is wrong with the dataset, `choose` says it
            total = look_at(self.context.settings_of(request), *counted).rows().size()
            return _total(total) if total else ""
        return _total(None)

    def turn_to(
        self,
        number: float | None,
        format: str | None,
        turns: list[int],
        shape: dict,
        request: gr.Request,
        **chosen: Any,
    ) -> Iterator[Updates]:
        """Another row of the same dataset."""
        look = look_at(self.context.settings_of(request), chosen, shape)
        yield from self.shapes.drawn(turns, look, int(number or 1), format or look.format())

    def seek(
        self,
        after: float | None,
        format: str | None,
        turns: list[int],
        shape: dict,
        request: gr.Request,
        **chosen: Any,
    ) -> Iterator[Updates]:
        """The next row in which something is wrong."""
        look = look_at(self.context.settings_of(request), chosen, shape)
        form = format or look.format()
        if found := look.next_problem(int(after or 0), form):
            yield {self.number: found.number}
            yield from self.shapes.drawn(turns, look, found.number, form)
        else:
            words = f"Nothing is wrong in the rows after {int(after or 0):,}."
            yield {self.shapes.wrong: messages.empty(words, NO_DUPLICATES)}


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


def _button(title: str, id: str) -> gr.Button:
    return gr.Button(title, size="sm", min_width=96, scale=0, elem_id=id)
