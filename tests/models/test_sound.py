"""Models that are broken, or mean harm, are refused in words before anything of them is trained on."""

import json
import shutil

import pytest
from safetensors.torch import load_file, save_file

from dfgui import config, settings
from dfgui.errors import UserError
from dfgui.models import base, headers, load
from dfgui.models.headers import INDEX
from tests.tiny import tiny_folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return tiny_folder(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "model")


@pytest.fixture
def where(tmp_path):
    return settings.load(home=tmp_path / "home", jailed=False)


def refused(folder, where):
    """What it is refused with: before the start, or when its weights are loaded."""
    with pytest.raises(UserError) as caught:
        load.weights(load.fetch(config.Model(name=str(folder)), where), "float32")
    assert str(folder) in caught.value.what
    return str(caught.value)


def change(folder, **values):
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def index(folder, place):
    names = headers.tensors(folder / "model.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": dict.fromkeys(names, place)}))


def test_a_whole_model_loads(folder, where):
    assert load.weights(load.fetch(config.Model(name=str(folder)), where), "float32")


@pytest.mark.parametrize("place", ["../elsewhere.safetensors", "/etc/passwd", "parts/one.safetensors"])
def test_an_index_that_names_a_file_elsewhere(folder, where, place):
    index(folder, place)
    assert "no file of this folder" in refused(folder, where)


def test_an_index_that_names_a_file_that_is_missing(folder, where):
    index(folder, "model-00002-of-00002.safetensors")
    assert "model-00002-of-00002.safetensors is missing" in refused(folder, where)


@pytest.mark.parametrize("text", ["{", "[]", '{"weight_map": 3}'])
def test_an_index_that_cannot_be_read(folder, where, text):
    (folder / "model.safetensors.index.json").write_text(text)
    assert "cannot be read" in refused(folder, where)


def test_a_file_that_is_cut_short(folder, where):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    assert "model.safetensors is cut short" in refused(folder, where)


def test_a_header_that_promises_more_than_there_is(folder, where):
    (folder / "model.safetensors").write_bytes(b"\xff" * 8 + b"{}")
    assert "cut short or is no safetensors file" in refused(folder, where)


def test_weights_that_are_missing_are_not_begun_at_random(folder, where):
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.0.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    assert "lack model.layers.0.mlp.up_proj.weight" in refused(folder, where)


def test_weights_of_other_shapes(folder, where):
    change(folder, hidden_size=48)
    assert "other shapes" in refused(folder, where)


def test_a_model_that_brings_code_is_not_run(folder, where, tmp_path):
    (folder / "own.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')")
    change(folder, model_type="own", auto_map={"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"})
    assert "brings code of its own" in refused(folder, where)
    assert not (tmp_path / "run").exists()


def test_a_link_out_of_what_a_visitor_may_read(folder, where, tmp_path):
    outside = shutil.move(folder / "model.safetensors", tmp_path / "secret.safetensors")
    (folder / "model.safetensors").symlink_to(outside)
    visitor = settings.load(home=tmp_path / "home", allowed=[folder])
    with pytest.raises(UserError, match="outside the folders this page may read"):
        load.weights_size(config.Model(name=str(folder)), visitor)
    assert load.weights_size(config.Model(name=str(folder)), where)  # on the command line it is one's own machine


@pytest.mark.parametrize("index", ["{", "[]", '{"weight_map": 3}'])
def test_an_index_that_was_broken_since_is_told_in_words_wherever_it_is_read(tmp_path, index):
    (tmp_path / INDEX).write_text(index)
    for read in (headers.files, headers.dtypes, base.fingerprint):
        with pytest.raises(UserError, match="cannot be loaded"):
            read(tmp_path)
