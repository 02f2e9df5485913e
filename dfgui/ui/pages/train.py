"""Train: what will happen? The settings on the left; on the right what to know before the start, and the start."""

import json
from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from dfgui import actions, presets, recipe
from dfgui.config import LEARNING_RATES
from dfgui.errors import UserError
from dfgui.integrations.connections import visitor_of
from dfgui.models import hardware
from dfgui.ui import again, form, messages, place
from dfgui.ui.components.selection import offered_models, shape_of
from dfgui.ui.context import Context
from dfgui.ui.form import Form, Updates
from dfgui.views.tips import tips

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
UNFOLDED = ["method"]  # groups
LEVEL = "(level, before) => { document.body.dataset.level = level.toLowerCase(); return [level, before] }"
TO_PROBLEM = """() => setTimeout(() => {
  const wrong = document.querySelector(".field.wrong");
  if (!wrong) return;
  wrong.scrollIntoView({ block: "center" });
  wrong.querySelector("input, textarea")?.focus({ preventScroll: true });
}, 300)"""  # once the group of the field has unfolded


def build(context: Context) -> None:
    tab = place.tab()
    selection = context.selection
    with gr.Row(elem_id="train"):
        with gr.Column(scale=3, min_width=320, elem_id="settings"):
            with gr.Row(elem_id="presets"):
                buttons = {name: _preset_button(name) for name in presets.PRESETS}
                level = gr.Radio(form.LEVELS, value=form.LEVELS[0], container=False, show_label=False, elem_id="level")
            said = gr.HTML("", elem_id="preset-said")
            with gr.Row(visible=False, elem_id="kept") as keeping:
                kept = gr.HTML("", elem_id="kept-said")
                leave = gr.Button("Leave them out", size="sm", scale=0, min_width=120, elem_id="kept-leave")
            offered = {"callbacks": actions.callbacks(context.settings)}
            own = form.build(skip=selection.fields, unfolded=UNFOLDED, offered=offered)
        with gr.Column(scale=2, min_width=320, elem_id="before"):
            notes = gr.HTML(_notes([]), elem_id="notes")
            trouble = gr.HTML("", elem_id="start-trouble")
            start = gr.Button("Start training", variant="primary", size="lg", elem_id="start")
    whole = Form(selection.fields | own.fields, own.groups, own.specs)
    marked = gr.State({})  # the problems that stand beside fields now: path -> words
    carried = gr.State({})  # settings of a run that is trained again, which this form has no field for: path -> value
    hidden = gr.State([path for path in own.specs if not form.applies(path, form.defaults())])  # they do not matter now
    level_before = gr.State(form.LEVELS[0])
    here = gr.Textbox(visible="hidden")
    started = gr.Textbox(visible="hidden")  # the run that was started last
    rate, method = own.fields["training.learning_rate"], own.fields["method"]

    def check(marked_before: dict[str, str], carried: form.Values, hidden_before: list[str], **given: Any) -> Updates:
        """What the settings say, which of them matter, and what is wrong with them, while they are written."""
        values = again.together(carried, form.by_path(given))
        problems = recipe.problems(form.nested(values))
        appearing, hidden_now = own.appearing(values, hidden_before)
        return {
            **form.merged(whole.mark(problems, marked_before), appearing),
            **whole.headlines(values, problems, hardware.look().devices),
            marked: problems,
            hidden: hidden_now,
            selection.shape: gr.skip() if problems else shape_of(recipe.parse(form.nested(values))),
        }

    def judge(here: str, carried: form.Values, request: gr.Request, **given: Any) -> Updates:
        """What to know before the start."""
        if here != "train":
            return {notes: gr.skip()}
        values = form.nested(again.together(carried, form.by_path(given)))
        if problems := recipe.problems(values):
            return {notes: _notes([_as_note(path, words) for path, words in problems.items()])}
        found = actions.launch_notes(context.settings_of(request), values)
        return {notes: _notes(found, tips(recipe.parse(values)))}

    def follow(method: str, rate: Any) -> Any:
        """The learning rate is the method's own until a person has chosen one."""
        return LEARNING_RATES[method] if rate in LEARNING_RATES.values() else gr.skip()

    def apply(name: str, method: str) -> Updates:
        """A preset's values, over the defaults of whatever any preset sets, and what this machine had to replace."""
        if name not in presets.PRESETS:
            return {said: gr.skip()}
        values, replaced = presets.apply(
            name,
            hardware.look().bf16,
            hardware.has("bitsandbytes"),
            unsloth=hardware.has("unsloth"),
            in_4bit=hardware.has_4bit(),
        )
        return {
            **whole.fill(_reset(values.get("method", method)) | values),
            said: _said(presets.PRESETS[name], replaced),
            context.preset: "",
        }

    def cure(wanted: str) -> Updates:
        """Settings that the Data page has found to be needed."""
        values = {path: value for path, value in json.loads(wanted).items() if path in whole.fields}
        return {**whole.fill(values), said: _cured(values)}

    @messages.says(trouble)
    def refill(asked: str) -> Updates:
        """The settings of a run, all of them."""
        if not asked:
            return {context.fill: gr.skip()}
        found = again.settings(context.store, asked, whole.fields)
        model = found.values.get("model.name", "")
        return {
            **whole.fill(found.values),
            selection.model: gr.update(choices=offered_models(context.settings, model), value=model),
            said: found.html,
            carried: found.carried,
            kept: again.kept(found.carried),
            keeping: gr.update(visible=bool(found.carried)),
            context.fill: "",
        }

    @messages.says(trouble)
    def begin(
        marked_before: dict[str, str], carried: form.Values, request: gr.Request, **given: Any
    ) -> Iterator[Updates]:
        """Starts the run and shows it, or says why not, beside the field if it is a field's fault."""
        values = form.nested(again.together(carried, form.by_path(given)))
        problems = recipe.problems(values)
        visitor = visitor_of(request)
        try:
            run = actions.start(
                context.settings_of(request), values, hand=lambda run: context.connections.hand(run, visitor)
            )
        except UserError as error:
            if error.field in whole.fields:
                problems = problems or {error.field: f"{error.what} {error.do}"}
            yield {**whole.mark(problems, marked_before), **whole.open(problems), marked: problems}
            raise
        yield {started: run}

    def unfold(level: str, before: str) -> list[Any]:
        """All opens every group, so that the browser's own search finds a setting; leaving it folds them again."""
        if "All" not in (level, before):
            return [level, *([gr.skip()] * len(own.groups))]
        return [level, *(gr.update(open=level == "All" or group in UNFOLDED) for group in own.groups)]

    named = whole.inputs
    checking: dict[str, Any] = {
        "fn": check,
        "inputs": [marked, carried, hidden],
        "inputs_kwargs": named,
        "outputs": [*whole.outputs, marked, hidden, selection.shape],
        **QUIET,
    }
    judging: dict[str, Any] = {
        "fn": judge,
        "inputs": [here, carried],
        "inputs_kwargs": named,
        "outputs": [notes],
        "trigger_mode": "always_last",
        **QUIET,
    }
    level.change(unfold, [level, level_before], [level_before, *own.groups.values()], js=LEVEL, **QUIET)
    method.input(follow, [method, rate], rate, **QUIET).then(**checking)
    # What is pasted into a text is no input to Gradio if the text was just set by an event: hence when it is left, too.
    left = [field.blur for field in own.fields.values() if isinstance(field, gr.Textbox)]
    gr.on([*(field.input for field in own.fields.values()), *left], trigger_mode="always_last", **checking)
    gr.on(selection.changes, trigger_mode="always_last", **checking)
    tab.select(**judging, js=place.opened("train"))
    gr.on([*_settled(own), *selection.changes, context.given.change], **judging, js=place.HERE)
    filling = [*whole.outputs, said, context.preset]
    for name, button in buttons.items():
        filled = button.click(lambda method, name=name: apply(name, method), method, filling, **QUIET)
        filled.then(**checking).then(**judging, js=place.HERE)
    filled = context.preset.change(apply, [context.preset, method], filling, **QUIET)
    filled.then(**checking).then(**judging, js=place.HERE)
    cured = context.cure.change(cure, context.cure, [*whole.outputs, said], **QUIET).then(**checking)
    cured.then(None, context.cure, context.cured, js="(done) => done")
    refilling = [trouble, *whole.outputs, said, carried, kept, keeping, context.fill]
    refilled = context.fill.change(refill, context.fill, refilling, **QUIET)
    refilled.then(**checking).then(**judging, js=place.HERE)
    gone = leave.click(lambda: ({}, gr.update(visible=False)), None, [carried, keeping], **QUIET)
    gone.then(**checking).then(**judging, js=place.HERE)
    started.change(None, started, None, js="(run) => { dfgui.view.open('monitor', run) }")
    gr.on([field.input for field in whole.fields.values()], None, None, trouble, js="() => ''")
    start.click(
        begin,
        inputs=[marked, carried],
        inputs_kwargs=named,
        outputs=[*whole.outputs, marked, trouble, started],
        api_visibility="private",
        show_progress="minimal",
        show_progress_on=start,
    ).then(None, js=TO_PROBLEM)


