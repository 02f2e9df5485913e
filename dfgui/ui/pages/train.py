"""Train: what will happen? The settings on the left; on the right what to know before the start, and the start."""

import json
from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

import gradio as gr

from dfgui import actions, presets, recipe
from dfgui.config import LEARNING_RATES
from dfgui.errors import UserError
from dfgui.integrations.connections import visitor_of
from dfgui.models import hardware
from dfgui.ui import fill, form, messages, place, relay
from dfgui.ui.components import before, file, search
from dfgui.ui.components.selection import offered_models, shape_of
from dfgui.ui.context import Context
from dfgui.ui.fill import preset
from dfgui.ui.form import Form, Updates
from dfgui.views.tips import tips

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
ASKED_AGAIN = 2  # seconds
UNFOLDED = ["method"]  # groups
LEVEL = "(level, before) => { document.body.dataset.level = level.toLowerCase(); return [level, before] }"
FILE_SAID = "<div id='file-said' aria-live='polite'></div>"
MARKED = "dfgui.train.watch(document.getElementById('settings'))"
TO_PROBLEM = """() => setTimeout(() => {
  const wrong = document.querySelector(".field.wrong");
  if (!wrong) return;
  wrong.scrollIntoView({ block: "center" });
  wrong.querySelector("input, textarea")?.focus({ preventScroll: true });
}, 300)"""  # once the group of the field has unfolded


def build(context: Context) -> None:
    page = Page(context)
    page.wire()


