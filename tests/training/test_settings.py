"""Settings of a run change what is trained as their help says."""

import json

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from dfgui import actions
from dfgui.models import load


def points(store, run, name):
    return dict(store.metrics.points(run["id"], name))


def with_settings(values, **blocks):
    return {**values, **{block: {**values.get(block, {}), **inner} for block, inner in blocks.items()}}


@pytest.fixture
def plain(train, values):
    """The losses of the run as it is."""
    run, store = train(values)
    return points(store, run, "loss")


@pytest.mark.parametrize(
    "settings",
    [
        {"training": {"neftune_noise_alpha": 5}},
        {"training": {"loss_type": "dft"}},
        {"training": {"train_sampling_strategy": "sequential"}},
        {"training": {"optim": "adafactor"}},
        {"adapter": {"use_rslora": True}},
        {"adapter": {"use_dora": True}},
        {"extra": {"data_seed": 7}},
    ],
    ids=lambda settings: next(iter(next(iter(settings.values())))),
)
def test_a_setting_changes_the_curve(train, values, plain, settings):
    run, store = train(with_settings(values, **settings))
    assert run["status"] == "finished", run["reason"]
    losses = points(store, run, "loss")
    assert losses.keys() == plain.keys() and losses != plain


@pytest.mark.parametrize(
    "settings",
    [
        {"training": {"loss_type": "nll"}},
        {"model": {"attn_implementation": "eager"}},
        {"training": {"dataloader_num_workers": 1}},
    ],
    ids=lambda settings: next(iter(next(iter(settings.values())))),
)
def test_another_way_to_the_same_leaves_the_curve_as_it_is(train, values, plain, settings):
    run, store = train(with_settings(values, **settings))
    assert points(store, run, "loss") == pytest.approx(plain, abs=1e-4)


def test_a_schedule_is_told_where_to_end(train, values):
    told = {"lr_scheduler_type": "cosine_with_min_lr", "lr_scheduler_kwargs": {"min_lr": 5e-3}}
    run, store = train(with_settings(values, training=told))
    rates = points(store, run, "learning_rate")
    assert 5e-3 <= min(rates.values()) == rates[max(rates)] < 6e-3


def test_an_evaluation_before_the_first_step_is_in_the_curve(train, values):
    run, store = train(with_settings(values, training={"eval_on_start": True}))
    assert run["status"] == "finished", run["reason"]
    assert min(points(store, run, "eval_loss")) == 0


@pytest.mark.parametrize("kind", ["use_rslora", "use_dora"])
def test_other_kinds_of_lora_answer_alike_as_adapter_and_merged(train, values, where, tmp_path, kind):
    run, _ = train(with_settings(values, adapter={kind: True}))
    folder = where.run_folder(run["id"]) / "checkpoint-8"
    assert json.loads((folder / "adapter_config.json").read_text())[kind] is True
    stored = load_file(folder / "adapter_model.safetensors")
    assert any("magnitude" in name for name in stored) is (kind == "use_dora")
    adapted, tokenizer = load.trained(folder, run["facts"]["base"], "float32")
    actions.export(where, run["id"], 8, "merged", tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype="float32").eval()
    asked = tokenizer("What is the weather in Oslo?", return_tensors="pt")
    with torch.inference_mode():
        assert (merged(**asked).logits - adapted(**asked).logits).abs().max() < 1e-4


@pytest.mark.parametrize(("strategy", "apart"), [("bfd", True), ("bfd_split", True), ("wrapped", False)])
def test_packed_rows_are_kept_apart_unless_they_are_wrapped(train, values, strategy, apart):
    """All rows in one step: packed and alone, the loss is the mean over the same tokens."""
    whole = {"max_steps": 1, "per_device_train_batch_size": 64, "gradient_accumulation_steps": 1}
    alone, store = train(with_settings(values, training=whole))
    packed, _ = train(with_settings(values, training=whole | {"packing": True, "packing_strategy": strategy}))
    assert packed["status"] == "finished", packed["reason"]
    (expected,), (loss,) = points(store, alone, "loss").values(), points(store, packed, "loss").values()
    assert (abs(loss - expected) < 1e-4) is apart


def test_what_sft_config_refuses_is_told_before_anything_is_loaded(train, values):
    run, _ = train(with_settings(values, extra={"dataloader_prefetch_factor": 2}))
    assert run["status"] == "failed" and "base" not in run["facts"]
    assert "dataloader_prefetch_factor" in run["error"]["why"]
