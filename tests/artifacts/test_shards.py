"""A merge from file to file: in parts, with their index; left to PEFT what is more than LoRA on linear layers."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from dfgui.artifacts import shards
from dfgui.artifacts.merge import merge
from dfgui.models import headers
from tests.tiny import tiny_adapter, tiny_model, tiny_tokenizer


@pytest.fixture
def adapter(run, tmp_path):
    return shutil.copytree(run / "checkpoint-20", tmp_path / "adapter")


def change(adapter, **values):
    file = adapter / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def test_a_large_model_comes_in_parts_with_an_index(run, tmp_path, monkeypatch):
    whole = merge(run / "checkpoint-20", run / "base", tmp_path / "whole")
    monkeypatch.setattr(shards, "SHARD_BYTES", 30_000)
    folder = merge(run / "checkpoint-20", run / "base", tmp_path / "parts")
    files = sorted(folder.glob("*.safetensors"))
    assert len(files) > 2 and files[0].name == f"model-00001-of-{len(files):05}.safetensors"
    index = json.loads((folder / headers.INDEX).read_text())
    expected, got = load_file(whole / "model.safetensors"), {}
    for file in files:
        part = load_file(file)
        assert all(index["weight_map"][name] == file.name for name in part)
        got |= part
    assert index["metadata"]["total_size"] == sum(one.nbytes for one in expected.values())
    assert got.keys() == expected.keys() and all(torch.equal(got[name], expected[name]) for name in expected)
    loaded = AutoModelForCausalLM.from_pretrained(folder).state_dict()
    assert all(torch.equal(loaded[name], expected[name]) for name in expected)


def test_a_base_in_parts_is_read_in_parts(run, tmp_path):
    parts = tmp_path / "parts"
    AutoModelForCausalLM.from_pretrained(run / "base").save_pretrained(parts, max_shard_size=30_000)
    assert len(list(parts.glob("*.safetensors"))) > 2
    merged = {
        base: merge(run / "checkpoint-20", base, tmp_path / f"from {base.name}") for base in (run / "base", parts)
    }
    expected, got = (load_file(folder / "model.safetensors") for folder in merged.values())
    assert all(torch.equal(got[name], expected[name]) for name in expected)


def test_a_base_that_lies_there_twice_is_merged_once(run, tmp_path):
    """Whole and in parts, and as its author keeps it: what transformers loads is what is merged."""
    base = shutil.copytree(run / "base", tmp_path / "base")
    AutoModelForCausalLM.from_pretrained(base).save_pretrained(tmp_path / "parts", max_shard_size=30_000)
    for file in (tmp_path / "parts").glob("model*"):
        shutil.copy(file, base / file.name)
    shutil.copy(base / "model.safetensors", base / "consolidated.safetensors")
    assert headers.files(base) == [base / "model.safetensors"]
    merged = merge(run / "checkpoint-20", base, tmp_path / "merged")
    expected = load_file(merge(run / "checkpoint-20", run / "base", tmp_path / "plain") / "model.safetensors")
    got = load_file(merged / "model.safetensors")
    assert got.keys() == expected.keys() and all(torch.equal(got[name], expected[name]) for name in expected)


def test_what_is_no_float_stays_as_it_is(run, tmp_path):
    base = shutil.copytree(run / "base", tmp_path / "base")
    tensors = load_file(base / "model.safetensors") | {"counts": torch.arange(5)}
    save_file(tensors, base / "model.safetensors", metadata={"format": "pt"})
    folder = merge(run / "checkpoint-20", base, tmp_path / "merged", dtype="bfloat16")
    held = load_file(folder / "model.safetensors")
    assert torch.equal(held["counts"], torch.arange(5)) and held["model.norm.weight"].dtype == torch.bfloat16


@pytest.mark.parametrize("rslora", [False, True])
def test_the_scale_is_pefts(run, tmp_path, rslora):
    model = tiny_adapter(AutoModelForCausalLM.from_pretrained(run / "base"), r=8, lora_alpha=3, use_rslora=rslora)
    model.save_pretrained(tmp_path / "adapter")
    plan = shards.plan(tmp_path / "adapter", run / "base")
    assert plan.scaling == model.base_model.model.model.layers[0].mlp.up_proj.scaling["default"]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"use_dora": True}, "use_dora"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"rank_pattern": {"q_proj": 2}}, "rank_pattern"),
        ({"a_setting_of_tomorrow": 1}, "a_setting_of_tomorrow"),
        ({"init_lora_weights": "pissa"}, "pissa"),
        ({"bias": "all"}, "more than LoRA"),
        ({"peft_type": "LOHA"}, "more than LoRA"),
    ],
)
def test_an_adapter_that_is_more_is_left_to_peft(run, adapter, values, why):
    change(adapter, **values)
    assert why in shards.plan(adapter, run / "base")


def test_a_last_layer_that_is_the_embeddings_own_is_left_to_peft(run, tmp_path):
    model = AutoModelForCausalLM.from_pretrained(run / "base")
    tiny_adapter(model, target_modules=["q_proj", "lm_head"]).save_pretrained(tmp_path / "adapter")
    assert isinstance(shards.plan(tmp_path / "adapter", run / "base"), str)


def test_weights_that_the_base_does_not_have_are_left_to_peft_to_refuse(run, tmp_path):
    tiny_model(tiny_tokenizer(), hidden_size=64).save_pretrained(tmp_path / "wide")
    tiny_model(tiny_tokenizer(), num_hidden_layers=1).save_pretrained(tmp_path / "short")
    for name in ("wide", "short"):
        assert "not a linear layer of this shape" in shards.plan(run / "checkpoint-20", tmp_path / name)


def test_a_quantised_base_is_left_to_peft(run, tmp_path):
    base = shutil.copytree(run / "base", tmp_path / "base")
    how = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(how | {"quantization_config": {"bits": 4}}))
    assert shards.plan(run / "checkpoint-20", base) == "Its base is quantised."


def test_an_adapter_with_a_part_missing_is_left_to_peft(run, adapter):
    tensors = load_file(adapter / "adapter_model.safetensors")
    gone = next(name for name in tensors if "lora_B" in name)
    save_file({name: tensor for name, tensor in tensors.items() if name != gone}, adapter / "adapter_model.safetensors")
    assert shards.plan(adapter, run / "base") == "Its adapter is not whole."
