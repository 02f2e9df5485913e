"""docs/adding-a-format.md and docs/adding-a-method.md, followed to the letter in a copy of dfgui.

A piece of code that follows a path alone on its line is the content of that file; what is indented is a command.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

ROOT = Path(__file__).parents[1]
FILE = re.compile(r"^`([^`\n]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Followed:
    """A copy of dfgui with the files of a page in it, and a folder to work in."""

    def __init__(self, page: str, folder: Path):
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        shutil.copytree(ROOT / "dfgui", folder / "dfgui", ignore=shutil.ignore_patterns("__pycache__"))
        for name, content in FILE.findall(text):
            (folder / name).write_text(content, encoding="utf-8")
        self.folder = folder
        self.commands = re.findall(r"^    python (-m dfgui .+)$", text, re.MULTILINE)

    def run(self, words: str, *more: str, code: int = 0) -> str:
        """What one of the page's commands prints. It ends with this exit code."""
        assert words in self.commands
        env = {**os.environ, "PYTHONPATH": str(self.folder), "DFGUI_HOME": str(self.folder / "home")}
        command = [sys.executable, *shlex.split(words.partition(" > ")[0]), *more]
        done = subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == code, done.stderr[-3000:]
        return done.stdout


@pytest.fixture(scope="module")
def format(tmp_path_factory):
    return Followed("adding-a-format.md", tmp_path_factory.mktemp("format"))


@pytest.fixture(scope="module")
def method(tmp_path_factory):
    return Followed("adding-a-method.md", tmp_path_factory.mktemp("method"))


def test_a_row_of_the_new_format_is_shown_as_the_model_reads_it(format):
    shown = json.loads(format.run("-m dfgui preview rows.jsonl --model demo --row 2", "--json"))
    assert [(turn["role"], turn["content"]) for turn in shown["conversation"]["messages"]] == [
        ("user", "Hi"),
        ("assistant", "Hello!"),
        ("user", "Bye"),
        ("assistant", "Bye."),
    ]
    learned = "".join(token["text"] for token in shown["tokens"] if token["trained"])
    assert "Hello!" in learned and "Hi" not in learned


def test_its_rows_are_checked_and_all_of_them_train(format):
    report = json.loads(format.run("-m dfgui check rows.jsonl --model demo", "--json"))
    assert (report["rows"], report["trainable_rows"]) == (2, 2)


def test_the_settings_name_it(format):
    assert "`text`, `columns`" in (settings := format.run("-m dfgui settings > docs/settings.md"))
    assert "`prompt_completion`, `transcript`, `text`" in settings


def test_the_new_method_trains_its_weights_and_no_other(method):
    ended = json.loads(method.run("-m dfgui train run.yaml", "--json"))
    assert (ended["status"], ended["global_step"]) == ("finished", 2)
    (saved,) = (method.folder / "home" / "runs").glob("*/checkpoint-2/model.safetensors")
    before, after = load_file(method.folder / "dfgui/models/demo/base/model.safetensors"), load_file(saved)
    moved = {name for name, weight in after.items() if not weight.equal(before[name].to(weight.dtype))}
    layers = sorted({int(name.split(".")[2]) for name in before if name.startswith("model.layers.")})
    assert {int(re.search(r"layers\.(\d+)\.", name)[1]) for name in moved} == set(layers[-2:])


def test_unsloth_does_not_know_it(method):
    refused = json.loads(method.run("-m dfgui train run.yaml", "--set", "run.backend=unsloth", "--json", code=2))
    assert "choose TRL for last_layers" in refused["error"]["why"]


def test_the_settings_tell_of_it(method):
    told = method.run("-m dfgui settings method")
    assert "last_layers trains the last two layers and leaves the rest as it is." in told
    assert "lora, full, last_layers" in told


def test_its_script_lets_the_same_weights_learn(method):
    method.run("-m dfgui script run.yaml --to ./as-a-script")
    folder = method.folder / "as-a-script"
    source = (folder / "train.py").read_text(encoding="utf-8")
    assert "from method_last_layers import choose" in source and "    choose(model)" in source
    assert "LoraConfig" not in source
    assert "learning_rate=0.0001" in source
    compile((folder / "method_last_layers.py").read_text(encoding="utf-8"), "method_last_layers.py", "exec")