class Page:
    """Its parts, as they are laid out; what happens to them; and when (`wire`)."""

    def __init__(self, context: Context):
        self.context = context
        self.selection = context.selection
        self.tab = place.tab()
        self.marked = gr.State({})  # the problems that stand beside fields now: path -> words
        # Settings of a run that is trained again, which this form has no field for: path -> value.
        self.carried = gr.State({})
        with gr.Row(elem_id="train"):
            with gr.Column(scale=3, min_width=320, elem_id="settings"):
                self._lay_out_settings()
            with gr.Column(scale=2, min_width=320, elem_id="before"):
                self._lay_out_before()
        own = self.own
        self.hidden = gr.State([path for path in own.specs if not form.applies(path, form.defaults())])
        self.level_before = gr.State(form.LEVELS[0])
        self.here = gr.Textbox(visible="hidden")
        self.started = gr.Textbox(visible="hidden")  # the run that was started last
        self.differs = gr.Textbox(visible="hidden")  # what is changed, and what the browser is to remember: train.js
        self.again = gr.Timer(ASKED_AGAIN, active=False)  # while something before the start is still worked out

    def _lay_out_settings(self) -> None:
        chosen = self.selection.fields
        with gr.Row(elem_id="presets"):
            self.presets = {name: _preset_button(name) for name in presets.PRESETS}
        with gr.Row(elem_id="looking"):
            search.build([spec for path, spec in form.SPECS.items() if path not in chosen])
            self.level = gr.Radio(form.LEVELS, value=form.LEVELS[0], container=False, show_label=False, elem_id="level")
        self.said = gr.HTML("", elem_id="preset-said", apply_default_css=False)
        with gr.Row(visible=False, elem_id="kept") as self.keeping:
            self.kept = gr.HTML("", elem_id="kept-said")
            self.leave = gr.Button("Leave them out", size="sm", scale=0, min_width=120, elem_id="kept-leave")
        offered = {"callbacks": actions.callbacks(self.context.settings)}
        self.own = form.build(skip=chosen, unfolded=UNFOLDED, offered=offered)
        self.whole = Form(chosen | self.own.fields, self.own.groups, self.own.specs)

    def _lay_out_before(self) -> None:
        self.notes = gr.HTML(before.draw([]), elem_id="notes", apply_default_css=False)
        self.trouble = gr.HTML("", elem_id="start-trouble")
        self.start = gr.Button("Start training", variant="primary", size="lg", elem_id="start")
        file.build(self.context, self.whole, self.marked, self.carried, self.trouble)
        gr.HTML("", html_template=FILE_SAID, js_on_load=MARKED, apply_default_css=False, elem_id="file-line")

    def wire(self) -> None:
        self._wire_checks()
        self._wire_filling()
        self.level.change(
            self.unfold,
            [self.level, self.level_before],
            [self.level_before, *self.own.groups.values()],
            js=LEVEL,
            **QUIET,
        )
        self.differs.change(None, self.differs, None, js="(text) => dfgui.train.told(text)")
        self.started.change(None, self.started, None, js="(run) => { dfgui.view.open('monitor', run) }")
        gr.on([field.input for field in self.whole.fields.values()], None, None, self.trouble, js="() => ''")
        self.start.click(
            messages.says(self.trouble)(self.begin),
            inputs=[self.marked, self.carried],
            inputs_kwargs=self.whole.inputs,
            outputs=[*self.whole.outputs, self.marked, self.trouble, self.started],
            api_visibility="private",
            show_progress="minimal",
            show_progress_on=self.start,
        ).then(None, js=TO_PROBLEM)

    def _wire_checks(self) -> None:
        """What is written is checked at once; what to know before the start is asked when a field has its value."""
        own, changes = self.own, self.selection.changes
        rate, method = own.fields["training.learning_rate"], own.fields["method"]
        method.input(self.follow, [method, rate], rate, **QUIET).then(**self._checking)
        # What is pasted into a text is no input to Gradio if the text was just set by an event: hence when it is left.
        left = [field.blur for field in own.fields.values() if isinstance(field, gr.Textbox)]
        written = [*(field.input for field in own.fields.values()), *left]
        relay.any_of([*written, *changes]).then(trigger_mode="always_last", **self._checking)
        self.tab.select(**self._judging, js=place.opened("train"))
        self.again.tick(**self._judging, js=place.HERE)
        elsewhere = [self.context.given.change, self.selection.picker.change]
        decided = relay.any_of([*_settled(own), *self.selection.changes, *elsewhere])
        decided.then(**self._judging, js=place.HERE)

    def _wire_filling(self) -> None:
        context, whole = self.context, self.whole
        for name, button in self.presets.items():
            button.click(partial(self.offer, name), None, self.said, inputs_kwargs=whole.inputs, **QUIET)
        cured = context.cure.change(self.cure, context.cure, [*whole.outputs, self.said], **QUIET)
        cured.then(**self._checking).then(None, context.cure, context.cured, js="(done) => done")
        kept = [self.carried, self.kept, self.keeping]
        refilling = [self.trouble, *whole.outputs, self.said, *kept, context.fill, *self.presets.values()]
        refill = messages.says(self.trouble, then={self.said: ""})(self.refill)
        refilled = context.fill.change(refill, context.fill, refilling, inputs_kwargs=whole.inputs, **QUIET)
        refilled.then(**self._checking).then(**self._judging, js=place.HERE)
        left_out = [self.carried, self.keeping]
        gone = self.leave.click(lambda: ({}, gr.update(visible=False)), None, left_out, **QUIET)
        gone.then(**self._checking).then(**self._judging, js=place.HERE)

    @property
    def _checking(self) -> dict[str, Any]:
        return {
            "fn": self.check,
            "inputs": [self.marked, self.carried, self.hidden],
            "inputs_kwargs": self.whole.inputs,
            "outputs": [*self.whole.outputs, self.marked, self.hidden, self.differs, self.selection.shape],
            **QUIET,
        }

    @property
    def _judging(self) -> dict[str, Any]:
        return {
            "fn": self.judge,
            "inputs": [self.here, self.carried],
            "inputs_kwargs": self.whole.inputs,
            "outputs": [self.notes, self.start, self.again],
            "trigger_mode": "always_last",
            **QUIET,
        }

    def check(self, marked: dict[str, str], carried: form.Values, hidden: list[str], **given: Any) -> Updates:
        """What the settings say, which of them matter, and what is wrong with them, while they are written."""
        asked = fill.settings(carried, given)
        values = recipe.flat(asked)
        problems = form.problems(asked)
        appearing, hidden_now = self.own.appearing(values, hidden)
        return {
            **form.merged(self.whole.mark(problems, marked), appearing),
            **self.whole.headlines(values, problems, hardware.look().devices),
            self.marked: problems,
            self.hidden: hidden_now,
            self.differs: _differing(form.by_path(given), carried, self.selection.fields),
            self.selection.shape: gr.skip() if problems else shape_of(recipe.parse(asked)),
        }

    def judge(self, here: str, carried: form.Values, request: gr.Request, **given: Any) -> Updates:
        """What to know before the start."""
        if here != "train":
            return {self.notes: gr.skip(), self.again: gr.Timer(active=False)}
        values = fill.settings(carried, given)
        if problems := form.problems(values):
            wrong = before.wrong(problems)
            return {
                self.notes: before.draw(wrong),
                self.start: before.button(wrong),
                self.again: gr.Timer(active=False),
            }
        found = actions.launch_notes(self.context.settings_of(request), values)
        return {
            self.notes: before.draw(found, tips(recipe.parse(values))),
            self.start: before.button(found),
            self.again: gr.Timer(active=any(note["pending"] for note in found)),
        }

    def follow(self, method: str, rate: Any) -> Any:
        """The learning rate is the method's own until a person has chosen one."""
        return LEARNING_RATES[method] if rate in LEARNING_RATES.values() else gr.skip()

    def unfold(self, level: str, level_before: str) -> list[Any]:
        """All opens every group, so that the browser's own search finds a setting; leaving it folds them again."""
        if "All" not in (level, level_before):
            return [level, *([gr.skip()] * len(self.own.groups))]
        return [level, *(gr.update(open=level == "All" or group in UNFOLDED) for group in self.own.groups)]

    def offer(self, wanted: str, **given: Any) -> str:
        """What a preset would change."""
        return preset.difference(wanted, form.by_path(given))

    def cure(self, wanted: str) -> Updates:
        """Settings that the Data page has found to be needed."""
        asked = {"changes": json.loads(wanted), "because": "Set by the check of the rows."}
        found = self._filling(asked, {})
        return {**self.whole.fill(found.values), self.said: found.html}

    def refill(self, asked: str, **given: Any) -> Iterator[Updates]:
        """The form filled as somebody asked: by a preset, from a run, a file, a link."""
        if not asked:
            yield {self.trouble: gr.skip()}
            return
        now, wish = form.by_path(given), json.loads(asked)
        yield {self.context.fill: ""}
        found = self._filling(wish, now)
        updates = self.whole.fill(found.values, now)
        if "model.name" in found.values:
            model = found.values["model.name"]
            choices = offered_models(self.context.settings, model)
            updates[self.selection.model] = gr.update(choices=choices, value=model)
        if found.carried is not None:
            updates |= {self.carried: found.carried, self.keeping: gr.update(visible=bool(found.carried))}
            updates[self.kept] = fill.kept(found.carried)
        if not wish.keys() & {"back", "changes"}:  # these leave most as it is
            chosen = wish.get("preset")
            updates |= {button: _chosen(name, name == chosen) for name, button in self.presets.items()}
        yield updates | {self.said: found.html}

    def _filling(self, wish: dict[str, Any], now: form.Values) -> Any:
        return fill.asked(fill.Wish(wish, now, self.whole.fields, self.selection.fields, self.context.store))

    def begin(
        self, marked: dict[str, str], carried: form.Values, request: gr.Request, **given: Any
    ) -> Iterator[Updates]:
        """Starts the run and shows it, or says why not, beside the field if it is a field's fault."""
        values = fill.settings(carried, given)
        problems = form.problems(values)
        theirs, visitor = self.context.settings_of(request), visitor_of(request)
        try:
            form.require_filled(values)
            run = actions.start(theirs, values, hand=lambda run: self.context.connections.hand(run, visitor))
        except UserError as error:
            if error.field in self.whole.fields:
                problems = problems or {error.field: f"{error.what} {error.do}"}
            yield {**self.whole.mark(problems, marked), **self.whole.open(problems), self.marked: problems}
            raise
        yield {self.started: run}


