"""Presets are the reference page's values, and say what had to give way."""

import pytest

from dfgui import presets
from dfgui.recipe import nested, parse


@pytest.mark.parametrize(
    ("name", "batch", "accumulation", "optim"), [("24gb", 2, 8, "adamw_8bit"), ("16gb", 1, 16, "paged_adamw_8bit")]
)
def test_memory_presets_are_exactly_the_pages_values(name, batch, accumulation, optim):
    values, notes = presets.apply(name, bf16=True, bitsandbytes=True)
    training = parse(nested(values)).training
    assert (training.per_device_train_batch_size, training.gradient_accumulation_steps) == (batch, accumulation)
    assert (training.optim, training.precision, training.gradient_checkpointing) == (optim, "bf16", True)
    assert notes == []


def test_a_missing_piece_is_named_with_its_substitute():
    values, notes = presets.apply("16gb", bf16=False, bitsandbytes=False)
    assert values["training.optim"] == "adamw_torch_fused" and values["training.precision"] == "auto"
    assert any("bitsandbytes" in note for note in notes) and any("bf16" in note for note in notes)


def test_the_unsloth_preset_is_exactly_the_pages_values():
    values, notes = presets.apply("unsloth", bf16=True, bitsandbytes=True, unsloth=True, in_4bit=True)
    run = parse(nested(values))
    assert notes == [] and (run.run.backend, run.run.placement, run.method) == ("unsloth", "process", "lora")
    assert run.model.load_in_4bit and run.training.gradient_checkpointing and run.training.max_length == 2048
    adapter, training = run.adapter, run.training
    assert (adapter.r, adapter.lora_alpha, adapter.lora_dropout) == (16, 16, 0)
    assert adapter.target_modules == ["q_proj", "k_proj", "v_proj", "o_proj"]
    assert (training.per_device_train_batch_size, training.gradient_accumulation_steps) == (2, 4)
    assert (training.num_train_epochs, training.learning_rate, training.optim) == (3, 2e-4, "adamw_8bit")


def test_the_unsloth_preset_says_what_trains_in_its_place():
    values, notes = presets.apply("unsloth", bf16=False, bitsandbytes=False)
    run = parse(nested(values))
    assert (run.run.backend, run.model.load_in_4bit, run.training.optim) == ("trl", False, "adamw_torch_fused")
    assert len(notes) == 3 and all(any(word in note for note in notes) for word in ("adamw_8bit", "TRL", "4-bit"))


@pytest.mark.parametrize("name", presets.PRESETS)
def test_every_preset_is_a_valid_config(name):
    values, _ = presets.apply(name, bf16=False, bitsandbytes=False)
    parse(nested(values))
