"""A download in a process of its own: how far it is, cancelled, broken off, and gone on with."""

import pytest

from tests.hub import answer, serving
from tests.tiny import tiny_folder

BEGIN = """
import os, psutil, time
from dataclasses import asdict
from dfgui.models import cache
from dfgui.models.download import Downloads
downloads = Downloads()
downloads.begin("me/tiny", None, settings)
def state():
    return downloads.of("me/tiny", None)
def until(done):
    end = time.monotonic() + 60
    while not done() and time.monotonic() < end:
        time.sleep(0.05)
"""
WHOLE = (
    BEGIN
    + """
until(lambda: state().state != "running")
now = state()
here = [one.id for one in cache.all_of()]
told = {"state": now.state, "done": now.done, "total": now.total, "begun": cache.begun("me/tiny"), "here": here}
print(json.dumps(told | {"error": now.error and now.error.to_dict()}))
"""
)
CANCELLED = (
    BEGIN
    + """
until(lambda: state().done > 300_000)
(process,) = psutil.Process().children()
downloads.cancel("me/tiny", None)
ended = not process.is_running()
before = cache.begun("me/tiny")
time.sleep(1)
now = state()
print(json.dumps({"state": now.state, "ended": ended, "begun": before, "later": cache.begun("me/tiny")}))
"""
)
FETCH = """
from dfgui import config
from dfgui.models import load
print(json.dumps(load.fetch(config.Model(name="me/tiny"), settings)))
"""
WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_folder(tmp_path_factory.mktemp("model"), hidden_size=128, intermediate_size=512)


@pytest.fixture(scope="module")
def size(folder):
    return (folder / WEIGHTS).stat().st_size


def weights_of(hub):
    return [start for name, start in hub.ranges if name == WEIGHTS]


def test_a_download_counts_its_bytes_and_leaves_a_whole_model(folder, size, tmp_path):
    with serving({"me/tiny": folder}) as hub:
        told = answer(WHOLE, hub, tmp_path)
    assert (told["state"], told["done"], told["total"], told["here"]) == ("done", size, size, ["me/tiny"])
    assert weights_of(hub) == [0] and told["begun"] == 0


