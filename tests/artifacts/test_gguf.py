"""A checkpoint as a GGUF file: the converter is found or asked for, and what it wrote is the model, or thrown away.

A stand-in writes here; where DFGUI_LLAMA_CPP names a checkout of llama.cpp, its own converter does so as well.
"""

import json
import os
import shutil
from pathlib import Path

import psutil
import pytest

from dfgui.artifacts import converting, gguf
from dfgui.errors import UserError
from tests.artifacts.standin_converter import standin
from tests.tiny import tiny_adapter

LLAMA_CPP = os.environ.get("DFGUI_LLAMA_CPP")


def write(checkout, checkpoint, base, to, dtype="float16", said=None, going=None):
    found = gguf.require(checkout)
    hear = said.append if said is not None else None
    return gguf.export_gguf(checkpoint, base, to, dtype, found, "float32", "weather", hear, going)


def converters():
    return [one for one in psutil.Process().children() if "dfgui.artifacts.converting" in one.cmdline()]


def test_the_converter_is_found_in_a_checkout_or_on_path(tmp_path, monkeypatch):
    checkout = standin(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gguf.find(checkout) == checkout / "convert_hf_to_gguf.py"
    assert gguf.find(tmp_path / "elsewhere") is None
    assert gguf.find(None) is None
    (checkout / "convert_hf_to_gguf.py").chmod(0o755)
    monkeypatch.setenv("PATH", str(checkout))
    assert gguf.find(None) == checkout / "convert_hf_to_gguf.py"


def test_without_it_the_lines_that_get_it_are_told(tmp_path):
    with pytest.raises(UserError, match="is not here") as refused:
        gguf.require(tmp_path)
    assert "git clone" in refused.value.do and "pip install gguf" in refused.value.do
    assert str(tmp_path) in refused.value.why


@pytest.mark.parametrize(("dtype", "checkpoint"), [("float16", "checkpoint-20"), ("q8_0", "checkpoint-40")])
def test_a_folder_has_the_file_a_modelfile_and_how_to_use_it(run, tmp_path, dtype, checkpoint):
    said = []
    told = write(standin(tmp_path), run / checkpoint, run / "base", tmp_path / "weather", dtype, said)
    file = f"weather-{dtype}.gguf"
    assert told["files"] == sorted(["Modelfile", "USAGE.md", file])
    assert {one.name for one in (tmp_path / "weather").iterdir()} == set(told["files"])
    assert (tmp_path / "weather" / "Modelfile").read_text() == f'FROM ./{file}\nPARAMETER stop "<|im_end|>"\n'
    assert file in (tmp_path / "weather" / "USAGE.md").read_text()
    assert "writing 4 bytes of 4 bytes" in said and said[-1] == "reading it back"


def test_a_file_that_is_another_model_is_thrown_away(run, tmp_path):
    checkout = standin(tmp_path, "tensors.popitem()")
    with pytest.raises(UserError, match="is not the model that it was made from") as refused:
        write(checkout, run / "checkpoint-20", run / "base", tmp_path / "weather")
    assert refused.value.why.startswith("Its numbers differ: ")
    assert list(tmp_path.iterdir()) == [checkout]


@pytest.mark.parametrize(
    ("what", "read", "why"),
    [
        ("chat template", "another", "Its chat template differs."),
        ("tokens", 7, "Its tokens differ: 7 and not "),
        ("layers", 9, "Its layers differ: 9 and not 2."),
        ("kind of file", 0, "Its kind of file differs: 0 and not 1."),
    ],
)
def test_a_file_is_held_against_the_model_that_it_was_made_from(run, what, read, why):
    wanted = converting.expected(run / "checkpoint-40", "float16")
    converting.prove(wanted, wanted)
    with pytest.raises(UserError) as refused:
        converting.prove({**wanted, what: read}, wanted)
    assert refused.value.why.startswith(why)


@pytest.mark.parametrize(
    ("errs", "what", "do"),
    [
        (
            "raise NotImplementedError('BPE pre-tokenizer was not recognized - update get_vocab_base_pre()')",
            "does not know the tokenizer",
            "Take the merged model",
        ),
        ("import nobody_has_this", "needs nobody_has_this", "pip install nobody_has_this"),
        ("import logging; logging.error('Model Odd is not supported'); sys.exit(1)", "did not take", "newer llama.cpp"),
    ],
)
def test_what_the_converter_refuses_is_refused_in_words(run, tmp_path, errs, what, do):
    checkout = standin(tmp_path, errs)
    with pytest.raises(UserError, match=what) as refused:
        write(checkout, run / "checkpoint-20", run / "base", tmp_path / "weather")
    assert do in refused.value.do
    assert "Odd" not in errs or refused.value.why == "Model Odd is not supported"
    assert list(tmp_path.iterdir()) == [checkout]


def test_it_ends_when_nobody_waits_for_it_and_leaves_nothing(run, tmp_path):
    checkout, said = standin(tmp_path, "time.sleep(60)"), []
    with pytest.raises(UserError, match="was cancelled"):
        write(
            checkout, run / "checkpoint-20", run / "base", tmp_path / "weather", said=said,
            going=lambda: "converting" not in said,
        )  # fmt: skip
    assert converters() == []
    assert list(tmp_path.iterdir()) == [checkout]


def test_code_that_a_model_names_is_not_run_by_the_converter_either(run, tmp_path):
    full = shutil.copytree(run / "checkpoint-40", tmp_path / "checkpoint-40")
    named = {"auto_map": {"AutoConfig": "somebody/else--code.Config", "AutoTokenizer": ["somebody/else--code.T", None]}}
    for name in ("config.json", "tokenizer_config.json"):
        (full / name).write_text(json.dumps(json.loads((full / name).read_text()) | named))
    look = "assert not [f for f in asked.model.glob('*.json') if 'somebody' in f.read_text()], 'code is named'"
    write(standin(tmp_path, look), full, run / "base", tmp_path / "weather")
    assert "somebody" in (full / "config.json").read_text()  # the checkpoint stays as it is


def test_a_model_without_a_mark_that_ends_an_answer_has_no_stop():
    assert gguf.modelfile("weather.gguf", "") == "FROM ./weather.gguf\n"


if LLAMA_CPP:

    @pytest.fixture(scope="module")
    def known(tmp_path_factory):
        """(a base that llama.cpp knows, a checkpoint with an adapter on it)."""
        from transformers import AutoModelForCausalLM, AutoTokenizer

        from tests.artifacts.known_words import known_folder

        folder = tmp_path_factory.mktemp("known")
        base = known_folder(Path(LLAMA_CPP), folder / "base")
        tiny_adapter(AutoModelForCausalLM.from_pretrained(base)).save_pretrained(folder / "checkpoint-4")
        AutoTokenizer.from_pretrained(base).save_pretrained(folder / "checkpoint-4")
        (folder / "checkpoint-4" / "trainer_state.json").write_text('{"global_step": 4}')
        return base, folder / "checkpoint-4"

    @pytest.mark.parametrize("dtype", ["float16", "q8_0"])
    def test_llama_cpp_itself_converts_what_it_knows(known, tmp_path, dtype):
        base, checkpoint = known
        write(Path(LLAMA_CPP), checkpoint, base, tmp_path / "weather", dtype)
        found = converting.read(tmp_path / "weather" / f"weather-{dtype}.gguf")
        assert (found["layers"], found["width"], found["tokens"]) == (2, 32, 151936)
        assert found["chat template"] == (checkpoint / "chat_template.jinja").read_text()

    def test_llama_cpp_itself_refuses_a_tokenizer_that_it_does_not_know(run, tmp_path):
        with pytest.raises(UserError, match="does not know the tokenizer"):
            write(Path(LLAMA_CPP), run / "checkpoint-20", run / "base", tmp_path / "weather")
