"""A run is written down where its trackers want it, and no tracker can end it."""

import importlib.util

import pytest
from transformers import TrainerCallback

from dfgui import actions
from dfgui.errors import UserError
from dfgui.integrations import trackers
from dfgui.recipe import parse
from dfgui.settings import Wandb
from dfgui.training import preflight, tracking
from dfgui.views import monitor


def in_event_files(folder):
    """{"train/loss": [(step, value), ...]} as TensorBoard itself reads its files."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    read.Reload()
    return {name: [(one.step, one.value) for one in read.Scalars(name)] for name in read.Tags()["scalars"]}


def test_tensorboards_files_lie_in_the_runs_folder_and_hold_the_losses_of_the_store(train, values, where):
    row, store = train({**values, "trackers": ["tensorboard"]})
    folder = where.run_folder(row["id"]) / "tensorboard"
    found = in_event_files(folder)
    assert [step for step, _ in found["train/loss"]] == list(range(1, 9))
    for there, here in (("train/loss", "loss"), ("eval/loss", "eval_loss"), ("train/grad_norm", "grad_norm")):
        points = store.metrics.points(row["id"], here)
        assert found[there] == [(step, pytest.approx(value, rel=1e-6)) for step, value in points]
    told = dict(monitor.about(row))
    assert told["Tracked in TensorBoard"] == f"tensorboard --logdir {folder}"


def test_a_tracker_that_fails_is_told_and_left_out_and_the_run_goes_on(train, values, monkeypatch):
    def full(self, *_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr("transformers.integrations.TensorBoardCallback.on_log", full)
    row, store = train({**values, "trackers": ["tensorboard"]})
    assert row["status"] == "finished" and len(store.metrics.points(row["id"], "loss")) == 8
    told = [event["text"] for event in store.events.tail(row["id"]) if "TensorBoard" in event["text"]]
    assert len(told) == 1 and "No space left on device" in told[0] and "goes on" in told[0]


def test_every_event_of_a_trainer_reaches_a_tracker():
    heard = []

    class Ear(TrainerCallback):
        def on_epoch_begin(self, args, state, control, **kwargs):
            heard.append((args, kwargs))

    tracked = tracking.Tracked(Ear(), None, None, None)
    tracked.on_epoch_begin("args", StateOfZero(), "control", model="model")
    tracked.on_push_begin("args", StateOfZero(), "control", model="model")
    assert heard == [("args", {"model": "model"})]


class StateOfZero:
    is_world_process_zero = True


def test_without_trackers_nothing_is_reported_to_anybody(train, values, where):
    row, _ = train(values)
    assert not (where.run_folder(row["id"]) / "tensorboard").exists()
    assert "tracked" not in row["facts"]


@pytest.mark.parametrize("name", trackers.PACKAGES)
def test_a_tracker_whose_package_is_missing_stops_the_start_with_the_cure(where, values, monkeypatch, name):
    there = importlib.util.find_spec
    monkeypatch.setattr(trackers, "find_spec", lambda asked: None if asked == name else there(asked))
    with pytest.raises(UserError, match=f"pip install {name}") as caught:
        actions.start(where, {**values, "trackers": [name]})
    assert caught.value.field == "trackers"


def test_wandb_without_a_key_stops_the_start_and_never_asks(where, values, monkeypatch, tmp_path):
    monkeypatch.setattr(trackers, "find_spec", lambda asked: object())
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    run = parse({**values, "trackers": ["wandb"]})
    keyless = where.__class__(where.home, wandb=Wandb())
    assert [lack.do for lack in trackers.lacks(run, keyless) if "WANDB_API_KEY" in lack.do]
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password 0123\n")
    for lets_in in (keyless, keyless.with_secrets({"WANDB_API_KEY": "0123"})):
        assert list(trackers.lacks(run, lets_in)) == []


def test_deepfabric_without_a_key_or_a_pipeline_is_off_and_says_so(where, values):
    run = parse({**values, "trackers": ["deepfabric"]})
    (note,) = (note for note in preflight.notes(run, where) if note.field == "trackers")
    assert note.kind == "warn" and "no key and no pipeline id" in note.text and "wait" in note.text
    given = {"DEEPFABRIC_API_KEY": "key", "DEEPFABRIC_PIPELINE_ID": "7"}
    assert not [note for note in preflight.notes(run, where.with_secrets(given)) if note.field == "trackers"]
