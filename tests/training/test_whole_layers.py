"""Layers that learn all their weights beside an adapter: trained, resumed, asked, trained on and merged with it."""

import time

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from dfgui import actions, config
from dfgui.errors import UserError
from dfgui.models import load, shapes
from dfgui.models.memory import Shape
from dfgui.recipe import parse
from dfgui.store import Store
from dfgui.training import launcher
from tests.tiny import tiny_model, tiny_tokenizer


@pytest.fixture(params=[True, False], ids=["tied", "untied"])
def base(request, tmp_path):
    tokenizer = tiny_tokenizer()
    tiny_model(tokenizer, tie_word_embeddings=request.param).save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def logits(model, tokenizer):
    prompt = tokenizer("Weather in Oslo in 3 days?", return_tensors="pt")
    with torch.inference_mode():
        return model.eval()(**prompt).logits


def test_they_learn_and_come_home_with_the_adapter(train, values, base, where, tmp_path):
    adapter = {**values["adapter"], "modules_to_save": "embed_tokens, lm_head"}
    asked = {**values, "model": {"name": str(base)}, "adapter": adapter}
    run, store = train(asked)
    assert run["status"] == "finished", run["error"]
    checkpoint = where.run_folder(run["id"]) / "checkpoint-8"
    before = load_file(base / "model.safetensors")["model.embed_tokens.weight"]
    held = load_file(checkpoint / "adapter_model.safetensors")
    learned = next(one for name, one in held.items() if name.endswith("embed_tokens.weight"))
    assert not torch.equal(learned, before)

    asked_model, tokenizer = load.trained(checkpoint, str(base), "float32")  # what Chat and Evaluate ask
    actions.export(where, run["id"], 8, "merged", tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    tied = merged.get_output_embeddings().weight is merged.get_input_embeddings().weight
    assert tied is AutoConfig.from_pretrained(base).tie_word_embeddings
    assert torch.equal(merged.get_input_embeddings().weight, learned)
    assert AutoTokenizer.from_pretrained(tmp_path / "merged").chat_template == tokenizer.chat_template
    expected = logits(merged, tokenizer)
    assert torch.allclose(logits(asked_model, tokenizer), expected, atol=1e-4)

    losses = store.metrics.points(run["id"], "loss")
    actions.resume(where, run["id"], 4, executor="test")
    launcher.run_here(run["id"], where)
    row = store.runs.get(run["id"])
    assert row["status"] == "finished", row["error"]
    assert store.metrics.points(run["id"], "loss") == losses

    longer, _ = train({**asked, "model": {"name": f"run:{run['id']}@8"}, "adapter": values["adapter"]})
    assert longer["status"] == "finished", longer["error"]
    assert longer["config"]["adapter"]["modules_to_save"] == ["embed_tokens", "lm_head"]


def measured(values, where):
    deadline = time.monotonic() + 120
    while (shape := shapes.known(parse(values), where)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert isinstance(shape, Shape), shape
    return shape


def test_what_they_take_is_counted(values, where):
    plain = measured(values, where)
    whole = measured({**values, "adapter": {**values["adapter"], "modules_to_save": "embed_tokens"}}, where)
    embeddings = whole.trained - plain.trained
    model = AutoModelForCausalLM.from_pretrained(values["model"]["name"])
    assert embeddings == model.get_input_embeddings().weight.nbytes


@pytest.mark.parametrize(
    ("adapter", "field"),
    [
        ({"target_modules": "q_proj, k_prj"}, "adapter.target_modules"),
        ({"modules_to_save": "embeddings"}, "adapter.modules_to_save"),
    ],
)
def test_a_layer_that_the_model_has_not_is_named_before_the_start(values, where, adapter, field):
    asked = {**values, "adapter": {**values["adapter"], **adapter}}
    assert len(measured(asked, where).strange) == 1
    with pytest.raises(UserError, match="The model has no layer") as refused:
        actions.start(where, asked, executor="test")
    assert refused.value.field == field and "q_proj" in refused.value.why
    assert Store(where.store_path).runs.all() == []


def test_a_layer_is_adapted_or_trained_whole(values):
    with pytest.raises(UserError, match="is adapted already"):
        parse({**values, "adapter": {"target_modules": "q_proj", "modules_to_save": "q_proj"}})
    with pytest.raises(UserError, match="or choose TRL"):
        parse({**values, "adapter": {"modules_to_save": "norm"}, "run": {"backend": "unsloth"}})
    assert config.Adapter(modules_to_save=" a , b").whole == ["a", "b"]
