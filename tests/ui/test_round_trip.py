"""Whatever is set, it is the same run in the form, in a YAML file, on the command line and in a link."""

import json
import os
from types import SimpleNamespace

import gradio as gr
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dfgui import recipe
from dfgui.config import RunConfig
from dfgui.ui import fill, form

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).map(str.strip)
SPECIAL = {  # settings that take some texts only
    "model.name": st.sampled_from(["demo", "owner/name", "run:abcdefgh12@60"]),
    "data.source": st.sampled_from(["demo", "hf:owner/name", "rows.jsonl", "größer, kleiner.jsonl"]),
    "data.also": st.sampled_from([[], ["a.jsonl"], ["a.jsonl", "b.jsonl"]]),
    "data.where": st.sampled_from(["language = en", "metadata.topic != test", "source ~ wiki"]),
    "adapter.target_modules": st.sampled_from(["all-linear", ["q_proj"], ["q_proj", "v_proj"]]),
    "training.lr_scheduler_kwargs": st.sampled_from([{}, {"num_cycles": 2}, {"min_lr": 1e-5}, {"power": 0.5}]),
    "training.max_steps": st.sampled_from([-1, 1, 60, 10**6]),
    "training.save_total_limit": st.sampled_from([0, 2, 7]),
    "trackers": st.sets(st.sampled_from(["tensorboard", "wandb"])).map(sorted),
    "callbacks": st.sampled_from([[], ["own.py:Own"], [{"use": "own.py:Own", "args": {"every": 2}, "detach": False}]]),
    "extra": st.sampled_from([{}, {"adam_beta2": 0.95}, {"include_for_metrics": ["inputs"], "project": "größer: ja"}]),
}


def some(spec):
    """Values that this setting takes by itself."""
    if spec.path in SPECIAL:
        return SPECIAL[spec.path]
    low = spec.minimum if spec.minimum is not None else 0
    high = spec.maximum if spec.maximum is not None else low + 1000
    kinds = {
        "switch": st.sampled_from([True, False, *spec.choices]),
        "choice": st.sampled_from(spec.choices or [""]),
        "several": st.sets(st.sampled_from(spec.choices or [""])).map(sorted),
        "integer": st.integers(int(low), int(high)),
        "number": st.floats(low, high, allow_nan=False, exclude_min=True, exclude_max=True),
        "text": WORDS,
    }
    return st.none() | kinds[spec.kind] if spec.optional else kinds[spec.kind]


@st.composite
def runs(draw):
    """Any run: what does not fit together is left as it is anyway."""
    paths = draw(st.sets(st.sampled_from(sorted(form.SPECS)), max_size=40))
    values = {path: draw(some(form.SPECS[path])) for path in sorted(paths)}
    while wrong := recipe.problems(recipe.nested(values)):
        gone = set(wrong) & set(values) or set(values)
        values = {path: value for path, value in values.items() if path not in gone}
    return recipe.parse(recipe.nested(values))


@pytest.fixture(scope="module")
def whole():
    """A form with a field for every setting, as it is where callbacks are allowed."""
    with gr.Blocks():
        return form.build(offered={"callbacks": {"own.py:Own": "hears all."}})


BOUNDED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@BOUNDED
@given(run=runs())
def test_a_file_short_or_whole_is_the_same_run(run):
    assert recipe.from_yaml(recipe.to_short_yaml(run)) == run
    assert recipe.from_yaml(recipe.to_yaml(run)) == run


@BOUNDED
@given(run=runs())
def test_the_command_line_asks_for_the_same_run(run):
    values = recipe.flat(run.model_dump())
    assert recipe.from_yaml("", [f"{path}={json.dumps(value)}" for path, value in values.items()]) == run


@BOUNDED
@given(run=runs())
def test_the_form_filled_from_a_file_asks_for_the_same_run(run, whole):
    given, carried = filled(whole, {"yaml": recipe.to_short_yaml(run), "file": "run.yaml"})
    assert asked_for(given, carried) == seen_by_the_form(run)


@BOUNDED
@given(run=runs())
def test_a_link_to_the_form_and_what_is_left_there_ask_for_the_same_run(run, whole):
    given, carried = filled(whole, {"yaml": recipe.to_short_yaml(run), "file": "run.yaml"})
    left = json.loads(json.dumps(fill.differing(carried, form.by_path(given))))  # as train.js is told
    for wanted in ({"left": left}, {"set": [f"{path}={json.dumps(value)}" for path, value in left.items()]}):
        assert asked_for(*filled(whole, wanted)) == seen_by_the_form(run)


def filled(whole, wanted):
    """What the components of an untouched form hold once it was filled, by keyword; and what is carried beside them."""
    wish = fill.Wish(wanted, form.defaults(), whole.fields, [], SimpleNamespace(pid=os.getpid()))
    found = fill.asked(wish)
    updates = whole.fill(found.values)
    held = {
        form.keyword(path): updates[component]["value"] if component in updates else component.value
        for path, component in whole.fields.items()
    }
    return held, found.carried


def asked_for(given, carried):
    return recipe.parse(recipe.nested(fill.together(carried, form.asked(form.by_path(given)))))


def seen_by_the_form(run):
    """The run without what does not matter to it, which no form asks for."""
    values = recipe.flat(run.model_dump())
    return RunConfig.model_validate(recipe.nested(form.asked(values)))
