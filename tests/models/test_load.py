"""From the name a person picked to a tokenizer and weights, with a Hub on loopback in place of the real one."""

import json
import shutil
import subprocess
import sys

import pytest
from transformers import AutoModelForCausalLM

from dfgui import config, settings
from dfgui.errors import UserError
from dfgui.models import load
from tests.hub import serving
from tests.tiny import tiny_adapter, tiny_folder

# huggingface_hub reads its endpoint when it is imported, so each question is asked in a process of its own.
ASK = """
import json, sys
from dfgui import config, settings
from dfgui.errors import UserError
from dfgui.models import load
from pathlib import Path
where, model, seen = settings.load(home=sys.argv[1]), config.Model(name=sys.argv[3]), []
try:
    if sys.argv[2] == "tokenizer":
        answer = len(load.tokenizer(model, where))
    elif sys.argv[2] == "size":
        answer = load.weights_size(model, where)
    else:
        answer = Path(load.fetch(model, where, lambda done, total: seen.append([done, total]))).name
    print(json.dumps({"answer": answer, "seen": seen}))
except UserError as error:
    print(json.dumps({"error": error.to_dict()}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture
def where(tmp_path):
    return settings.load(home=tmp_path / "home")


def ask(tmp_path, what, name, endpoint="http://127.0.0.1:9", **environment):
    variables = {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "hf"), "PATH": "/usr/bin:/bin", **environment}
    answer = subprocess.run(
        [sys.executable, "-c", ASK, str(tmp_path / "home"), what, name],
        env=variables,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout.strip().splitlines()[-1])


def test_looking_at_data_fetches_the_tokenizer_and_no_weights(folder, tmp_path):
    with serving({"me/tiny": folder}) as hub:
        assert ask(tmp_path, "tokenizer", "me/tiny", hub.endpoint)["answer"] > 100
    assert "tokenizer.json" in hub.asked
    assert [name for name in hub.asked if name.endswith(".safetensors")] == []


def test_fetching_weights_counts_their_bytes(folder, tmp_path):
    with serving({"me/tiny": folder}) as hub:
        got = ask(tmp_path, "weights", "me/tiny", hub.endpoint)
    weights = (folder / "model.safetensors").stat().st_size
    assert "model.safetensors" in hub.asked
    done, total = got["seen"][-1]
    assert done == total > weights


def test_what_is_cached_is_used_while_offline(folder, tmp_path):
    with serving({"me/tiny": folder}) as hub:
        ask(tmp_path, "weights", "me/tiny", hub.endpoint)
    assert ask(tmp_path, "size", "me/tiny", HF_HUB_OFFLINE="1")["answer"] > 0


def test_weights_that_wait_on_the_hub_have_no_size_yet(folder, tmp_path):
    with serving({"me/tiny": folder}) as hub:
        assert ask(tmp_path, "size", "me/tiny", hub.endpoint)["answer"] is None


def test_a_cache_that_another_tool_filled_with_a_tokenizer_only_has_no_weights_yet(folder, tmp_path):
    with serving({"me/tiny": folder}) as hub:
        code = "from transformers import AutoTokenizer; AutoTokenizer.from_pretrained('me/tiny')"
        environment = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf"), "PATH": "/usr/bin:/bin"}
        subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, timeout=120)
        assert ask(tmp_path, "size", "me/tiny", hub.endpoint)["answer"] is None
        assert ask(tmp_path, "weights", "me/tiny", hub.endpoint)["answer"]
        assert ask(tmp_path, "size", "me/tiny", hub.endpoint)["answer"] > 0


def test_a_download_of_which_a_part_is_missing_goes_on_and_is_no_model_while_offline(tmp_path):
    parts = tiny_folder(tmp_path / "model")
    AutoModelForCausalLM.from_pretrained(parts).save_pretrained(parts, max_shard_size=30_000)
    (parts / "model.safetensors").unlink()
    with serving({"me/parts": parts}) as hub:
        assert ask(tmp_path, "weights", "me/parts", hub.endpoint)["answer"]
        size = ask(tmp_path, "size", "me/parts", hub.endpoint)["answer"]
        assert size == sum(file.stat().st_size for file in parts.glob("*.safetensors"))
        gone = next((tmp_path / "hf").rglob("snapshots/*/model-00002*.safetensors"))
        gone.unlink()
        assert ask(tmp_path, "size", "me/parts", hub.endpoint)["answer"] is None
        offline = ask(tmp_path, "size", "me/parts", HF_HUB_OFFLINE="1")
        assert "is not on this machine" in offline["error"]["what"]
        hub.asked.clear()
        assert ask(tmp_path, "weights", "me/parts", hub.endpoint)["answer"]
        assert ask(tmp_path, "size", "me/parts", hub.endpoint)["answer"] == size


def test_the_same_weights_in_another_shape_are_not_fetched(folder, tmp_path):
    twice = shutil.copytree(folder, tmp_path / "twice")
    shutil.copy(twice / "model.safetensors", twice / "consolidated.safetensors")
    with serving({"me/twice": twice}) as hub:
        assert ask(tmp_path, "weights", "me/twice", hub.endpoint)["answer"]
        size = ask(tmp_path, "size", "me/twice", hub.endpoint)["answer"]
    assert [name for name in hub.asked if name.endswith(".safetensors")] == ["model.safetensors"]
    assert size == (twice / "model.safetensors").stat().st_size


def test_an_id_that_is_not_on_the_hub_says_so(folder, tmp_path):
    with serving({"me/tiny": folder}) as hub:
        assert "not on the Hub" in ask(tmp_path, "tokenizer", "me/other", hub.endpoint)["error"]["what"]


def test_a_gated_model_says_how_to_get_in(folder, tmp_path):
    with serving({"me/tiny": folder}, gated={"me/tiny"}) as hub:
        assert "HF_TOKEN" in ask(tmp_path, "tokenizer", "me/tiny", hub.endpoint)["error"]["do"]


@pytest.mark.parametrize("what", ["tokenizer", "size", "weights"])
def test_a_hub_id_while_offline_says_what_to_choose_instead(tmp_path, what):
    assert "demo" in ask(tmp_path, what, "nobody/nothing", HF_HUB_OFFLINE="1")["error"]["do"]


def test_a_folder_without_config_is_not_a_model(where):
    (where.home / "empty").mkdir()
    with pytest.raises(UserError, match=r"config\.json"):
        load.locate(str(where.home / "empty"), where)


def test_a_folder_without_weights_is_named(where, folder):
    (where.home / "bare").mkdir()
    (where.home / "bare" / "config.json").write_bytes((folder / "config.json").read_bytes())
    with pytest.raises(UserError, match="safetensors"):
        load.fetch(config.Model(name=str(where.home / "bare")), where)


def test_pickled_weights_are_not_read(where, folder):
    (where.home / "pickled").mkdir()
    (where.home / "pickled" / "config.json").write_bytes((folder / "config.json").read_bytes())
    (where.home / "pickled" / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(UserError, match="can carry code"):
        load.weights_size(config.Model(name=str(where.home / "pickled")), where)


def test_a_folder_outside_the_jail_is_refused(where, folder):
    with pytest.raises(UserError, match="--allow-folder"):
        load.locate(str(folder), where)


@pytest.mark.parametrize("name", ["~nosuchuser/x", "/a\0b", "x" * 5000, "/" + "y" * 5000], ids=range(4))
def test_what_cannot_be_a_path_is_refused_in_words(where, name):
    if not name.startswith("x"):  # which could be a Hub id
        with pytest.raises(UserError):
            load.locate(name, where)
    with pytest.raises(UserError):
        where.may_read(name)


@pytest.mark.parametrize("name", ["a/b/c", "with space/x", "/", "..", "a//b"])
def test_a_name_that_is_neither_folder_nor_id_is_refused(where, name):
    with pytest.raises(UserError):
        load.locate(name, where)


def test_a_model_loaded_for_an_answer_leaves_the_dice_of_a_run_beside_it_alone(tmp_path, folder):
    import torch

    base, tokenizer = load.trained(folder, str(folder), "float32")
    adapted = tiny_adapter(base)
    adapted.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    before = torch.get_rng_state()
    loaded, _ = load.trained(tmp_path, str(folder), "float32")
    assert torch.equal(torch.get_rng_state(), before)
    asked = tokenizer("Hello", return_tensors="pt")
    with torch.inference_mode():
        assert torch.equal(loaded(**asked).logits, adapted(**asked).logits)


def test_a_token_given_for_a_visit_is_shown_to_the_hub_for_model_and_tokenizer(folder, tmp_path):
    asked = ASK.replace(
        "settings.load(home=sys.argv[1])", 'settings.load(home=sys.argv[1]).with_secrets({"HF_TOKEN": "hf_mine"})'
    )
    for what in ("tokenizer", "weights"):
        with serving({"me/tiny": folder}) as hub:
            environment = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / what), "PATH": "/usr/bin:/bin"}
            command = [sys.executable, "-c", asked, str(tmp_path / "home"), what, "me/tiny"]
            done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=True)
        assert "answer" in json.loads(done.stdout) and hub.tokens == {"hf_mine"}