def test_a_download_that_broke_off_says_so_and_the_next_asks_for_the_rest_alone(folder, size, tmp_path):
    with serving({"me/tiny": folder}) as hub:
        hub.breaks[WEIGHTS] = size // 2
        broken = answer(WHOLE, hub, tmp_path)
        assert (broken["state"], broken["done"], broken["begun"]) == ("failed", size // 2, size // 2)
        assert broken["error"]["what"] == "The connection broke off." and broken["here"] == []
        hub.breaks.clear()
        hub.ranges.clear()
        told = answer(WHOLE, hub, tmp_path)
    assert (told["state"], told["here"], told["begun"]) == ("done", ["me/tiny"], 0)
    assert weights_of(hub) == [size // 2]
    (blob,) = (one for one in (tmp_path / "hf").rglob("blobs/*") if one.stat().st_size == size)
    assert blob.read_bytes() == (folder / WEIGHTS).read_bytes()


def test_a_run_goes_on_with_a_download_that_broke_off(folder, size, tmp_path):
    with serving({"me/tiny": folder}) as hub:
        hub.breaks[WEIGHTS] = size // 2
        answer(WHOLE, hub, tmp_path)
        hub.breaks.clear()
        hub.ranges.clear()
        answer(FETCH, hub, tmp_path)
    assert weights_of(hub) == [size // 2]


def test_cancelling_ends_the_process_and_keeps_what_has_come(folder, size, tmp_path):
    with serving({"me/tiny": folder}) as hub:
        hub.pause = 0.3
        told = answer(CANCELLED, hub, tmp_path)
        assert told["state"] == "cancelled" and told["ended"]
        assert 300_000 < told["begun"] == told["later"] < size
        hub.pause = 0.0
        hub.ranges.clear()
        assert answer(WHOLE, hub, tmp_path)["state"] == "done"
    assert weights_of(hub) == [told["begun"]]


def test_what_came_earlier_and_is_of_another_file_is_found_out_and_thrown_away(folder, size, tmp_path):
    with serving({"me/tiny": folder}) as hub:
        hub.breaks[WEIGHTS] = size // 2
        answer(WHOLE, hub, tmp_path)
        hub.breaks.clear()
        (part,) = (tmp_path / "hf").rglob("*.incomplete")
        part.write_bytes(b"x" * (size // 2))
        mixed = answer(WHOLE, hub, tmp_path)
        assert (mixed["state"], mixed["begun"]) == ("failed", 0) and "not what the Hub has" in mixed["error"]["what"]
        assert answer(WHOLE, hub, tmp_path)["state"] == "done"


def test_from_a_server_that_knows_no_ranges_it_comes_anew_and_nothing_is_mixed(folder, size, tmp_path):
    with serving({"me/tiny": folder}) as hub:
        hub.breaks[WEIGHTS] = size // 2
        answer(WHOLE, hub, tmp_path)
        hub.breaks.clear()
        hub.knows_ranges = False
        assert answer(WHOLE, hub, tmp_path)["state"] == "done"
    (blob,) = (one for one in (tmp_path / "hf").rglob("blobs/*") if one.stat().st_size == size)
    assert blob.read_bytes() == (folder / WEIGHTS).read_bytes()


def test_a_full_disk_is_told_before_anything_comes(folder, tmp_path):
    code = """
from collections import namedtuple
from dfgui import config
from dfgui.errors import UserError
from dfgui.models import fetching
usage = namedtuple("usage", "total used free")
fetching.shutil.disk_usage = lambda path: usage(10**9, 10**9, 1000)
try:
    fetching.weights(config.Model(name="me/tiny"), settings, lambda done, total: None)
except UserError as error:
    print(json.dumps(error.to_dict()))
"""
    with serving({"me/tiny": folder}) as hub:
        error = answer(code, hub, tmp_path)
    assert error["what"] == "The disk is too full for this download." and "1.0 KB are free" in error["why"]
    assert weights_of(hub) == []


def test_a_disk_that_fills_up_meanwhile_keeps_what_has_come(folder, size, tmp_path):
    code = """
import errno
from pathlib import Path
from dfgui import config
from dfgui.errors import UserError
from dfgui.models import cache, fetching
def filling(self, part, begun, told):
    part.write_bytes(b"x" * 1000)
    raise OSError(errno.ENOSPC, "No space left on device")
fetching.File._more = filling
try:
    fetching.weights(config.Model(name="me/tiny"), settings, lambda done, total: None)
except UserError as error:
    print(json.dumps(error.to_dict() | {"begun": cache.begun("me/tiny")}))
"""
    with serving({"me/tiny": folder}) as hub:
        error = answer(code, hub, tmp_path)
    assert error["what"] == "The disk is too full for this download." and error["begun"] == 1000


def test_a_token_stands_neither_on_the_command_line_nor_in_the_environment(folder, tmp_path):
    code = BEGIN.replace(
        "downloads.begin(", 'settings = settings.with_secrets({"HF_TOKEN": "hf_mine"})\ndownloads.begin('
    ) + (
        """
until(psutil.Process().children)
(process,) = psutil.Process().children()
shown = " ".join(process.cmdline()) + str(process.environ())
until(lambda: state().state != "running")
print(json.dumps({"state": state().state, "shown": shown}))
"""
    )
    with serving({"me/tiny": folder}, gated={"me/tiny"}) as hub:
        hub.admitted = {"hf_mine"}
        told = answer(code, hub, tmp_path)
    assert told["state"] == "done" and "hf_mine" not in told["shown"]


def test_a_gated_model_is_told_as_such(folder, tmp_path):
    with serving({"me/tiny": folder}, gated={"me/tiny"}) as hub:
        told = answer(WHOLE, hub, tmp_path)
    assert told["state"] == "failed" and "gated" in told["error"]["what"]
