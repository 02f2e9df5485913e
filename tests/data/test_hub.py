"""Datasets of the Hub are streamed, here from a Hub of our own on this machine, by a process that knows no other."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dfgui.data.sources import open_source
from dfgui.errors import UserError
from dfgui.settings import load
from tests.data.rows import deepfabric, jsonl
from tests.hub import serving

ROOT = Path(__file__).parents[2]
CITIES = ["Oslo", "Rome", "Lima"]

ASK = """
import json
from dfgui import settings
from dfgui.data.sources import open_source
from dfgui.errors import UserError

home = settings.load(jailed=False)

def refused(ask):
    try:
        return ask()
    except UserError as error:
        return str(error)

def first(name, config=None, split="train"):
    return refused(lambda: open_source(name, home, config, split).head(1))

source = open_source("hf:o/tiny", home)
print(json.dumps({
    "rows": [row.raw for row in source.rows()],
    "third": source.row(3).raw,
    "count": source.count(),
    "size": source.size(),
    "beyond": refused(lambda: source.row(4)),
    "name": first("hf:o/none"),
    "gated": first("hf:o/gated"),
    "split": first("hf:o/tiny", split="test"),
    "config": first("hf:o/tiny", config="other"),
}))
"""


WANTED = """
import json
from dfgui import settings
from dfgui.config import Data
from dfgui.data import rows
from dfgui.data.sources import dataset

data = Data(source="hf:o/large", where="city = Rome", limit=2)
print(json.dumps([row.number for row in rows.chosen(dataset(data, settings.load(jailed=False)), data)]))
"""


def test_a_dataset_of_the_hub_is_read_no_further_than_the_rows_that_are_wanted(tmp_path):
    """Four files; the second wanted row stands in the second."""
    folder = tmp_path / "large"
    folder.mkdir()
    for part in range(4):
        rows = [{"city": city, "text": f"{part} {city}"} for city in CITIES]
        (folder / f"train-{part}.jsonl").write_text(jsonl(rows))
    env = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    with serving({"o/large": folder}) as hub:
        env |= {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "cache"), "DFGUI_HOME": str(tmp_path / "home")}
        asked = subprocess.run([sys.executable, "-c", WANTED], env=env, capture_output=True, text=True, timeout=120)
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout) == [2, 5]
    assert {"train-0.jsonl", "train-1.jsonl"} <= set(hub.asked)
    assert "train-3.jsonl" not in hub.asked


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub")
    (folder / "train.jsonl").write_text(jsonl([deepfabric(city) for city in CITIES]))
    env = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    with serving({"o/tiny": folder, "o/gated": folder}, gated={"o/gated"}) as hub:
        env |= {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(folder / "cache"), "DFGUI_HOME": str(folder / "home")}
        asked = subprocess.run([sys.executable, "-c", ASK], env=env, capture_output=True, text=True, timeout=120)
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout)


def test_rows_of_the_hub_are_numbered_and_counted(said):
    assert [row["messages"][0]["content"] for row in said["rows"]] == [f"Weather in {city}?" for city in CITIES]
    assert said["third"] == said["rows"][2]
    assert (said["count"], said["size"]) == (3, None)  # no card says how many, so they were counted
    assert said["beyond"].startswith("There is no row 4. o/tiny has 3 rows.")


def test_what_the_hub_does_not_have_is_said_in_words(said):
    assert said["name"].startswith("There is no dataset o/none on the Hub.")
    assert said["gated"].startswith("o/gated is gated.")
    assert "Available splits: ['train']" in said["split"]
    assert "Available: ['default']" in said["config"]


def test_offline_the_hub_is_refused_at_once(tmp_path):
    with pytest.raises(UserError, match="o/tiny cannot be read while offline"):
        open_source("hf:o/tiny", load(tmp_path / "home", offline=True))


SHOWN = """
from dfgui import settings
from dfgui.data import sources
where = settings.load().with_secrets({"HF_TOKEN": "hf_mine"})
print(len(sources.open_source("hf:o/tiny", where).head(2)))
"""


def test_a_token_given_for_a_visit_is_shown_to_the_hub(tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "train.jsonl").write_text(jsonl([deepfabric(city) for city in CITIES]))
    env = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    with serving({"o/tiny": folder}) as hub:
        env |= {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "cache"), "DFGUI_HOME": str(tmp_path / "home")}
        asked = subprocess.run([sys.executable, "-c", SHOWN], env=env, capture_output=True, text=True, timeout=120)
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.strip() == "2" and hub.tokens == {"hf_mine"}


FOREIGN = """
import json
from dfgui import settings
from dfgui.data.sources import open_source
from dfgui.errors import UserError

home = settings.load()

def first(name):
    try:
        return json.dumps([row.raw for row in open_source("hf:o/" + name, home).head(3)], default=str)
    except UserError as error:
        return str(error)

print(json.dumps({name: first(name) for name in ("told", "untold", "web", "folder", "picture", "own")}))
"""


def card(*files, more=""):
    names = "".join(f"\n    - {file}" for file in files)
    return f"---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path:{names}\n{more}---\n"


def test_a_dataset_that_names_files_of_others_is_not_read(tmp_path):
    """One whose card the Hub tells, one whose card it does not; the web; a folder here of that name; a picture."""
    secret = tmp_path / "secret.txt"
    secret.write_text("of this machine alone\n")
    told = {"configs": [{"config_name": "default", "data_files": [{"split": "train", "path": ["a.txt", str(secret)]}]}]}
    features = "dataset_info:\n  features:\n  - name: look\n    dtype: image\n"
    with serving({}) as web:
        cards = {
            "told": card("a.txt", secret),
            "untold": card("a.txt", secret),
            "web": card("a.txt", f"{web.endpoint}/x.txt"),
            "folder": "",
            "picture": card("a.jsonl", more=features),
            "own": card("a.txt"),
        }
        repos = {f"o/{name}": tmp_path / "hub" / name for name in cards}
        for name, text in cards.items():
            folder = repos[f"o/{name}"]
            folder.mkdir(parents=True)
            (folder / "a.txt").write_text("a row of its own\n")
            (folder / "a.jsonl").write_text(json.dumps({"look": {"path": str(secret), "bytes": None}}) + "\n")
            (folder / "README.md").write_text(text)
        (tmp_path / "o" / "folder").mkdir(parents=True)
        (tmp_path / "o" / "folder" / "b.txt").write_text("of this machine alone\n")
        with serving(repos) as hub:
            hub.told = {
                "o/told": {"cardData": told},
                "o/web": {"cardData": {"configs": [{"data_files": web.endpoint}]}},
            }
            env = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
            env |= {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf"), "DFGUI_HOME": str(tmp_path / "home")}
            env |= {"PYTHONPATH": str(ROOT)}
            command = [sys.executable, "-c", FOREIGN]
            asked = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert asked.returncode == 0, asked.stderr
    said = json.loads(asked.stdout.splitlines()[-1])
    assert "of this machine alone" not in asked.stdout
    assert web.asked == []
    for name in ("told", "untold", "web", "folder"):
        assert said[name].startswith(f"o/{name} is not read. It names a file that is not its own"), said[name]
    assert "a row of its own" in said["own"]
    assert json.loads(said["picture"]) == [{"look": {"bytes": None, "path": str(secret)}}]  # as written, never opened
