"""What there is to pick from, and what is refused before anything is fetched."""

import os
from dataclasses import replace

import pytest

from dfgui import settings as settings_module
from dfgui.actions import models
from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.integrations.connections import Connections
from dfgui.models import cache
from dfgui.models.download import Downloads
from dfgui.models.hub import Silence
from dfgui.store import Store, Writer
from dfgui.training.preflight.fit import Fit
from dfgui.training.preflight.note import Note
from dfgui.ui.components.models import Picker


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "root", lambda: tmp_path / "hub")
    return settings_module.load(tmp_path / "home")


def test_what_earlier_runs_made_and_what_they_began_from_is_offered(settings):
    store = Store(settings.store_path)
    run = store.runs.create(RunConfig.model_validate({"model": {"name": "me/tiny"}}), f"pid:{os.getpid()}")
    with Writer(store.path, run) as writer:
        writer.checkpoint(4, "checkpoint-4", "adapter", 1, 0.5)
        writer.checkpoint(8, "checkpoint-8", "adapter", 1, 0.9)
    store.runs.create(RunConfig.model_validate({"model": {"name": f"run:{run}@4"}}), f"pid:{os.getpid()}")
    found = models.offered(settings)
    assert [(one["id"], step) for one, step in found.runs] == [(run, 4)]  # the best one
    assert found.used == ["me/tiny"] and found.here == []


def test_whether_it_fits_goes_by_the_settings_of_the_form_and_is_not_said_where_they_are_wrong(settings, monkeypatch):
    seen = []
    monkeypatch.setattr(models, "fit", lambda run, settings, begin: seen.append(run) or "fit")
    assert models.fits(settings, "demo", None, {"training.max_length": 300, "model.revision": "old"}) == "fit"
    assert (seen[0].training.max_length, seen[0].model.name, seen[0].model.revision) == (300, "demo", None)
    found = models.fits(settings, "demo", None, {"training.learning_rate": -1})
    assert (found.memory, found.pace, found.pending) == (None, None, False)


@pytest.mark.parametrize("name", ["demo", "run:abcdefgh12@4", "/etc", "../x", "a/b/c"])
def test_only_a_model_of_the_hub_is_downloaded(settings, name):
    downloads = Downloads()
    with pytest.raises(UserError, match="not of the Hub"):
        models.download(settings, downloads, name, None)
    assert downloads.all() == []


def test_offline_nothing_is_downloaded(settings):
    downloads = Downloads()
    with pytest.raises(Silence):
        models.download(replace(settings, offline=True), downloads, "me/tiny", None)
    assert downloads.all() == []


def test_a_revision_that_leads_elsewhere_is_refused(settings):
    with pytest.raises(UserError, match="letters, digits"):
        models.download(settings, Downloads(), "me/tiny", "../../x")


def test_beside_a_run_that_trains_no_model_is_measured_for_a_badge(settings, monkeypatch):
    begun = []
    pending = Fit(Note("tell", "Memory", "It is being worked out.", pending=True))
    monkeypatch.setattr(models, "fit", lambda run, settings, begin: begun.append(begin) or pending)
    picker = Picker(settings, Connections(Store(settings.store_path)))
    assert picker.fits({"name": "demo"}, settings)["fit"]["pending"]
    run = Store(settings.store_path).runs.create(RunConfig(), "test")
    assert Store(settings.store_path).runs.claim("test") == run
    assert picker.fits({"name": "demo"}, settings) == {
        "fit": {"badge": None, "words": "", "time": "", "pending": False}
    }
    assert begun == [True, False]
