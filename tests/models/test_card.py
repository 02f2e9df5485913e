"""What a model is, before it is chosen: of the Hub its small files are fetched, and no weights."""

import json
import shutil

import pytest

from dfgui import settings as settings_module
from dfgui.models import card, demo
from tests.hub import COMMIT, answer, serving
from tests.tiny import tiny_folder

LOOK = """
from dataclasses import asdict
from dfgui.errors import UserError
from dfgui.models import card
try:
    found = card.look("me/tiny", None, settings)
    print(json.dumps(asdict(found) | {"silence": found.silence and found.silence.what, "usable": found.usable}))
except UserError as error:
    print(json.dumps({"error": error.to_dict()}))
"""
FETCH = """
from dfgui import config
from dfgui.models import load
print(json.dumps(load.fetch(config.Model(name="me/tiny"), settings)))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return tiny_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "repo")


def changed(folder, **changes):
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_of_a_model_of_the_hub_only_small_files_are_fetched(folder, tmp_path):
    with serving({"me/tiny": folder}) as hub:
        hub.told["me/tiny"] = {"safetensors": {"parameters": {"F32": 77}, "total": 77}, "cardData": {"license": "mit"}}
        found = answer(LOOK, hub, tmp_path)
    assert set(hub.asked) <= {"config.json", "tokenizer_config.json", "chat_template.jinja"}
    assert (found["parameters"], found["context"], found["licence"]) == (77, 2048, "mit")
    assert found["template"] and found["tools"] and found["usable"] and not found["here"]
    assert found["commit"] == COMMIT
    assert found["bytes"] > (folder / "model.safetensors").stat().st_size  # and the tokenizer


def test_what_is_on_this_machine_is_known_without_the_hub(folder, tmp_path):
    with serving({"me/tiny": folder}) as hub:
        answer(FETCH, hub, tmp_path)
        asked = answer(LOOK, hub, tmp_path)
    silent = answer(LOOK, None, tmp_path)
    offline = answer(LOOK, None, tmp_path, HF_HUB_OFFLINE="1")
    weights = (folder / "model.safetensors").stat().st_size
    assert asked["silence"] is None and asked["here"] and asked["bytes"] == weights
    for found, said in ((silent, "The Hub cannot be reached."), (offline, "The Hub is not asked.")):
        assert (found["silence"], found["here"], found["bytes"], found["commit"]) == (said, True, weights, COMMIT)
        assert found["parameters"] == asked["parameters"] > 10_000 and found["template"]


def test_a_model_that_is_neither_here_nor_asked_for_is_refused_in_words(tmp_path):
    assert answer(LOOK, None, tmp_path)["error"]["what"] == "The Hub cannot be reached."


def test_a_gated_model_opens_to_a_token_that_is_admitted(folder, tmp_path):
    with serving({"me/tiny": folder}, gated={"me/tiny"}) as hub:
        hub.admitted = {"hf_good"}
        closed = answer(LOOK, hub, tmp_path)
        opened = answer('settings = settings.with_secrets({"HF_TOKEN": "hf_good"})\n' + LOOK, hub, tmp_path)
    assert closed["gated"] and closed["closed"] and not closed["usable"] and closed["template"] is None
    assert opened["gated"] and not opened["closed"] and opened["usable"] and opened["template"]


def test_a_model_without_safetensors_cannot_be_used(folder, tmp_path):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with serving({"me/tiny": folder}) as hub:
        found = answer(LOOK, hub, tmp_path)
    assert not found["safetensors"] and not found["usable"]


@pytest.mark.parametrize(
    ("changes", "code", "usable"),
    [
        ({"auto_map": {"AutoConfig": "x.Y"}, "model_type": "acme"}, "needed", False),
        ({"auto_map": {"AutoConfig": "x.Y"}}, "unused", True),
        ({}, "", True),
        ({"architectures": ["BertForMaskedLM"]}, "", False),
    ],
)
def test_code_that_a_model_needs_and_models_that_write_no_text_are_told(folder, tmp_path, changes, code, usable):
    changed(folder, **changes)
    with serving({"me/tiny": folder}) as hub:
        found = answer(LOOK, hub, tmp_path)
    assert (found["code"], found["usable"]) == (code, usable)


@pytest.mark.parametrize(
    ("file", "content", "template", "tools"),
    [
        ("chat_template.jinja", "{% for m in messages %}{% if tools %}{% endif %}{% endfor %}", True, True),
        ("chat_template.jinja", "{% for m in messages %}{{ m }}{% endfor %}", True, False),
        ("tokenizer_config.json", {"chat_template": "{{ tools }}"}, True, True),
        ("tokenizer_config.json", {"chat_template": [{"name": "tool_use", "template": "{{ tools }}"}]}, True, True),
        ("chat_template.json", {"chat_template": "{{ messages }}"}, True, False),
        ("tokenizer_config.json", {}, False, False),
    ],
)
def test_a_chat_template_is_found_wherever_it_is_kept(tmp_path, file, content, template, tools):
    where = settings_module.load(tmp_path / "home")
    folder = where.home / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / file).write_text(content if isinstance(content, str) else json.dumps(content))
    found = card.look(str(folder), None, where)
    assert (found.template, found.tools) == (template, tools)


def test_the_demo_is_known(tmp_path):
    found = card.look("demo", None, settings_module.load(tmp_path / "home"))
    assert found.here and found.usable and found.tools
    assert found.bytes == (demo.BASE / "model.safetensors").stat().st_size
