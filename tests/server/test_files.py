"""Weights file by file: with their size, in ranges, and nothing but what the checkpoint has."""

import hashlib

import httpx
import pytest

from dfgui import settings
from dfgui.server import files
from tests.browser.runs import run_with_adapter
from tests.server.processes import in_a_thread

NAME = "adapter_model.safetensors"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """(address of a checkpoint, its folder)."""
    where = settings.load(home=tmp_path_factory.mktemp("home"))
    run = run_with_adapter(where.home, "weather", std=0.01)
    with in_a_thread(files.routes(where)) as address:
        yield f"{address}/files/{run}/20", where.run_folder(run) / "checkpoint-20"


def test_a_file_comes_whole_with_its_size(served):
    address, folder = served
    answer = httpx.get(f"{address}/{NAME}")
    assert answer.content == (folder / NAME).read_bytes()
    assert answer.headers["content-length"] == str((folder / NAME).stat().st_size)
    assert answer.headers["content-disposition"] == f'attachment; filename="{NAME}"'
    assert answer.headers["accept-ranges"] == "bytes"


def test_a_download_that_broke_off_goes_on_where_it_stopped(served, tmp_path):
    address, folder = served
    got = tmp_path / "part"
    with httpx.stream("GET", f"{address}/{NAME}") as answer, got.open("wb") as file:
        etag = answer.headers["etag"]
        file.write(next(answer.iter_raw(10_000)))
    begun = got.stat().st_size
    assert 0 < begun < (folder / NAME).stat().st_size
    rest = httpx.get(f"{address}/{NAME}", headers={"range": f"bytes={begun}-", "if-range": etag})
    assert rest.status_code == 206
    whole = got.read_bytes() + rest.content
    assert hashlib.sha256(whole).digest() == hashlib.sha256((folder / NAME).read_bytes()).digest()


def test_a_file_that_has_changed_since_comes_whole(served):
    address, folder = served
    answer = httpx.get(f"{address}/{NAME}", headers={"range": "bytes=10-", "if-range": '"another"'})
    assert (answer.status_code, len(answer.content)) == (200, (folder / NAME).stat().st_size)


@pytest.mark.parametrize(
    "path",
    [
        "trainer_state.json",
        "adapter_config.json",
        "..%2f..%2fdfgui.db",
        "../checkpoint-20/" + NAME,
        "%2e%2e/x",
        NAME + "%00",
        "",
    ],
)
def test_nothing_else_is_sent(served, path):
    assert httpx.get(f"{served[0]}/{path}").status_code == 404


def test_a_run_that_is_not_there_is_said_in_words(served):
    address = served[0].rsplit("/", 2)[0]
    assert "There is no run" in httpx.get(f"{address}/zzzzzzzzzz/20/{NAME}").json()["error"]["what"]
