import pytest

from dfgui.config import RunConfig
from dfgui.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "dfgui.db")


@pytest.fixture
def run(store):
    return store.runs.create(RunConfig())


@pytest.fixture
def other_run(store):
    return store.runs.create(RunConfig())
