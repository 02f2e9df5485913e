"""Models that the Hub's client keeps on this machine, found without asking anybody."""

import json
import shutil

import pytest

from tests.hub import COMMIT, answer, serving
from tests.tiny import tiny_folder

HERE = """
from dfgui.models import cache
print(json.dumps([[one.id, one.folder.name, one.bytes] for one in cache.all_of()]))
"""
FETCH = """
from dfgui import config
from dfgui.models import load
print(json.dumps(load.fetch(config.Model(name="me/tiny"), settings)))
"""
SIZE = """
from dfgui import config
from dfgui.models import load
print(json.dumps(load.weights_size(config.Model(name="me/tiny"), settings)))
"""


@pytest.fixture
def folder(tmp_path):
    return tiny_folder(tmp_path / "repo")


def test_a_model_that_was_fetched_is_listed_with_its_size_also_offline(folder, tmp_path):
    with serving({"me/tiny": folder}) as hub:
        answer(FETCH, hub, tmp_path)
    weights = (folder / "model.safetensors").stat().st_size
    assert answer(HERE, None, tmp_path, HF_HUB_OFFLINE="1") == [["me/tiny", COMMIT, weights]]


def test_nothing_is_listed_where_nothing_is(tmp_path):
    assert answer(HERE, None, tmp_path) == []


def test_a_tokenizer_alone_and_a_model_that_writes_no_text_are_not_listed(folder, tmp_path):
    other = shutil.copytree(folder, tmp_path / "other")
    config = json.loads((other / "config.json").read_text()) | {"architectures": ["BertForMaskedLM"]}
    (other / "config.json").write_text(json.dumps(config))
    words = FETCH.replace("load.fetch", "load.folder_of_words")
    with serving({"me/tiny": folder, "me/bert": other}) as hub:
        answer(words, hub, tmp_path)
        answer(FETCH.replace("me/tiny", "me/bert"), hub, tmp_path)
    assert answer(HERE, None, tmp_path) == []


def test_a_model_of_which_a_part_is_missing_is_fetched_at_the_start_and_not_refused(folder, tmp_path):
    with serving({"me/tiny": folder}) as hub:
        snapshot = answer(FETCH, hub, tmp_path)
        index = {"weight_map": {"a": "model.safetensors", "b": "model-00002.safetensors"}}
        (
            tmp_path / "hf" / "hub" / "models--me--tiny" / "snapshots" / COMMIT / "model.safetensors.index.json"
        ).write_text(json.dumps(index))
        assert snapshot.endswith(COMMIT)
        assert answer(SIZE, hub, tmp_path) is None
    assert answer(HERE, None, tmp_path) == []