def _settled(own: Form) -> list[Any]:
    """The moments in which a field has its value: when it is left or entered, or at once where nothing is typed."""
    typed = (gr.Number, gr.Textbox)
    left = [field.blur for field in own.fields.values() if isinstance(field, typed)]
    entered = [field.submit for field in own.fields.values() if isinstance(field, typed)]
    return [*left, *entered, *(field.input for field in own.fields.values() if not isinstance(field, typed))]


def _preset_button(name: str) -> gr.Button:
    return gr.Button(presets.PRESETS[name].title, size="sm", min_width=100, elem_id=f"preset-{name}")


def _reset(method: str) -> form.Values:
    """The defaults of all that any preset sets, save the model, the data and the method, which a person chose."""
    defaults = form.defaults() | {"training.learning_rate": LEARNING_RATES[method]}
    paths = {path for preset in presets.PRESETS.values() for path in preset.values}
    return {path: defaults[path] for path in sorted(paths) if path not in ("model.name", "data.source", "method")}


def _said(preset: presets.Preset, replaced: list[str]) -> str:
    items = "".join(f"<li>{escape(words)}</li>" for words in replaced)
    return f'<div class="said"><b>{escape(preset.title)}.</b> {escape(preset.help)}<ul>{items}</ul></div>'


def _cured(values: form.Values) -> str:
    lines = (f"{form.SPECS[path].title}: {form.spoken(path, value)}" for path, value in values.items())
    items = "".join(f"<li>{escape(words)}</li>" for words in lines)
    return f'<div class="said"><b>Set by the check of the rows.</b><ul>{items}</ul></div>'


def _as_note(path: str, words: str) -> dict[str, str]:
    spec = form.SPECS.get(path)
    return {"kind": "stop", "title": spec.title if spec else path, "text": words}


def _notes(notes: list[dict[str, Any]], advice: list[str] | None = None) -> str:
    lines = "".join(messages.note(note["kind"], note["title"], note["text"], note.get("do", "")) for note in notes)
    lines += "".join(messages.note("tip", *words.split(":", 1)) for words in advice or [])
    return f'<section class="notes"><h3>Before you start</h3><ul aria-live="polite">{lines}</ul></section>'
