"""Models of many kinds: trained with LoRA on all linear layers, saved, merged, loaded again, equal to the last bit."""

import pytest
import torch
from peft import PeftModel
from transformers import AutoConfig, AutoModelForCausalLM

from dfgui.artifacts import shards
from dfgui.artifacts.merge import merge
from tests.tiny import tiny_tokenizer

SMALL = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 2048, "initializer_range": 0.2,
}  # fmt: skip
TIED, UNTIED = {"tie_word_embeddings": True}, {"tie_word_embeddings": False}
KINDS = {
    "llama": ("llama", UNTIED),
    "llama, tied, with biases": ("llama", {**TIED, "attention_bias": True, "mlp_bias": True}),
    "qwen2, whose attention has biases": ("qwen2", UNTIED),
    "qwen3": ("qwen3", TIED),
    "gemma3": ("gemma3_text", TIED),
    "phi3, whose layers are fused": ("phi3", UNTIED),
    "mistral": ("mistral", UNTIED),
    "granite": ("granite", TIED),
}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
PROMPT = torch.arange(10, 60).reshape(1, -1)


@pytest.fixture
def base(tmp_path):
    """The folder of a new model of some kind."""

    def made(kind, **more):
        tokenizer = tiny_tokenizer()
        ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None}
        torch.manual_seed(0)
        config = AutoConfig.for_model(kind, **{**SMALL, "vocab_size": len(tokenizer), **ends, **more})
        folder = tmp_path / "base"
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return made


@pytest.fixture
def trained(train, values, where):
    """The checkpoint of two steps, with a B that is far from its start."""

    def to_the_end(folder):
        steps = {**values["training"], "max_steps": 2, "learning_rate": 0.1, "save_steps": 2, "eval_strategy": "no"}
        run, _ = train({**values, "model": {"name": str(folder)}, "training": steps})
        assert run["status"] == "finished", run["error"]
        return where.run_folder(run["id"]) / "checkpoint-2"

    return to_the_end


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def logits(model):
    with torch.no_grad():
        return model.eval()(PROMPT).logits


def require_equal(merged, base, checkpoint):
    """The merged model is PEFT's own merge, and answers as the adapter on its base does."""
    adapted = PeftModel.from_pretrained(load(base), checkpoint)
    answers = logits(adapted)
    assert (logits(load(merged)) - answers).abs().max() < 1e-4
    assert (logits(load(base)) - answers).abs().max() > 0.01
    expected, got = adapted.merge_and_unload().state_dict(), load(merged).state_dict()
    assert expected.keys() == got.keys() and all(torch.equal(expected[name], got[name]) for name in expected)


@pytest.mark.parametrize("name", KINDS)
def test_it_trains_and_is_merged_from_file_to_file(name, base, trained, tmp_path):
    kind, more = KINDS[name]
    folder = base(kind, **more)
    checkpoint = trained(folder)
    assert isinstance(shards.plan(checkpoint, folder), shards.Plan)
    require_equal(merge(checkpoint, folder, tmp_path / "merged"), folder, checkpoint)


def test_a_mixture_of_experts_trains_and_is_merged(base, trained, tmp_path):
    folder = base("qwen3_moe", **EXPERTS)
    checkpoint = trained(folder)
    said = []
    require_equal(merge(checkpoint, folder, tmp_path / "merged", progress=said.append), folder, checkpoint)
    assert said[0].startswith(("merging in memory: ", "merging part "))
