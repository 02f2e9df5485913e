"""A checkpoint reaches a Hub, adapter or merged, with a card that says what is known and no path of this machine."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from dfgui import settings
from dfgui.artifacts import card
from dfgui.store import Store, Writer
from tests.browser.runs import run_with_adapter
from tests.hub_writing import taking

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def hub():
    with taking() as hub:
        yield hub


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """(home, run): a run of the demo with a curve and a score."""
    home = tmp_path_factory.mktemp("home")
    settings.load(home=home)
    run = run_with_adapter(home, "weather", std=0.01)
    store = Store(home / "dfgui.db")
    with Writer(store.path, run) as writer:
        for step in range(1, 31):
            writer.log(step, {"loss": 3 - step / 20})
        writer.log(20, {"eval_loss": 2.25})
        writer.facts(train_rows=540, engine="TRL 1.14.2")
    for step, right in ((0, 3), (20, 61)):
        store.scores.begin(run, step, 63)
        store.scores.finish(run, step, right, [])
    return home, run


def push(hub, ran, *words, token="hf_mine"):
    home, run = ran
    env = {**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0"}
    env |= {"HF_TOKEN": token} if token else {}
    for name in () if token else ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        env.pop(name, None)
    command = [sys.executable, "-m", "dfgui", "push", run, "--checkpoint", "20", *words, "--home", str(home), "--json"]
    env["HF_HOME"] = str(home / "hf")
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300)
    return done.returncode, json.loads(done.stdout), done.stderr


def head_of(text):
    """The YAML before a card, and the card."""
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body


def test_an_adapter_arrives_whole_and_private_with_its_card(hub, ran):
    code, answer, said = push(hub, ran, "--as", "adapter", "--repo", "me/weather-lora")
    assert (code, answer["url"]) == (0, f"{hub.endpoint}/me/weather-lora"), said
    files = hub.files["me/weather-lora"]
    assert (
        set(answer["files"])
        == set(files)
        >= {"adapter_model.safetensors", "adapter_config.json", "README.md", "USAGE.md"}
    )
    kept = ran[0] / "runs" / ran[1] / "checkpoint-20" / "adapter_model.safetensors"
    assert files["adapter_model.safetensors"] == kept.read_bytes()
    assert hub.private["me/weather-lora"] is True and hub.tokens == {"hf_mine"}
    assert hub.messages[-1] == "Checkpoint 20 of weather"
    head, body = head_of(files["README.md"].decode())
    assert (head["library_name"], head["pipeline_tag"]) == ("peft", "text-generation") and "lora" in head["tags"]
    assert "540 rows of `demo` by TRL 1.14.2" in body and "step 20" in body
    assert "| 20 | 2.00 | 2.25 |" in body and "| 30 |" not in body  # what came after the checkpoint is not its own
    assert "| base model | 3 of 63 |" in body and "| 20 | 61 of 63 |" in body
    assert "source: demo" in body
    assert list((ran[0] / "exports").glob("*/*")) == []


def test_a_merged_model_arrives_for_everybody_if_asked(hub, ran):
    code, _, said = push(hub, ran, "--as", "merged", "--repo", "me/weather", "--public")
    assert code == 0, said
    files = hub.files["me/weather"]
    assert {"model.safetensors", "config.json", "tokenizer.json", "README.md"} <= set(files)
    assert hub.private["me/weather"] is False
    assert head_of(files["README.md"].decode())[0]["library_name"] == "transformers"
    assert "merging part 1 of 1" in said and "uploading" in said


@pytest.mark.parametrize(
    ("repo", "token", "what", "do"),
    [
        ("somebody/weather", "hf_mine", "did not let this account write somebody/weather", "a token that may write"),
        ("me/weather", None, "has to know who you are", "Set HF_TOKEN"),
        ("me/no such name", "hf_mine", "is no name for a repository", "Choose another name"),
    ],
)
def test_what_the_hub_refuses_is_said_in_words_and_nothing_is_left(hub, ran, repo, token, what, do):
    code, answer, _ = push(hub, ran, "--as", "adapter", "--repo", repo, token=token)
    assert code == 2 and what in answer["error"]["what"] and do in answer["error"]["do"]
    assert list((ran[0] / "exports").glob("*/*")) == []


def test_a_hub_that_is_not_there_is_said_in_words(ran):
    with taking() as hub:
        pass
    code, answer, _ = push(hub, ran, "--as", "adapter", "--repo", "me/weather")
    assert (code, answer["error"]["what"]) == (2, "The Hub cannot be reached.")


ABOUT = card.About(
    name="weather", kind="adapter", step=60, base="Qwen/Qwen3-0.6B", base_on_hub=True, revision="abc",
    data="rows.jsonl", method="lora", rows=None, settings="method: lora\n",
)  # fmt: skip


def test_a_card_says_what_is_known_and_nothing_else():
    head, body = head_of(card.text(ABOUT))
    assert head["base_model"] == "Qwen/Qwen3-0.6B" and "license" not in head
    assert "at commit `abc`" in body and "rows of" not in body
    assert "## Loss" not in body and "## Tool calls" not in body and "## Settings" in body
    licensed = head_of(card.text(replace(ABOUT, licence="apache-2.0")))
    assert licensed[0]["license"] == "apache-2.0" and "apache-2.0" in licensed[1]


def test_a_long_curve_is_told_in_a_few_points_the_last_among_them():
    losses = [[step, 1 / step] for step in range(1, 1001)]
    rows = [line for line in card.text(replace(ABOUT, losses=losses)).splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + card.FEW and rows[-1] == "| 1,000 | 1e-3 | – |"


def test_a_licence_is_read_from_the_card_of_the_base(tmp_path):
    assert card.licence_of(tmp_path) is None
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n# A model\n")
    assert card.licence_of(tmp_path) == "mit"
    (tmp_path / "README.md").write_text("---\n: [\n---\n")
    assert card.licence_of(tmp_path) is None
