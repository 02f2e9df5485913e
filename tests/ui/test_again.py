"""The Train form filled from a run: nothing of its settings is lost."""

import json
import os

import pytest

from dfgui import recipe
from dfgui import settings as settings_module
from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.store import Store, Writer
from dfgui.store.schema import opened
from dfgui.ui import again, form
from dfgui.ui.components import selection

EXECUTOR = f"pid:{os.getpid()}"
ASKED = {
    "name": "weather-lora",
    "model": {"name": "demo", "chat_template": "gemma3", "tools_in": "system"},
    "data": {"source": "demo", "also": ["a.jsonl", "b.jsonl"], "leave_out": ["duplicate"], "where": "language = en"},
    "adapter": {"r": 4, "target_modules": ["q_proj", "v_proj"]},
    "training": {"max_steps": 8, "learning_rate": 1e-2, "packing": True},
}


@pytest.fixture
def settings(tmp_path):
    return settings_module.load(tmp_path / "home")


@pytest.fixture
def store(settings):
    return Store(settings.store_path)


@pytest.fixture
def run(store):
    run = store.runs.create(RunConfig.model_validate(ASKED), EXECUTOR)
    with Writer(store.path, run) as writer:
        writer.checkpoint(4, "checkpoint-4", "adapter", 1, 0.5)
        writer.checkpoint(8, "checkpoint-8", "adapter", 1, 0.9)
    return run


def asked(**wanted):
    return json.dumps(wanted)


def test_every_setting_comes_back_as_it_was(store, run):
    found = again.settings(store, asked(run=run), form.SPECS)
    filled = RunConfig.model_validate(form.nested(found.values | found.carried))
    assert filled.model_dump() == RunConfig.model_validate({**ASKED, "name": "weather-lora 2"}).model_dump()
    assert found.carried == {} and found.unknown == []
    assert "Filled in from weather-lora." in found.html


def test_a_callback_keeps_its_arguments_though_the_form_names_it_only(store):
    mine = {"use": "own.py:Own", "args": {"every": 3}, "detach": False}
    run = store.runs.create(RunConfig.model_validate({"callbacks": [mine, "own.py:Other"]}), EXECUTOR)
    found = again.settings(store, asked(run=run), form.SPECS)
    assert found.carried == {"callbacks": [mine]}
    assert "callbacks (own.py:Own)" in again.kept(found.carried)
    given = {"callbacks": ["own.py:Own", "own.py:Other"]}
    assert again.together(found.carried, given)["callbacks"] == [mine, "own.py:Other"]
    assert again.together(found.carried, {"callbacks": []})["callbacks"] == []
    assert again.together({}, given) == given


def test_what_would_have_kept_a_run_from_failing_is_changed_and_told(store, run):
    changes = {"training.gradient_checkpointing": True, "training.max_length": 512}
    store.runs.claim(EXECUTOR)
    assert store.runs.move(
        run,
        "failed",
        "The memory ran out.",
        UserError("The memory ran out.", "It asked for more.", "Ask for less.", changes=changes),
    )
    found = again.settings(store, asked(run=run, mended=True), form.SPECS)
    before = again.settings(store, asked(run=run), form.SPECS)
    assert found.values == before.values | changes and before.changed == []
    assert found.changed == ["Gradient checkpointing: on", "Max length: 512"]
    assert "<li>Max length: 512</li>" in found.html


def test_a_setting_without_a_field_is_carried_along_and_told(store, run):
    shown = set(form.SPECS) - {"data.where", "training.seed"}
    found = again.settings(store, asked(run=run), shown)
    assert found.carried == {"data.where": "language = en"}  # the seed is what it is anyway
    assert "language = en" in again.kept(found.carried)
    whole = recipe.parse(form.nested(found.carried | found.values))
    assert (whole.data.where, whole.name) == ("language = en", "weather-lora 2")
    assert again.kept({}) == ""


def test_what_this_version_does_not_know_is_told_to_be_left_out(store, run):
    config = {**store.runs.get(run)["config"], "reward": {"scale": "<b>2</b>"}}
    with opened(store.path) as db:
        db.table("runs").update(run, {"config": json.dumps(config)})
    found = again.settings(store, asked(run=run), form.SPECS)
    assert found.unknown == ["reward"] and "left out: reward" in found.html
    assert "reward" not in found.values | found.carried


def test_training_longer_begins_with_the_weights_and_the_template_of_the_checkpoint(store, run):
    found = again.settings(store, asked(run=run, step=4), form.SPECS)
    filled = RunConfig.model_validate(form.nested(found.values))
    assert (filled.model.name, filled.name) == (f"run:{run}@4", "weather-lora longer")
    assert (filled.model.chat_template, filled.model.tools_in) == ("own", "template")
    assert (filled.adapter.r, filled.data.also) == (4, ["a.jsonl", "b.jsonl"])
    assert "from the weights of step 4" in found.html


def test_a_name_that_nobody_gave_is_made_anew(store):
    run = store.runs.create(RunConfig(), EXECUTOR)
    assert again.settings(store, asked(run=run), form.SPECS).values["name"] == ""
    store.runs.update(run, name="<i>mine</i>")
    found = again.settings(store, asked(run=run), form.SPECS)
    assert found.values["name"] == "<i>mine</i> 2" and "<i>" not in found.html


def test_the_next_name_counts_on():
    assert again.next_name("weather", ["other"]) == "weather"
    assert again.next_name("weather", ["weather"]) == "weather 2"
    assert again.next_name("weather 2", ["weather", "weather 2", "weather 3"]) == "weather 4"


def test_a_run_or_a_checkpoint_that_is_gone_is_said(store, run):
    for wanted in (asked(run="abcdefgh12"), asked(run="../../etc"), asked(run=run, step=5)):
        with pytest.raises(UserError):
            again.settings(store, wanted, form.SPECS)


def test_models_that_earlier_runs_made_can_be_picked(settings, store, run):
    offered = selection.offered_models(settings)
    assert offered == [selection.DEMO, ("weather-lora, step 4", f"run:{run}@4")]  # the best one
    chosen = selection.offered_models(settings, f"run:{run}@8")
    assert chosen[1:] == [("weather-lora, step 8", f"run:{run}@8"), ("weather-lora, step 4", f"run:{run}@4")]
