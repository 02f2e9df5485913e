"""Presets are the reference page's values, and say what had to give way."""

import pytest

from dfgui import presets
from dfgui.recipe import parse


def nested(values):
    tree = {}
    for path, value in values.items():
        block, _, name = path.rpartition(".")
        (tree.setdefault(block, {}) if block else tree)[name or path] = value
    return tree


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


@pytest.mark.parametrize("name", presets.PRESETS)
def test_every_preset_is_a_valid_config(name):
    values, _ = presets.apply(name, bf16=False, bitsandbytes=False)
    parse(nested(values))
