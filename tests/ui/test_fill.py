"""The Train form filled by others: a run, a preset, a file, a link, what was left. Nothing is lost on the way."""

import json
import os

import pytest

from dfgui import recipe
from dfgui import settings as settings_module
from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.models.hardware import Hardware
from dfgui.store import Store, Writer
from dfgui.store.schema import opened
from dfgui.ui import fill, form
from dfgui.ui.components import selection
from dfgui.ui.fill import preset
from dfgui.ui.fill.run import next_name

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


HEADER = ["model.name", "data.source", "data.format"]


def asked(store, shown=form.SPECS, now=None, **wanted):
    """What the form is filled with if the browser asks for this."""
    return fill.asked(fill.Wish(wanted, form.defaults() | (now or {}), shown, HEADER, store))


def run_of(filling, now=None):
    """The run that a form filled like this asks for."""
    given = form.defaults() | (now or {}) | filling.values
    values = form.by_path({form.keyword(path): form.shown(path, value) for path, value in given.items()})
    return recipe.parse(recipe.nested(fill.together(filling.carried or {}, form.asked(values))))


def test_every_setting_comes_back_as_it_was(store, run):
    found = asked(store, run=run)
    filled = RunConfig.model_validate(recipe.nested(found.values | found.carried))
    assert filled.model_dump() == RunConfig.model_validate({**ASKED, "name": "weather-lora 2"}).model_dump()
    assert found.carried == {} and found.lines == []
    assert "Filled in from weather-lora." in found.html


def test_a_callback_keeps_its_arguments_though_the_form_names_it_only(store):
    mine = {"use": "own.py:Own", "args": {"every": 3}, "detach": False}
    run = store.runs.create(RunConfig.model_validate({"callbacks": [mine, "own.py:Other"]}), EXECUTOR)
    found = asked(store, run=run)
    assert found.carried == {"callbacks": [mine]}
    assert "callbacks (own.py:Own)" in fill.kept(found.carried)
    given = {"callbacks": ["own.py:Own", "own.py:Other"]}
    assert fill.together(found.carried, given)["callbacks"] == [mine, "own.py:Other"]
    assert fill.together(found.carried, {"callbacks": []})["callbacks"] == []
    assert fill.together({}, given) == given


def test_what_would_have_kept_a_run_from_failing_is_changed_and_told(store, run):
    changes = {"training.gradient_checkpointing": True, "training.max_length": 512}
    store.runs.claim(EXECUTOR)
    assert store.runs.move(
        run,
        "failed",
        "The memory ran out.",
        UserError("The memory ran out.", "It asked for more.", "Ask for less.", changes=changes),
    )
    found = asked(store, run=run, mended=True)
    before = asked(store, run=run)
    assert found.values == before.values | changes and before.lines == []
    assert found.lines == ["Gradient checkpointing: on", "Max length: 512"]
    assert "<li>Max length: 512</li>" in found.html


def test_a_setting_without_a_field_is_carried_along_and_told(store, run):
    shown = set(form.SPECS) - {"data.where", "training.seed"}
    found = asked(store, shown, run=run)
    assert found.carried == {"data.where": "language = en"}  # the seed is what it is anyway
    assert "language = en" in fill.kept(found.carried)
    whole = recipe.parse(recipe.nested(found.carried | found.values))
    assert (whole.data.where, whole.name) == ("language = en", "weather-lora 2")
    assert fill.kept({}) == ""


def test_what_this_version_does_not_know_is_told_to_be_left_out(store, run):
    config = {**store.runs.get(run)["config"], "reward": {"scale": "<b>2</b>"}}
    with opened(store.path) as db:
        db.table("runs").update(run, {"config": json.dumps(config)})
    found = asked(store, run=run)
    assert "left out: reward" in found.html
    assert "reward" not in found.values | found.carried


def test_training_longer_begins_with_the_weights_and_the_template_of_the_checkpoint(store, run):
    found = asked(store, run=run, step=4)
    filled = RunConfig.model_validate(recipe.nested(found.values))
    assert (filled.model.name, filled.name) == (f"run:{run}@4", "weather-lora longer")
    assert (filled.model.chat_template, filled.model.tools_in) == ("own", "template")
    assert (filled.adapter.r, filled.data.also) == (4, ["a.jsonl", "b.jsonl"])
    assert "from the weights of step 4" in found.html


def test_a_name_that_nobody_gave_is_made_anew(store):
    run = store.runs.create(RunConfig(), EXECUTOR)
    assert asked(store, run=run).values["name"] == ""
    store.runs.update(run, name="<i>mine</i>")
    found = asked(store, run=run)
    assert found.values["name"] == "<i>mine</i> 2" and "<i>" not in found.html


def test_the_next_name_counts_on():
    assert next_name("weather", ["other"]) == "weather"
    assert next_name("weather", ["weather"]) == "weather 2"
    assert next_name("weather 2", ["weather", "weather 2", "weather 3"]) == "weather 4"


def test_a_run_or_a_checkpoint_that_is_gone_is_said(store, run):
    for wanted in ({"run": "abcdefgh12"}, {"run": "../../etc"}, {"run": run, "step": 5}, {"what": 1}):
        with pytest.raises(UserError):
            asked(store, **wanted)


def test_models_that_earlier_runs_made_can_be_picked(settings, store, run):
    offered = selection.offered_models(settings)
    assert offered[:2] == [selection.DEMO, ("weather-lora, step 4", f"run:{run}@4")]  # the best one
    chosen = selection.offered_models(settings, f"run:{run}@8")
    assert chosen[1:3] == [("weather-lora, step 8", f"run:{run}@8"), ("weather-lora, step 4", f"run:{run}@4")]


