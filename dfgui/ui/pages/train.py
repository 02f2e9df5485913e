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
from dfgui.ui.components import file, search
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
    tab = place.tab()
    selection = context.selection
    marked = gr.State({})  # the problems that stand beside fields now: path -> words
    carried = gr.State({})  # settings of a run that is trained again, which this form has no field for: path -> value
    with gr.Row(elem_id="train"):
        with gr.Column(scale=3, min_width=320, elem_id="settings"):
            with gr.Row(elem_id="presets"):
                buttons = {name: _preset_button(name) for name in presets.PRESETS}
            with gr.Row(elem_id="looking"):
                search.build([spec for path, spec in form.SPECS.items() if path not in selection.fields])
                level = gr.Radio(form.LEVELS, value=form.LEVELS[0], container=False, show_label=False, elem_id="level")
            said = gr.HTML("", elem_id="preset-said", apply_default_css=False)
            with gr.Row(visible=False, elem_id="kept") as keeping:
                kept = gr.HTML("", elem_id="kept-said")
                leave = gr.Button("Leave them out", size="sm", scale=0, min_width=120, elem_id="kept-leave")
            offered = {"callbacks": actions.callbacks(context.settings)}
            own = form.build(skip=selection.fields, unfolded=UNFOLDED, offered=offered)
        whole = Form(selection.fields | own.fields, own.groups, own.specs)
        with gr.Column(scale=2, min_width=320, elem_id="before"):
            notes = gr.HTML(_notes([]), elem_id="notes", apply_default_css=False)
            trouble = gr.HTML("", elem_id="start-trouble")
            start = gr.Button("Start training", variant="primary", size="lg", elem_id="start")
            file.build(context, whole, marked, carried, trouble)
            gr.HTML("", html_template=FILE_SAID, js_on_load=MARKED, apply_default_css=False, elem_id="file-line")
    hidden = gr.State([path for path in own.specs if not form.applies(path, form.defaults())])  # they do not matter now
    level_before = gr.State(form.LEVELS[0])
    here = gr.Textbox(visible="hidden")
    started = gr.Textbox(visible="hidden")  # the run that was started last
    differs = gr.Textbox(visible="hidden")  # what is changed, and what the browser is to remember: for train.js
    again = gr.Timer(ASKED_AGAIN, active=False)  # while something before the start is still worked out
    rate, method = own.fields["training.learning_rate"], own.fields["method"]

    def check(marked_before: dict[str, str], carried: form.Values, hidden_before: list[str], **given: Any) -> Updates:
        """What the settings say, which of them matter, and what is wrong with them, while they are written."""
        asked = fill.settings(carried, given)
        values = recipe.flat(asked)
        problems = form.problems(asked)
        appearing, hidden_now = own.appearing(values, hidden_before)
        return {
            **form.merged(whole.mark(problems, marked_before), appearing),
            **whole.headlines(values, problems, hardware.look().devices),
            marked: problems,
            hidden: hidden_now,
            differs: _differing(form.by_path(given), carried, selection.fields),
            selection.shape: gr.skip() if problems else shape_of(recipe.parse(asked)),
        }

    def judge(here: str, carried: form.Values, request: gr.Request, **given: Any) -> Updates:
        """What to know before the start."""
        if here != "train":
            return {notes: gr.skip(), again: gr.Timer(active=False)}
        values = fill.settings(carried, given)
        if problems := form.problems(values):
            wrong = [_as_note(path, words) for path, words in problems.items()]
            return {notes: _notes(wrong), start: _start(wrong), again: gr.Timer(active=False)}
        found = actions.launch_notes(context.settings_of(request), values)
        pending = any(note["pending"] for note in found)
        return {
            notes: _notes(found, tips(recipe.parse(values))),
            start: _start(found),
            again: gr.Timer(active=pending),
        }

    def follow(method: str, rate: Any) -> Any:
        """The learning rate is the method's own until a person has chosen one."""
        return LEARNING_RATES[method] if rate in LEARNING_RATES.values() else gr.skip()

    def offer(wanted: str, **given: Any) -> str:
        """What a preset would change."""
        return preset.difference(wanted, form.by_path(given))

    def cure(wanted: str) -> Updates:
        """Settings that the Data page has found to be needed."""
        asked = {"changes": json.loads(wanted), "because": "Set by the check of the rows."}
        found = fill.asked(fill.Wish(asked, {}, whole.fields, selection.fields, context.store))
        return {**whole.fill(found.values), said: found.html}

    @messages.says(trouble, then={said: ""})
    def refill(asked: str, **given: Any) -> Iterator[Updates]:
        """The form filled as somebody asked: by a preset, from a run, a file, a link."""
        if not asked:
            yield {trouble: gr.skip()}
            return
        now, wish = form.by_path(given), json.loads(asked)
        yield {context.fill: ""}
        found = fill.asked(fill.Wish(wish, now, whole.fields, selection.fields, context.store))
        updates = whole.fill(found.values, now)
        if "model.name" in found.values:
            model = found.values["model.name"]
            updates[selection.model] = gr.update(choices=offered_models(context.settings, model), value=model)
        if found.carried is not None:
            updates |= {carried: found.carried, keeping: gr.update(visible=bool(found.carried))}
            updates[kept] = fill.kept(found.carried)
        if not wish.keys() & {"back", "changes"}:  # these leave most as it is
            updates |= {button: _chosen(name, name == wish.get("preset")) for name, button in buttons.items()}
        yield updates | {said: found.html}

    @messages.says(trouble)
    def begin(
        marked_before: dict[str, str], carried: form.Values, request: gr.Request, **given: Any
    ) -> Iterator[Updates]:
        """Starts the run and shows it, or says why not, beside the field if it is a field's fault."""
        values = fill.settings(carried, given)
        problems = form.problems(values)
        visitor = visitor_of(request)
        try:
            form.require_filled(values)
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
        "outputs": [*whole.outputs, marked, hidden, differs, selection.shape],
        **QUIET,
    }
    judging: dict[str, Any] = {
        "fn": judge,
        "inputs": [here, carried],
        "inputs_kwargs": named,
        "outputs": [notes, start, again],
        "trigger_mode": "always_last",
        **QUIET,
    }
    level.change(unfold, [level, level_before], [level_before, *own.groups.values()], js=LEVEL, **QUIET)
    method.input(follow, [method, rate], rate, **QUIET).then(**checking)
    # What is pasted into a text is no input to Gradio if the text was just set by an event: hence when it is left, too.
    left = [field.blur for field in own.fields.values() if isinstance(field, gr.Textbox)]
    written = [*(field.input for field in own.fields.values()), *left]
    relay.any_of([*written, *selection.changes]).then(trigger_mode="always_last", **checking)
    tab.select(**judging, js=place.opened("train"))
    again.tick(**judging, js=place.HERE)
    elsewhere = [context.given.change, selection.picker.change]
    decided = relay.any_of([*_settled(own), *selection.changes, *elsewhere])
    decided.then(**judging, js=place.HERE)
    for name, button in buttons.items():
        button.click(partial(offer, name), None, said, inputs_kwargs=named, **QUIET)
    cured = context.cure.change(cure, context.cure, [*whole.outputs, said], **QUIET).then(**checking)
    cured.then(None, context.cure, context.cured, js="(done) => done")
    refilling = [trouble, *whole.outputs, said, carried, kept, keeping, context.fill, *buttons.values()]
    refilled = context.fill.change(refill, context.fill, refilling, inputs_kwargs=named, **QUIET)
    refilled.then(**checking).then(**judging, js=place.HERE)
    differs.change(None, differs, None, js="(text) => dfgui.train.told(text)")
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


