"""What bringing a large model home takes: its zip through a real browser, and one file of weights that breaks off.

    python bench/download.py                          a merged model of 2 GB and a full checkpoint of the same size
    python bench/download.py --gigabytes 0.3 --json download.json

The app and the browser are processes of their own; the model is made here. While the browser downloads the merged
model, the anonymous memory (RssAnon) of the app is looked at every few milliseconds; the merge itself is a process
beside it, whose memory goes with it (bench/merge.py). The zip is checked against its own checksums and, weight by
weight, against a merge made apart from the app. A file of weights is broken off at a third and at two thirds, and goes
on each time. Afterwards the home must be as large as before.
"""

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import httpx
import psutil
from playwright.sync_api import Page, sync_playwright

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

from bench.merge import make  # noqa: E402
from dfgui import settings  # noqa: E402
from dfgui.config import RunConfig  # noqa: E402
from dfgui.store import Store, Writer  # noqa: E402
from tests.chromium import launched  # noqa: E402
from tests.server.processes import APP, free_port, served  # noqa: E402

EVERY_SECONDS = 0.01
STEP = 20
PATIENCE = 1_800_000  # ms
CHUNK = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=2.0, help="of the model, in 32 bit")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        size = make(folder, asked.gigabytes)
        home = settings.load(home=folder / "home", jailed=False).home
        adapter, full = run_of(home, folder, "adapter"), run_of(home, folder, "full")
        with served("--home", str(home), "--port", str(free_port()), "--no-browser", home=home, command=APP) as app:
            browser = launched(playwright)
            page = browser.new_page()
            page.goto(f"{app.url}/?view=export&run={adapter}")
            before = weight(home)
            found = {"model_gb": size / 1e9, **zipped(page, app.process.pid, folder)}
            found |= broken_off(f"{app.url}/files/{full}/{STEP}", home / "runs" / full / f"checkpoint-{STEP}", app)
            found["left_behind_bytes"] = weight(home) - before
            browser.close()
    report(found)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))


def run_of(home: Path, made: Path, kind: str) -> str:
    """A run that has ended, with a checkpoint of the adapter or of the whole model."""
    store = Store(home / "dfgui.db")
    config = RunConfig(
        name=f"large-{kind}", model={"name": str(made / "base")}, method="lora" if kind == "adapter" else "full"
    )
    run = store.runs.create(config, "bench")
    folder = home / "runs" / run / f"checkpoint-{STEP}"
    shutil.copytree(made / ("adapter" if kind == "adapter" else "base"), folder)
    (folder / "trainer_state.json").write_text("{}")
    with Writer(store.path, run) as writer:
        writer.facts(base=str(made / "base"), dtype="float32")
        writer.checkpoint(STEP, folder.name, kind, weight(folder), None)
    store.runs.move(run, "stopped", "Made for a measurement.")
    return run


def weight(folder: Path) -> int:
    """Bytes of all files but the store's, which grows by what is looked at."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and "dfgui.db" not in file.name)


def zipped(page: Page, app: int, folder: Path) -> dict[str, float]:
    """The merged model through the browser, to its disk."""
    link = page.get_by_role("link", name="Download merged model")
    link.wait_for(timeout=60_000)
    page.wait_for_timeout(2000)
    with Watched(app) as watched:
        start = time.monotonic()
        with page.expect_download(timeout=PATIENCE) as download:
            link.click()
        begun = time.monotonic()
        merging = watched.most
        file = download.value.path()  # waits for its end
        done = time.monotonic()
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None, "the zip is broken"
        archive.extractall(folder / "got")
    size = file.stat().st_size
    require_equal(next((folder / "got").iterdir()), folder)
    return {
        "zip_gb": size / 1e9,
        "merge_seconds": begun - start,
        "send_seconds": done - begun,
        "app_grew_merging_mb": (merging - watched.before) / 1e6,
        "app_grew_mb": (watched.most - watched.before) / 1e6,
    }


def require_equal(got: Path, made: Path) -> None:
    """The model in `got` is the merge of the adapter and the base that were made here, to the last bit."""
    import torch
    from safetensors.torch import load_file

    from dfgui.artifacts.merge import merge

    expected = merge(made / "adapter", made / "base", made / "expected", "float32")
    each = sorted(file.name for file in expected.glob("*.safetensors"))
    assert each == sorted(file.name for file in got.glob("*.safetensors"))
    for name in each:
        one, other = load_file(expected / name), load_file(got / name)
        assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one), name
    shutil.rmtree(expected)
    shutil.rmtree(got)


def broken_off(address: str, folder: Path, app: Any) -> dict[str, float]:
    """The largest file of weights of a checkpoint, in three goes."""
    file = max(folder.glob("*.safetensors"), key=lambda one: one.stat().st_size)
    size, digest, got = file.stat().st_size, hashlib.sha256(), 0
    with Watched(app.process.pid) as watched:
        for until in (size // 3, 2 * size // 3, size):
            with httpx.stream(
                "GET", f"{address}/{file.name}", headers={"range": f"bytes={got}-"}, timeout=60
            ) as answer:
                assert answer.status_code == 206 and answer.headers["content-range"].startswith(f"bytes {got}-")
                for part in answer.iter_raw(CHUNK):
                    digest.update(part)
                    got += len(part)
                    if until <= got < size:
                        break  # and the connection with it
    assert got == size and digest.hexdigest() == hashlib.sha256(file.read_bytes()).hexdigest(), (
        "the file is another one"
    )
    return {"file_gb": size / 1e9, "app_grew_with_ranges_mb": (watched.most - watched.before) / 1e6}


class Watched:
    """The most anonymous memory that a process holds while it is looked at, and what it held before."""

    def __init__(self, process: int):
        self._process = psutil.Process(process)
        self._done = threading.Event()
        self.before = self.most = self._held()

    def __enter__(self) -> "Watched":
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(EVERY_SECONDS):
            self.most = max(self.most, self._held())

    def _held(self) -> int:
        text = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(next(line for line in text.splitlines() if line.startswith("RssAnon")).split()[1]) * 1024


def report(found: dict[str, float]) -> None:
    for name, value in found.items():
        print(f"{name:26}{value:12.2f}")


if __name__ == "__main__":
    main()