def _settled(own: Form) -> list[Any]:
    """The moments in which a field has its value: when it is left or entered, or at once where nothing is typed."""
    typed = (gr.Number, gr.Textbox)
    left = [field.blur for field in own.fields.values() if isinstance(field, typed)]
    entered = [field.submit for field in own.fields.values() if isinstance(field, typed)]
    return [*left, *entered, *(field.input for field in own.fields.values() if not isinstance(field, typed))]


def _preset_button(name: str) -> gr.Button:
    return gr.Button(presets.PRESETS[name].title, size="sm", min_width=100, elem_id=f"preset-{name}")


def _chosen(name: str, chosen: bool) -> Any:
    title = presets.PRESETS[name].title
    return gr.update(value=f"✓ {title}" if chosen else title, elem_classes=["chosen"] if chosen else [])


def _differing(values: form.Values, carried: form.Values, header: Collection[str]) -> str:
    """What the browser marks as changed, with how it would be otherwise, and what it keeps over a reload; as JSON."""
    changed, usual = form.changed(values), form.usual(values)
    settings = [path for path in changed if path not in header]
    return json.dumps(
        {
            "changed": {path: form.spoken(path, usual[path]) for path in settings},
            "groups": sorted({form.SPECS[path].group for path in settings}),
            "left": fill.differing(carried, values),
        }
    )