def _as_note(path: str, words: str) -> dict[str, str]:
    spec = form.SPECS.get(path)
    return {"kind": "stop", "title": spec.title if spec else path, "text": words}


def _start(found: list[dict[str, Any]]) -> Any:
    """What the button says: a look that was asked for is not taken by starting, and what stops the start dims it.

    It can be pressed all the same: that leads to what is wrong.
    """
    kinds = {note["kind"] for note in found}
    if "stop" in kinds:
        return gr.update(value="Cannot start yet", variant="secondary")
    return gr.update(value="Start anyway" if "warn" in kinds else "Start training", variant="primary")


def _notes(notes: list[dict[str, Any]], advice: list[str] | None = None) -> str:
    lines = "".join(
        messages.note(
            note["kind"], note["title"], note["text"], note.get("do", ""), _mend(note), note.get("pending", False)
        )
        for note in notes
    )
    parted = [words.split(":", 1) for words in advice or []]
    lines += "".join(messages.note("tip", title, text) for title, text in parted)
    return f'<section class="notes"><h3>Before you start</h3><ul aria-live="polite">{lines}</ul></section>'


def _mend(note: dict[str, Any]) -> str:
    """The click that changes what a note asks to be changed."""
    changes = note.get("changes")
    if not changes:
        return ""
    words = "; ".join(f"{form.SPECS[path].title}: {form.spoken(path, value)}" for path, value in changes.items())
    if note["kind"] == "ok":  # what is chosen already
        asked = json.dumps({"changes": changes, "because": f"{note['title']}: set as it was chosen here."})
        return fill.way(f"Pin {words}", asked)
    asked = json.dumps({"changes": changes, "because": f"{note['title'].rstrip('.')}: changed, so that it fits."})
    return fill.way(f"Set {words}", asked)