def test_small_models_to_begin_with_are_offered_with_their_size_once_each(settings, store):
    assert ("Qwen/Qwen3-0.6B · 1.5 GB", "Qwen/Qwen3-0.6B") in selection.offered_models(settings)
    store.runs.create(RunConfig.model_validate({"model": {"name": "Qwen/Qwen3-0.6B"}}), EXECUTOR)
    offered = [model for _, model in selection.offered_models(settings)]
    assert offered[:2] == ["demo", "Qwen/Qwen3-0.6B"] and len(offered) == len(set(offered)) == 5


def test_a_preset_is_shown_before_it_is_applied_and_then_says_what_it_replaced(store):
    shown = preset.difference("24gb", form.defaults())
    for words in ("Batch size", "<td>4</td><td>2</td>", "Accumulation", "<td>4</td><td>8</td>", "Keep mine"):
        assert words in shown
    assert "Max length" not in shown  # which it does not set
    filled = asked(store, preset="24gb")
    assert "24 GB GPU." in filled.html
    done = form.defaults() | filled.values
    assert f"Apply {shown.count('<tr><th scope')} changes" in shown
    assert "All is set so already" in preset.difference("24gb", done)


def test_a_preset_for_a_gpu_says_so_where_there_is_none(monkeypatch):
    monkeypatch.setattr(preset.hardware, "look", lambda: Hardware("cpu", "CPU", True, 8_000_000_000, 1))
    assert "made for a GPU" in preset.difference("24gb", form.defaults())
    assert "made for a GPU" not in preset.difference("cpu", form.defaults())


def test_a_preset_with_a_dataset_of_its_own_names_the_one_that_it_takes_away():
    now = form.defaults() | {"data.source": "/home/uploads/my-chats-0123abcd.json", "model.name": "owner/name"}
    shown = preset.difference("cpu", now)
    assert "<li>Your dataset my-chats.json is replaced by the demo&#x27;s.</li>" in shown
    assert "<li>Your model owner/name is replaced by the demo&#x27;s.</li>" in shown
    assert "is replaced by" not in preset.difference("cpu", form.defaults())
    assert "is replaced by" not in preset.difference("16gb", now)


def test_a_preset_undoes_what_another_one_set(store):
    after_demo = form.defaults() | asked(store, preset="cpu").values
    after_both = run_of(asked(store, preset="16gb", now=after_demo), after_demo)
    alone = run_of(asked(store, preset="16gb"))
    assert after_both.training == alone.training and after_both.adapter == alone.adapter


def test_a_yaml_file_fills_the_whole_form_and_tells_older_names(store):
    text = "training: {max_seq_length: 512, packing: true}\ncallbacks: [{use: 'own.py:Own', args: {every: 2}}]"
    found = asked(store, now={"training.max_steps": 7}, yaml=text, file="mine.yaml")
    run = run_of(found, {"training.max_steps": 7})
    assert (run.training.max_length, run.training.packing, run.training.max_steps) == (512, True, -1)
    assert run.callbacks[0].args == {"every": 2}
    assert "mine.yaml" in found.html and "training.max_length here" in found.html


def test_a_yaml_file_with_mistakes_names_all_of_them_and_itself(store):
    with pytest.raises(UserError) as caught:
        asked(store, yaml="training: {max_steps: 0, learning_rat: 1}\nmethod: magic", file="mine.yaml")
    for words in ("mine.yaml: 3 settings", "0 steps train nothing", "Did you mean learning_rate", "'magic'"):
        assert words in str(caught.value)


def test_a_link_fills_what_it_names_and_leaves_the_rest(store):
    link = ["training.max_steps=60", 'method="full"', "data.leave_out=[cut]", "extra={adam_beta2: 0.95}", "no.such=1"]
    found = asked(store, set=[*link, "training.packing=maybe", "nonsense"])
    run = run_of(found)
    assert (run.training.max_steps, run.method, run.data.leave_out) == (60, "full", ["cut"])
    assert run.extra == {"adam_beta2": 0.95}
    assert "left out: no.such, training.packing" in found.html and "Nothing is started" in found.html


def test_a_link_empties_a_text_and_takes_away_what_may_be_absent(store):
    assert asked(store, set=["name=", "data.system="]).values == {"name": "", "data.system": None}


def test_what_was_left_comes_back_even_what_was_wrong_with_it(store):
    found = asked(store, left={"training.learning_rate": 0, "data.limit": "ten", "method": "full"})
    assert found.values == {"training.learning_rate": 0, "data.limit": "ten", "method": "full"}
    assert asked(store, left={"method": "full"}).values == {"method": "full", "training.learning_rate": 2e-5}
    assert asked(store, left="nonsense").values == {}


def test_a_setting_goes_back_to_what_it_is_for_this_method(store):
    now = {"method": "full", "training.learning_rate": 1.0}
    assert asked(store, now=now, back="training.learning_rate").values == {"training.learning_rate": 2e-5}
    assert asked(store, back="no.such").values == {}


def test_all_defaults_leave_the_model_and_the_dataset(store):
    found = asked(store, defaults=True)
    assert not set(HEADER) & set(found.values) and found.carried == {}
    assert run_of(found, {"model.name": "mine/model", "training.max_steps": 5}).training.max_steps == -1


def test_what_was_found_to_be_needed_is_set_and_told(store):
    found = asked(store, changes={"training.max_length": 512, "no.such": 1}, because="So that it fits.")
    assert found.values == {"training.max_length": 512}
    assert "So that it fits." in found.html and "<li>Max length: 512</li>" in found.html
