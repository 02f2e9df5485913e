"""A merge in a process of its own: what it says arrives, what it refuses is refused, and it ends when nobody waits."""

import os
import signal

import psutil
import pytest

from dfgui.artifacts import apart, merge
from dfgui.errors import UserError
from dfgui.words import memory


def forever():
    return True


def merging():
    """The processes that merge for this one."""
    return [one for one in psutil.Process().children() if "dfgui.artifacts.apart" in one.cmdline()]


def test_it_says_what_it_does_and_leaves_the_merged_folder(run, tmp_path):
    said = []
    apart.merge(run / "checkpoint-20", run / "base", tmp_path / "merged", "float32", "weather", said.append, forever)
    assert said == ["merging part 1 of 1"]
    assert {"config.json", "model.safetensors", "USAGE.md"} <= {file.name for file in (tmp_path / "merged").iterdir()}


def test_what_it_refuses_is_refused_in_its_words(run, tmp_path):
    with pytest.raises(UserError, match="cannot be loaded") as caught:
        apart.merge(run / "checkpoint-20", tmp_path / "gone", tmp_path / "merged", "float32", "w", print, forever)
    assert "Name the folder" in caught.value.do
    assert list(tmp_path.iterdir()) == []


def test_it_ends_when_nobody_waits_for_it_and_leaves_nothing(run, tmp_path):
    heard = []
    with pytest.raises(UserError, match="was cancelled"):
        apart.merge(
            run / "checkpoint-20", run / "base", tmp_path / "merged", "float32", "w", heard.append, lambda: not heard
        )
    assert merging() == []
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_killed_is_explained(run, tmp_path):
    def kill(said):
        os.kill(merging()[0].pid, signal.SIGKILL)

    with pytest.raises(UserError, match="without a word") as caught:
        apart.merge(run / "checkpoint-20", run / "base", tmp_path / "merged", "float32", "w", kill, forever)
    assert "too much memory" in caught.value.why


def test_a_model_that_has_to_be_whole_in_memory_is_refused_where_it_does_not_fit(run, tmp_path, monkeypatch):
    small = psutil.virtual_memory()._replace(available=1000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: small)
    with pytest.raises(UserError, match=f"and {memory(1000)} are free"):
        merge.merge(run / "checkpoint-40", None, tmp_path / "merged", "bfloat16")
    assert list(tmp_path.iterdir()) == []
