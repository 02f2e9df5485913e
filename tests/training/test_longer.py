"""Training longer: a new run that begins from the weights of an earlier one."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from dfgui import actions, recipe
from dfgui.errors import UserError
from dfgui.models import load
from dfgui.training import preflight
from tests.tiny import tiny_folder


@pytest.fixture
def first(train, values):
    """A run of eight steps, with checkpoints at 4 and 8."""
    run, _ = train(values)
    assert run["status"] == "finished", run["reason"]
    return run


def longer(values, run, step=8, **training):
    """The same settings from a checkpoint of `run`."""
    name = f"run:{run['id']}@{step}"
    return {**values, "model": {"name": name}, "training": {**values["training"], **training}}


def loss_at(store, run, name, step):
    return dict(store.metrics.points(run["id"], name))[step]


def weights(where, run, step):
    return load_file(where.run_folder(run["id"]) / f"checkpoint-{step}" / "adapter_model.safetensors")


def logits(model, tokenizer):
    with torch.inference_mode():
        return model(**tokenizer("What is the weather in Oslo?", return_tensors="pt")).logits


def test_it_begins_with_the_weights_of_the_checkpoint(train, values, where, first):
    run, store = train(longer(values, first, learning_rate=1e-12, max_steps=1, eval_steps=1))
    assert run["status"] == "finished", run["reason"]
    before, after = weights(where, first, 8), weights(where, run, 1)
    assert before.keys() == after.keys()
    assert all(torch.allclose(before[name], after[name], atol=1e-8) for name in before)
    assert loss_at(store, run, "eval_loss", 1) == pytest.approx(loss_at(store, first, "eval_loss", 8), abs=1e-4)


def test_the_loss_goes_on_from_where_it_was_and_falls_further(train, values, first):
    run, store = train(longer(values, first))
    begin, end = (loss_at(store, first, "loss", step) for step in (1, 8))
    again = loss_at(store, run, "loss", 1)
    assert abs(again - end) < (begin - end) / 3
    assert loss_at(store, run, "eval_loss", 8) < loss_at(store, first, "eval_loss", 8)


def test_what_comes_out_is_one_adapter_on_the_original_base(train, values, where, first, tmp_path):
    run, _ = train(longer(values, first))
    assert run["facts"]["base"] == first["facts"]["base"]
    assert actions.saved(where, run["id"], 8).base_name == values["model"]["name"]
    folder = where.run_folder(run["id"]) / "checkpoint-8"
    assert json.loads((folder / "adapter_config.json").read_text())["r"] == 4
    adapted, tokenizer = load.trained(folder, run["facts"]["base"], "float32")
    actions.export(where, run["id"], 8, "merged", tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype="float32").eval()
    assert (logits(merged, tokenizer) - logits(adapted, tokenizer)).abs().max() < 1e-4
    earlier, _ = load.trained(where.run_folder(first["id"]) / "checkpoint-8", first["facts"]["base"], "float32")
    assert (logits(merged, tokenizer) - logits(earlier, tokenizer)).abs().max() > 1e-3


def test_a_longer_run_stands_by_itself_once_the_earlier_one_is_deleted(train, values, where, first, tmp_path):
    run, _ = train(longer(values, first))
    actions.delete(where, [first["id"]])
    actions.export(where, run["id"], 8, "merged", tmp_path / "merged")
    assert (tmp_path / "merged" / "model.safetensors").is_file()
    assert actions.answers._ready(where, run["id"], 0)[0] is not None


def test_a_full_run_begins_with_the_adapter_merged_into_its_base(train, values, where, first):
    asked = {**longer(values, first, learning_rate=1e-12, max_steps=1, eval_steps=1), "method": "full"}
    run, store = train(asked)
    assert (run["status"], run["facts"]["base"]) == ("finished", first["facts"]["base"]), run["reason"]
    assert run["facts"]["trainable_parameters"] == run["facts"]["parameters"]
    assert loss_at(store, run, "eval_loss", 1) == pytest.approx(loss_at(store, first, "eval_loss", 8), abs=1e-4)
    whole = AutoModelForCausalLM.from_pretrained(where.run_folder(run["id"]) / "checkpoint-1").eval()
    adapted, tokenizer = load.trained(where.run_folder(first["id"]) / "checkpoint-8", run["facts"]["base"], "float32")
    assert (logits(whole, tokenizer) - logits(adapted, tokenizer)).abs().max() < 1e-4


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_full_checkpoint_is_a_model_like_any_other(train, values, where, method):
    whole, _ = train({**values, "method": "full"})
    run, store = train({**longer(values, whole, learning_rate=1e-12, max_steps=1, eval_steps=1), "method": method})
    assert run["status"] == "finished", run["reason"]
    assert loss_at(store, run, "eval_loss", 1) == pytest.approx(loss_at(store, whole, "eval_loss", 8), abs=1e-4)
    assert run["facts"]["base"] == str(where.run_folder(whole["id"]) / "checkpoint-8")


def test_the_checkpoint_brings_its_template_and_the_marks_it_has_learned(train, values, where, tmp_path):
    folder = tiny_folder(tmp_path / "base")
    first, _ = train({**values, "model": {"name": str(folder), "chat_template": "gemma3"}})
    run, store = train(longer(values, first, learning_rate=1e-12, max_steps=1, eval_steps=1))
    assert run["status"] == "finished", run["reason"]
    assert (run["facts"]["chat_template"], run["facts"]["marks"]) == ("gemma3", first["facts"]["marks"])
    before, after = weights(where, first, 8), weights(where, run, 1)
    assert before.keys() == after.keys() and any("token" in name for name in after)
    assert loss_at(store, run, "eval_loss", 1) == pytest.approx(loss_at(store, first, "eval_loss", 8), abs=1e-4)
    kept = AutoTokenizer.from_pretrained(where.run_folder(run["id"]) / "checkpoint-1")
    assert (
        kept.chat_template == AutoTokenizer.from_pretrained(where.run_folder(first["id"]) / "tokenizer").chat_template
    )
    with pytest.raises(UserError, match="train a new adapter"):
        actions.start(
            where, {**longer(values, first), "model": {"name": f"run:{first['id']}", "chat_template": "phi3"}}
        )


def test_without_a_step_the_best_checkpoint_is_meant_and_written_down(values, where, first):
    from dfgui.store import Store

    store = Store(where.store_path)
    best = next(one["step"] for one in store.checkpoints.of(first["id"]) if one["best"])
    run = actions.start(where, {**values, "model": {"name": f"run:{first['id']}"}}, executor="test")
    row = store.runs.get(run)
    assert row["config"]["model"]["name"] == f"run:{first['id']}@{best}"
    assert row["name"] == f"{first['name']} longer"


def test_the_adapter_keeps_its_shape_and_that_is_said_before_the_start(train, values, where, first):
    asked = {**longer(values, first, max_steps=1), "adapter": {"r": 16, "lora_alpha": 8, "lora_dropout": 0.1}}
    (note,) = [one for one in preflight.notes(recipe.parse(asked), where) if one.title == "Adapter"]
    assert note.kind == "warn" and "rank 4" in note.text and note.do == "What is set for r is not used."
    run, store = train(asked)
    assert run["status"] == "finished", run["reason"]
    assert (run["config"]["adapter"]["r"], run["config"]["adapter"]["lora_dropout"]) == (4, 0.1)
    assert "its adapter is trained on (rank 4, alpha 8" in store.events.tail(run["id"])[0]["text"]


def test_a_checkpoint_that_is_not_there_is_refused_before_the_start(values, where, first):
    for name, advice in [
        (f"run:{first['id']}@5", "Choose one of them"),
        ("run:abcdefgh12", "See the list of runs"),
        ("run:../../etc", "run:ID@STEP"),
    ]:
        with pytest.raises(UserError, match=advice):
            actions.start(where, {**values, "model": {"name": name}})
    shutil.rmtree(where.run_folder(first["id"]) / "checkpoint-8")
    with pytest.raises(UserError, match="Choose another checkpoint"):
        actions.start(where, longer(values, first))
