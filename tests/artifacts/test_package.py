import io
import zipfile

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from dfgui.artifacts import package
from dfgui.artifacts.export import adapter_extras
from dfgui.artifacts.merge import merge

STATE = {"optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin", "trainer_state.json"}


def unzipped(pieces, to):
    zipfile.ZipFile(io.BytesIO(b"".join(pieces))).extractall(to)
    (top,) = to.iterdir()
    return top


def test_optimizer_state_pickles_and_unfilled_forms_stay_at_home(run):
    for checkpoint in ("checkpoint-20", "checkpoint-40"):
        names = {file.name for file in package.files_of(run / checkpoint)}
        assert not names & {*STATE, "README.md"}
        assert {"tokenizer.json", "chat_template.jinja"} <= names


def test_an_unzipped_adapter_loads_on_its_base(run, tmp_path):
    extra = adapter_extras(run / "checkpoint-20", run / "base", "weather")
    top = unzipped(package.stream(run / "checkpoint-20", extra, "weather lora/1"), tmp_path)
    assert top.name == "weather-lora-1"
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(run / "base"), top)
    assert torch.equal(
        model.state_dict()["base_model.model.model.layers.0.mlp.up_proj.lora_B.default.weight"],
        PeftModel.from_pretrained(
            AutoModelForCausalLM.from_pretrained(run / "base"), run / "checkpoint-20"
        ).state_dict()["base_model.model.model.layers.0.mlp.up_proj.lora_B.default.weight"],
    )
    assert AutoTokenizer.from_pretrained(top).chat_template


def test_an_unzipped_merged_model_loads_and_its_usage_runs_as_it_stands(run, tmp_path, monkeypatch, capsys):
    folder = merge(run / "checkpoint-20", run / "base", tmp_path / "merged", name="weather")
    top = unzipped(package.stream(folder, name="weather"), tmp_path / "home")
    assert AutoModelForCausalLM.from_pretrained(top).config.model_type == "qwen3"
    page = (top / "USAGE.md").read_text()
    assert "# How to use weather" in page
    assert AutoTokenizer.from_pretrained(top).chat_template.rstrip() in page
    code = page.split("````python\n")[1].split("````")[0]
    monkeypatch.chdir(top)
    exec(code, {})
    assert capsys.readouterr().out.strip()


def test_the_size_is_known_to_the_byte_before_a_byte_is_sent(run):
    extra = {"USAGE.md": b"read me\n" * 500}
    for checkpoint in ("checkpoint-20", "checkpoint-40"):
        sent = b"".join(package.stream(run / checkpoint, extra, "weather"))
        assert package.zip_size(run / checkpoint, extra, "weather") == len(sent)


def test_what_is_added_takes_the_place_of_a_file_of_that_name(run):
    sent = b"".join(package.stream(run / "checkpoint-20", {"adapter_config.json": b"{}"}, "weather"))
    zipped = zipfile.ZipFile(io.BytesIO(sent))
    assert zipped.read("weather/adapter_config.json") == b"{}"
    assert len(zipped.namelist()) == len(set(zipped.namelist()))


def test_a_file_of_more_than_two_gigabytes_streams_in_constant_memory(tmp_path):
    import psutil

    folder = tmp_path / "big"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    with (folder / "model.safetensors").open("wb") as weights:
        weights.truncate((1 << 31) + 5)  # sparse: takes no space
    before = psutil.Process().memory_info().rss
    most = total = 0
    tail = b""
    for piece in package.stream(folder):
        total += len(piece)
        most = max(most, len(piece))
        tail = (tail + piece)[-4096:]
    assert most <= package.PIECE + 1000
    assert psutil.Process().memory_info().rss - before < 50e6
    assert package.zip_size(folder) == total
    assert zipfile.is_zipfile(io.BytesIO(tail))


def test_links_out_of_the_folder_are_not_followed(run, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer.json").symlink_to(secret)
    assert [file.name for file in package.files_of(folder)] == ["config.json"]
