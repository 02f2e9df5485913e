"""A process of our own is asked and tells by pipes, is ended at any moment, and does not outlive whoever began it."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from dfgui import child
from dfgui.errors import UserError

ROOT = Path(__file__).parents[1]
CANCELLED = UserError("It was cancelled.", "Somebody asked.", "Ask again.")


def sleep(seconds, say=print, going=lambda: True, **more):
    return child.run("tests.sleeping", {"seconds": seconds}, say, going, CANCELLED, "The sleep", **more)


def gone(pid, seconds=10):
    until = time.monotonic() + seconds
    while psutil.pid_exists(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not psutil.pid_exists(pid)


def test_it_answers_and_what_a_library_prints_is_no_answer():
    said = []
    assert sleep(0, said.append) == {"slept": 0}
    assert len(said) == 1 and gone(int(said[0]))


def test_it_ends_as_soon_as_nobody_waits():
    said = []
    began = time.monotonic()
    with pytest.raises(UserError, match="was cancelled"):
        sleep(60, said.append, lambda: not said)
    assert gone(int(said[0])) and time.monotonic() - began < 30


def test_names_of_the_environment_that_are_not_its_business_are_kept_from_it(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_somebody_elses")
    seen = []
    look = lambda said: seen.append(psutil.Process(int(said)).environ())  # noqa: E731
    sleep(0.5, look, without=("HF_TOKEN",), more={"DFGUI_TOLD": "yes"})
    assert "HF_TOKEN" not in seen[0] and seen[0]["DFGUI_TOLD"] == "yes"


def test_it_goes_when_whoever_began_it_is_killed():
    code = "from tests.test_child import sleep; sleep(60, lambda said: print(said, flush=True))"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.kill()
    assert gone(pid)
