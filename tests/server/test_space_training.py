"""A Space that trains: asked to end it saves, stops and copies; killed, it comes back with what was copied.

A tiny random model stands for the demo, so that nothing here waits for learning.
"""

import io
import json
import shutil
import signal
import time
import zipfile

import pytest

from dfgui import actions, settings
from dfgui.store import Store
from tests.server.test_space import LOGIN, image, log_in, owned, space  # noqa: F401
from tests.tiny import tiny_folder

TRAINING_SECONDS = 180


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture
def volume(tmp_path):
    return owned(tmp_path / "volume")


def start(server, disk, model):
    """Queues an endless run of the tiny model for the app on `disk`, and waits for its first checkpoint."""
    home = settings.load(home=disk / "dfgui")
    shutil.copytree(model, home.uploads / "model")
    rows = [
        {"messages": [{"role": "user", "content": f"{n}?"}, {"role": "assistant", "content": "yes"}]} for n in range(40)
    ]
    (home.uploads / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    run = actions.start(
        home,
        {
            "model": {"name": str(home.uploads / "model")},
            "data": {"source": str(home.uploads / "rows.jsonl")},
            "training": {"max_steps": 100_000, "save_steps": 20, "max_length": 64, "save_total_limit": 2},
        },
    )
    # The disk is asked and not the store: SQLite's shared files would be this user's for a moment, and not the app's.
    until(lambda: list((home.runs / run).glob("checkpoint-*/window.json")), server)
    return run


def until(true, server):
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < TRAINING_SECONDS, server.text()
        time.sleep(0.2)


def test_asked_to_end_it_saves_stops_and_copies(image, tmp_path, volume, model):  # noqa: F811
    env = {**LOGIN, "DFGUI_VOLUME": str(volume)}
    with space(image, owned(tmp_path / "first"), env) as server:
        run = start(server, tmp_path / "first", model)
        assert server.end(signal.SIGTERM) == 0
    with space(image, owned(tmp_path / "second"), env) as server:
        store = Store(tmp_path / "second" / "dfgui" / "dfgui.db")
        row = store.runs.get(run)
        assert row["status"] == "stopped"
        assert store.checkpoints.of(run)[-1]["step"] == row["global_step"]
        assert loads(download(server, run, row["global_step"]))


def test_killed_it_comes_back_with_what_was_copied(image, tmp_path, volume, model):  # noqa: F811
    env = {**LOGIN, "DFGUI_VOLUME": str(volume)}
    with space(image, owned(tmp_path / "first"), env) as server:
        run = start(server, tmp_path / "first", model)
        until(lambda: list((volume / "runs" / run).glob("checkpoint-*/files.json")), server)
        server.end(signal.SIGKILL)
    with space(image, owned(tmp_path / "second"), env) as server:
        store = Store(tmp_path / "second" / "dfgui" / "dfgui.db")
        until(lambda: store.runs.get(run)["status"] == "interrupted", server)
        assert loads(download(server, run, store.checkpoints.of(run)[-1]["step"]))
        page = server.get(f"/?view=monitor&run={run}", headers={"accept": "text/html"}, cookies=log_in(server))
        assert page.status_code == 200


def download(server, run, step):
    """The adapter as a visitor gets it: refused without the login, a zip with it."""
    address = f"/download/{run}/{step}/adapter"
    assert server.get(address).status_code == 401
    answer = server.get(address, cookies=log_in(server))
    assert answer.status_code == 200, answer.text
    return answer.content


def loads(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [name.rsplit("/", 1)[-1] for name in archive.namelist()]
        return archive.testzip() is None and {"adapter_model.safetensors", "adapter_config.json"} <= set(names)
