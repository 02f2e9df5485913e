"""One checkpoint is deleted, unless it is kept, read, or needed by a run: then it says why, and stays."""

import os

import pytest

from dfgui import settings
from dfgui.artifacts.discard import discard
from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.store import Store, Writer


@pytest.fixture
def where(tmp_path):
    return settings.load(home=tmp_path / "home")


@pytest.fixture
def store(where):
    return Store(where.store_path)


def made(store, where, **config):
    """A run of this process that trains, with checkpoints at 20, 40 (the best) and 60."""
    run = store.runs.create(RunConfig.model_validate({"name": "weather", **config}), f"pid:{os.getpid()}")
    store.runs.claim(f"pid:{os.getpid()}")
    with Writer(store.path, run) as writer:
        writer.progress(global_step=60, max_steps=80)
        for step, eval_loss in ((20, 0.7), (40, 0.5), (60, 0.6)):
            folder = where.run_folder(run) / f"checkpoint-{step}"
            folder.mkdir(parents=True)
            (folder / "optimizer.pt").write_bytes(b"x")
            writer.checkpoint(step, folder.name, "adapter", 1000, eval_loss)
    return run


@pytest.fixture
def run(store, where):
    return made(store, where)


def steps(store, where, run):
    """What the store and the disk agree on."""
    on_disk = sorted(int(one.name[11:]) for one in where.run_folder(run).glob("checkpoint-*"))
    assert [row["step"] for row in store.checkpoints.of(run)] == on_disk
    return on_disk


def refused(where, run, step, what, why):
    with pytest.raises(UserError) as caught:
        discard(where, run, step)
    assert what in caught.value.what and why in caught.value.why


def test_one_goes_with_its_files(store, where, run):
    assert discard(where, run, 20) == {"run": run, "step": 20, "bytes": 1000}
    assert steps(store, where, run) == [40, 60]
    refused(where, run, 20, "no checkpoint at step 20", "40, 60")


def test_a_kept_one_stays(store, where, run):
    store.checkpoints.keep(run, 20, True)
    refused(where, run, 20, "Checkpoint 20 is kept", "marked")
    assert steps(store, where, run) == [20, 40, 60]


def test_one_that_is_read_stays(store, where, run):
    with store.holds.hold(run, 20):
        refused(where, run, 20, "in use", "downloaded, merged, pushed or asked")
    store.scores.begin(run, 40, 10)
    refused(where, run, 40, "in use", "counted on Evaluate")
    assert steps(store, where, run) == [20, 40, 60]


def test_the_newest_of_a_run_that_goes_on_stays_until_it_has_ended(store, where, run):
    refused(where, run, 60, "weather still needs checkpoint 60", "go on after an interruption")
    store.runs.move(run, "stopped", "Stopped.")
    discard(where, run, 60)
    assert steps(store, where, run) == [20, 40]


def test_the_best_of_a_run_that_will_end_with_it_stays(store, where):
    run = made(store, where, early_stopping={"load_best_model_at_end": True}, training={"save_steps": 50})
    refused(where, run, 40, "still needs checkpoint 40", "with which it will end")
    discard(where, run, 20)


def test_the_one_that_a_resume_is_about_to_use_stays(store, where, run):
    store.runs.move(run, "stopped", "Stopped.")
    store.runs.resume(run, 40, f"pid:{os.getpid()}")
    refused(where, run, 40, "still needs checkpoint 40", "about to go on from it")
    discard(where, run, 20)


def test_one_that_another_run_begins_from_stays(store, where, run):
    store.runs.move(run, "stopped", "Stopped.")
    store.runs.create(RunConfig.model_validate({"name": "longer", "model": {"name": f"run:{run}@40"}}))
    refused(where, run, 40, "longer begins from checkpoint 40", "reads it")
    discard(where, run, 20)


def test_one_that_an_adapter_of_another_run_works_on_stays(store, where, run):
    store.runs.move(run, "stopped", "Stopped.")
    other = store.runs.create(RunConfig.model_validate({"name": "longer", "model": {"name": f"run:{run}@40"}}))
    with Writer(store.path, other) as writer:
        writer.facts(base=str(where.run_folder(run) / "checkpoint-40"))
        writer.checkpoint(5, "checkpoint-5", "adapter", 10, None)
    store.runs.withdraw(other, "Taken out.")
    refused(where, run, 40, "longer is built on checkpoint 40", "nothing without it")
    discard(where, run, 20)
