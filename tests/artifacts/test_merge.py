import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from dfgui.artifacts.merge import merge
from dfgui.errors import UserError
from tests.disk import disk_of
from tests.tiny import tiny_adapter, tiny_model, tiny_tokenizer

PROMPT = torch.arange(10, 60).reshape(1, -1)


def logits(model) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(PROMPT).logits


def load(folder: Path, dtype="auto"):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)


def adapted(run: Path, dtype=torch.float32):
    return PeftModel.from_pretrained(load(run / "base", dtype), run / "checkpoint-20")


def test_a_merged_model_answers_as_the_adapter_on_its_base(run, tmp_path):
    merged = load(merge(run / "checkpoint-20", run / "base", tmp_path / "merged"))
    difference = (logits(merged) - logits(adapted(run))).abs().max()
    assert difference < 1e-4
    assert (logits(merged) - logits(load(run / "base"))).abs().max() > 0.1  # the adapter does something


def test_a_merged_folder_holds_all_that_a_model_needs_and_nothing_else(run, tmp_path):
    folder = merge(run / "checkpoint-20", run / "base", tmp_path / "merged")
    assert sorted(file.name for file in folder.iterdir()) == [
        "USAGE.md",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.chat_template == tiny_tokenizer().chat_template
    assert tokenizer.eos_token == "<|im_end|>"


def test_tied_weights_stay_tied(run, tmp_path):
    model = load(merge(run / "checkpoint-20", run / "base", tmp_path / "merged"))
    assert model.config.tie_word_embeddings
    assert model.lm_head.weight.data_ptr() == model.model.embed_tokens.weight.data_ptr()


@pytest.mark.parametrize("held_in", [torch.float32, torch.bfloat16])
def test_a_16_bit_merge_is_pefts_own_merge_rounded_once(run, tmp_path, held_in):
    base = tmp_path / "base"
    load(run / "base").to(held_in).save_pretrained(base)
    folder = merge(run / "checkpoint-20", base, tmp_path / "merged", dtype="bfloat16")
    wanted = PeftModel.from_pretrained(load(base, torch.float32), run / "checkpoint-20").merge_and_unload()
    expected, got = wanted.to(torch.bfloat16).state_dict(), load(folder).state_dict()
    assert json.loads((folder / "config.json").read_text())["dtype"] == "bfloat16"
    assert all(torch.equal(expected[name], got[name]) for name in expected)


@pytest.mark.parametrize("variant", [{"use_dora": True}, {"use_rslora": True}, {"modules_to_save": ["lm_head"]}])
def test_other_kinds_of_lora_merge_too(run, tmp_path, variant):
    tokenizer = tiny_tokenizer()
    untied = tiny_model(tokenizer, tie_word_embeddings=False)
    untied.save_pretrained(tmp_path / "base")
    model = tiny_adapter(load(tmp_path / "base"), **variant)
    model.save_pretrained(tmp_path / "adapter")
    tokenizer.save_pretrained(tmp_path / "adapter")
    (tmp_path / "adapter" / "trainer_state.json").write_text("{}")
    merged = load(merge(tmp_path / "adapter", tmp_path / "base", tmp_path / "merged"))
    assert (logits(merged) - logits(model)).abs().max() < 1e-4


def test_generation_ends_with_the_turn_even_if_the_base_did_not_know_it(run, tmp_path):
    base = shutil.copytree(run / "base", tmp_path / "base")
    (base / "generation_config.json").write_text('{"eos_token_id": 7, "temperature": 0.6, "do_sample": false}')
    folder = merge(run / "checkpoint-20", base, tmp_path / "merged")
    ends = json.loads((folder / "generation_config.json").read_text())["eos_token_id"]
    assert set(ends) == {7, tiny_tokenizer().eos_token_id}


def test_the_base_named_by_the_adapter_is_the_default(run, tmp_path):
    assert (merge(run / "checkpoint-20", None, tmp_path / "merged") / "model.safetensors").is_file()


def test_a_full_checkpoint_comes_home_without_its_optimizer_and_without_a_second_copy_of_its_weights(run, tmp_path):
    folder = merge(run / "checkpoint-40", None, tmp_path / "home")
    assert torch.equal(logits(load(folder)), logits(load(run / "checkpoint-40")))
    assert not {"optimizer.pt", "training_args.bin", "trainer_state.json"} & {file.name for file in folder.iterdir()}
    assert (folder / "model.safetensors").samefile(run / "checkpoint-40" / "model.safetensors")
    assert not (folder / "config.json").samefile(run / "checkpoint-40" / "config.json")  # people edit this one


def test_a_full_checkpoint_can_come_home_in_16_bit(run, tmp_path):
    assert load(merge(run / "checkpoint-40", None, tmp_path / "home", dtype="bfloat16")).dtype == torch.bfloat16


def test_a_base_that_moved_is_asked_for_and_nothing_is_left_behind(run, tmp_path):
    with pytest.raises(UserError, match="Name the folder or the Hub id of the model") as caught:
        merge(run / "checkpoint-20", tmp_path / "gone", tmp_path / "merged")
    assert "gone" in caught.value.what
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", [{"hidden_size": 64}, {"num_hidden_layers": 1}])
def test_an_adapter_of_another_base_is_refused(run, tmp_path, shape):
    tiny_model(tiny_tokenizer(), **shape).save_pretrained(tmp_path / "base")
    with pytest.raises(UserError, match="does not fit this base model"):
        merge(run / "checkpoint-20", tmp_path / "base", tmp_path / "merged")
    assert [file.name for file in tmp_path.iterdir()] == ["base"]


def test_a_folder_with_something_in_it_is_not_overwritten(run, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty"):
        merge(run / "checkpoint-20", run / "base", tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_an_empty_folder_may_be_used(run, tmp_path):
    (tmp_path / "merged").mkdir()
    assert (merge(run / "checkpoint-40", None, tmp_path / "merged") / "config.json").is_file()


def test_a_disk_that_fills_up_is_said_in_words_and_nothing_is_left_behind(run, tmp_path):
    with disk_of(50_000), pytest.raises(UserError, match=r"disk of .* is full"):
        merge(run / "checkpoint-20", run / "base", tmp_path / "merged")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_too_small_is_known_before_writing(run, tmp_path, monkeypatch):
    small = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: small)
    with pytest.raises(UserError, match=r"0\.0 GB are free"):
        merge(run / "checkpoint-20", run / "base", tmp_path / "merged")
    assert list(tmp_path.iterdir()) == []


def test_progress_names_what_is_being_done(run, tmp_path):
    said: list[str] = []
    merge(run / "checkpoint-20", run / "base", tmp_path / "merged", progress=said.append)
    assert said == ["merging part 1 of 1"]


def test_what_only_peft_can_merge_is_said_to_be_merged_in_memory(run, tmp_path):
    adapter = shutil.copytree(run / "checkpoint-20", tmp_path / "adapter")
    how = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps(how | {"alpha_pattern": {"q_proj": 4}}))
    said: list[str] = []
    merge(adapter, run / "base", tmp_path / "merged", progress=said.append)
    assert said[0] == "merging in memory: its adapter has alpha_pattern."
    assert said[1] == "loading the model" and "merging layer 14 of 14" in said and said[-1] == "writing"
