import json
import os

import pytest

from dfgui import actions, settings
from dfgui.store import Store
from dfgui.training import launcher
from tests.tiny import tiny_folder

CITIES = ["Oslo", "Rome", "Lima", "Cairo", "Paris", "Quito", "Delhi", "Seoul", "Accra", "Tunis"]


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    return tiny_folder(tmp_path_factory.mktemp("tiny-model"))


@pytest.fixture
def where(tmp_path):
    return settings.load(home=tmp_path / "home", jailed=False)


@pytest.fixture
def rows_file(tmp_path):
    """Forty small chats, one per line."""
    path = tmp_path / "rows.jsonl"
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"Weather in {CITIES[n % 10]} in {n} days?"},
                {"role": "assistant", "content": f"{n} degrees in {CITIES[n % 10]}."},
            ]
        }
        for n in range(40)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def values(model_folder, rows_file):
    """A run of the tiny model: quick, and logging each step."""
    return {
        "model": {"name": str(model_folder)},
        "data": {"source": str(rows_file)},
        "adapter": {"r": 4, "lora_alpha": 8},
        "training": {
            "max_steps": 8,
            "learning_rate": 1e-2,
            "per_device_train_batch_size": 4,
            "gradient_accumulation_steps": 1,
            "gradient_checkpointing": False,
            "max_length": 128,
            "logging_steps": 1,
            "save_steps": 4,
            "eval_steps": 4,
        },
    }


@pytest.fixture
def train(where):
    """Starts a run and trains it to its end in this thread; returns its row and the store."""

    def to_the_end(values):
        run = actions.start(where, values, executor="test")
        launcher.run_here(run, where)
        store = Store(where.store_path)
        return store.runs.get(run), store

    return to_the_end


@pytest.fixture
def train_apart(where):
    """Starts a run in a process of its own and waits for its end; returns its row and the store."""

    def to_the_end(values):
        run = actions.start(where, values, executor=f"pid:{os.getpid()}")
        launcher.run_apart(run, where)
        store = Store(where.store_path)
        return store.runs.get(run), store

    return to_the_end
