"""A download is looked up by ids, streams, ends with whoever asked for it, and holds nobody else up."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from dfgui import actions, settings
from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.integrations.connections import COOKIE, Connections
from dfgui.server import download, packages
from dfgui.store import Store, Writer
from tests.server.processes import in_a_thread

CHUNK = b"x" * 1_000_000


class Packing:
    """Stands for actions.package: how much of a zip was asked for, and whether it was ended."""

    def __init__(self, folder, chunks=3):
        self.number = chunks
        self.made = 0
        self.folder = folder
        self.ended = threading.Event()

    def package(self, settings, run, step, kind, say, going):
        self.token = settings.hub_token
        size = self.number * len(CHUNK)
        return actions.Package(f"weather-{step}-{kind}.zip", self.chunks(), size, self.folder)

    def chunks(self):
        try:
            for _ in range(self.number):
                self.made += 1
                yield CHUNK
        finally:
            self.ended.set()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The route alone, on a real socket: (address, settings, run)."""
    where = settings.load(home=tmp_path_factory.mktemp("home"))
    store = Store(where.store_path)
    run = store.runs.create(RunConfig())
    with Writer(where.store_path, run) as writer:
        writer.checkpoint(20, "checkpoint-20", "adapter", 10, None)
    connections = Connections(store)
    with in_a_thread(download.routes(where, connections)) as address:
        yield Address(address, connections), run


class Address(str):
    """Of the server, with the connections that it knows."""

    def __new__(cls, url, connections):
        made = super().__new__(cls, url)
        made.connections = connections
        return made


@pytest.fixture
def packing(monkeypatch, tmp_path):
    packing = Packing(tmp_path / "merged")
    packing.folder.mkdir()
    monkeypatch.setattr(actions, "package", packing.package)
    return packing


def test_a_checkpoint_streams_as_a_zip(served, packing):
    url, run = served
    answer = httpx.get(f"{url}/download/{run}/20/merged")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="weather-20-merged.zip"'
    assert answer.headers["content-type"] == "application/zip"
    assert answer.content == CHUNK * 3
    assert answer.headers["content-length"] == str(len(answer.content))
    assert packing.ended.wait(5)
    assert gone(packing.folder)


def test_a_base_that_has_to_be_fetched_again_is_fetched_with_the_token_of_whoever_asks(served, packing):
    url, run = served
    cookie, visitor = url.connections.new_visit(None)
    url.connections.set(visitor, {"HF_TOKEN": "hf_of_this_visit"})
    assert httpx.get(f"{url}/download/{run}/20/merged", cookies={COOKIE: cookie}).status_code == 200
    assert packing.token == "hf_of_this_visit"
    httpx.get(f"{url}/download/{run}/20/merged")
    assert packing.token != "hf_of_this_visit"


def gone(folder):
    """Whether what was merged for a download is deleted soon after."""
    deadline = time.monotonic() + 5
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return not folder.exists()


NO_IDS = """
{run}/20/gguf {run}/x/adapter {run}/-1/adapter ../20/adapter {run}/../20/adapter %2e%2e%2f/20/merged {run}/20/adapter/
{run}/20/adapter%00 {run}%0a/20/adapter {run}/٢٠/adapter {run} x
"""


@pytest.mark.parametrize("path", NO_IDS.split())
def test_an_address_that_is_not_ids_is_not_found(served, packing, path):
    url, run = served
    answer = httpx.get(f"{url}/download/{path.format(run=run)}")
    assert answer.status_code == 404
    assert packing.made == 0


def test_a_run_or_checkpoint_that_does_not_exist_is_not_found_in_words(served, packing):
    url, run = served
    assert "There is no run" in httpx.get(f"{url}/download/zzzzzzzzzz/20/adapter").json()["error"]["what"]
    page = httpx.get(f"{url}/download/{run}/40/adapter", headers={"accept": "text/html"})
    assert page.status_code == 404
    assert "no checkpoint at step 40" in page.text


def test_what_cannot_be_packed_says_why(served, monkeypatch):
    def refuse(*_):
        raise UserError("This run has no adapter.", "It trained <b>all</b>.", "Download the merged model.")

    monkeypatch.setattr(actions, "package", refuse)
    url, run = served
    page = httpx.get(f"{url}/download/{run}/20/adapter", headers={"accept": "text/html"})
    assert page.status_code == 409
    assert "It trained &lt;b&gt;all&lt;/b&gt;." in page.text


def test_asking_for_the_head_packs_nothing(served, packing):
    url, run = served
    assert httpx.head(f"{url}/download/{run}/20/merged").status_code == 200
    assert packing.made == 0


def test_whoever_hangs_up_ends_the_work(served, packing):
    packing.number = 100_000
    url, run = served
    with httpx.stream("GET", f"{url}/download/{run}/20/merged") as answer:
        next(answer.iter_raw())
    assert packing.ended.wait(5)
    assert packing.made < 100
    assert gone(packing.folder)


def test_a_slow_reader_holds_up_nobody_and_no_memory(served, packing):
    packing.number = 1_000
    url, run = served
    slow = [httpx.stream("GET", f"{url}/download/{run}/20/merged") for _ in range(50)]  # more than there are threads
    opened = [context.__enter__() for context in slow]
    try:
        time.sleep(0.5)
        made = packing.made
        began = time.monotonic()
        assert httpx.get(f"{url}/download/{run}/x/adapter").status_code == 404
        assert time.monotonic() - began < 1
        assert made < 50 * 20  # a socket's buffers, not the whole zip
    finally:
        for context, _ in zip(slow, opened, strict=True):
            context.__exit__(None, None, None)


def test_getting_it_ready_sends_nothing_and_the_download_is_what_was_made(served, packing):
    url, run = served
    answer = httpx.get(f"{url}/download/{run}/20/merged?ready")
    assert (answer.status_code, answer.content) == (204, b"")
    assert packing.made == 0
    assert httpx.get(f"{url}/download/{run}/20/merged").content == CHUNK * 3


def test_getting_it_ready_says_why_it_cannot_be_had(served, monkeypatch):
    def refuse(*_):
        raise UserError("The disk is full.", "It needs 3 GB.", "Free some space.")

    monkeypatch.setattr(actions, "package", refuse)
    url, run = served
    answer = httpx.get(f"{url}/download/{run}/20/merged?ready")
    assert answer.status_code == 409
    assert answer.json()["error"]["do"] == "Free some space."
    assert httpx.get(f"{url}/download/{run}/40/merged?ready").status_code == 404


def test_a_merge_under_way_says_how_far_it_is_and_can_be_cancelled(served, monkeypatch):
    def package(settings, run, step, kind, say, going):
        say("merging part 3 of 16")
        while going():
            time.sleep(0.01)
        raise UserError("The merge was cancelled.", "Somebody asked for it.", "Ask again.")

    monkeypatch.setattr(actions, "package", package)
    monkeypatch.setattr(packages, "PATIENCE_SECONDS", 0.05)
    url, run = served
    address = f"{url}/download/{run}/20/merged"
    answer = httpx.get(f"{address}?ready")
    assert (answer.status_code, answer.json()) == (202, {"said": "merging part 3 of 16"})
    monkeypatch.setattr(packages, "PATIENCE_SECONDS", 20)
    with ThreadPoolExecutor() as beside:
        waiting = beside.submit(httpx.get, f"{address}?ready", timeout=30)
        while not waiting.running():
            time.sleep(0.01)
        time.sleep(0.3)  # until it has arrived: one that comes later begins anew
        assert httpx.delete(address).status_code == 204
        assert waiting.result().json()["error"]["what"] == "The merge was cancelled."
