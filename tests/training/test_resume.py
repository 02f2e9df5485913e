"""A run that goes on from a checkpoint: the same curve, step by step, and the same weights in the end."""

import gc
import json
import os
import shutil
import threading
import time

import pytest
import torch
from safetensors.torch import load_file

from dfgui import actions
from dfgui.errors import UserError
from dfgui.models import load
from dfgui.store import Store
from dfgui.training import launcher, worker
from dfgui.training.trainer import Trainer
from tests.training.control import commanding

SETTINGS = {"max_steps": 14, "gradient_accumulation_steps": 2, "save_steps": 100, "eval_steps": 100}
NAMES = ("loss", "grad_norm", "learning_rate", "mean_token_accuracy", "num_tokens", "eval_loss")


def shaped(values, method, **training):
    """Shuffled rows, two batches to a step, dropout where there is an adapter; three epochs of five steps."""
    return {
        **values,
        "method": method,
        "adapter": {"r": 4, "lora_alpha": 8, "lora_dropout": 0.1},
        "training": {**values["training"], **SETTINGS, **training},
    }


def resumed(where, run, **given):
    actions.resume(where, run, executor="test", **given)
    launcher.run_here(run, where)
    return Store(where.store_path).runs.get(run)


def weights(where, run, step):
    folder = where.run_folder(run) / f"checkpoint-{step}"
    return load_file(next(folder.glob("*model.safetensors")))


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("every", [1, 4])
def test_a_stopped_run_goes_on_as_if_it_had_never_been(train, values, where, monkeypatch, method, every):
    whole, store = train(shaped(values, method, logging_steps=every))
    # Saved in the middle of an epoch and of a logging window; what was trained after it is trained again.
    commanding(monkeypatch, {7: ["save"], 9: ["stop-without-checkpoint"]})
    parts, _ = train(shaped(values, method, logging_steps=every))
    assert (parts["status"], parts["global_step"]) == ("stopped", 9)
    monkeypatch.undo()
    ended = resumed(where, parts["id"])
    assert (ended["status"], ended["reason"]) == ("finished", "All 14 steps are done.")
    for name in NAMES:
        assert store.metrics.points(parts["id"], name) == store.metrics.points(whole["id"], name), name
    assert ended["train_loss"] == pytest.approx(store.runs.get(whole["id"])["train_loss"], rel=1e-6)
    one, two = weights(where, whole["id"], 14), weights(where, parts["id"], 14)
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert [(part["from_step"], part["left_at_step"]) for part in store.parts.of(parts["id"])] == [(7, 9)]


def test_rows_ordered_by_length_come_in_the_order_that_their_epoch_began_with(train, values, where, monkeypatch):
    """That order is drawn from the dice that dropout throws too, so that it is another one in each epoch."""
    wanted = shaped(values, "lora", train_sampling_strategy="group_by_length")
    whole, store = train(wanted)
    commanding(monkeypatch, {7: ["save"], 9: ["stop-without-checkpoint"]})
    parts, _ = train(wanted)
    monkeypatch.undo()
    resumed(where, parts["id"])
    assert store.metrics.points(parts["id"], "loss") == store.metrics.points(whole["id"], "loss")


def test_an_epoch_that_was_ended_by_hand_is_not_trained_again(train, values, where, monkeypatch):
    commanding(monkeypatch, {3: ["end-epoch"]})
    whole, store = train(shaped(values, "full", num_train_epochs=3, max_steps=-1))
    assert whole["status"] == "finished" and "1 epoch ended by hand" in whole["reason"]
    last = whole["global_step"]
    commanding(monkeypatch, {3: ["end-epoch"], 5: ["stop"]})
    parts, _ = train(shaped(values, "full", num_train_epochs=3, max_steps=-1))
    commanding(monkeypatch, {})
    ended = resumed(where, parts["id"])
    assert (ended["status"], ended["global_step"]) == ("finished", last)
    assert store.metrics.points(parts["id"], "loss")[:last] == store.metrics.points(whole["id"], "loss")


def test_resuming_from_an_older_checkpoint_keeps_the_newer_ones_aside(train, values, where):
    run, store = train(shaped(values, "full", save_steps=4, max_steps=12))
    before = store.metrics.points(run["id"], "loss")
    ended = resumed(where, run["id"], step=4)
    assert ended["status"] == "finished"
    folder = where.run_folder(run["id"])
    assert sorted(path.name for path in (folder / "set-aside" / "2").iterdir()) == ["checkpoint-12", "checkpoint-8"]
    assert [one["step"] for one in store.checkpoints.of(run["id"])] == [4, 8, 12]
    assert store.metrics.points(run["id"], "loss") == before
    assert len(store.parts.aside(run["id"], "loss")) == 8


def test_a_torn_checkpoint_is_never_offered_and_goes_when_the_run_goes_on(train, values, where, monkeypatch):
    commanding(monkeypatch, {5: ["stop"]})
    run, store = train(shaped(values, "full", save_steps=3))
    folder = where.run_folder(run["id"])
    torn = shutil.copytree(folder / "checkpoint-5", folder / "checkpoint-6")
    (torn / "trainer_state.json").unlink()
    monkeypatch.undo()
    assert actions.resume(where, run["id"], executor="test") == 5
    launcher.run_here(run["id"], where)
    assert store.runs.get(run["id"])["status"] == "finished"
    assert not list(folder.glob("set-aside/*/checkpoint-6"))

    (folder / "checkpoint-14" / "optimizer.pt").write_bytes(b"cut short")
    with pytest.raises(UserError, match="no whole checkpoint at step 14"):
        actions.resume(where, run["id"], 14, executor="test")


def test_a_run_whose_rows_have_changed_is_refused_and_its_curve_stays(train, values, where, rows_file, monkeypatch):
    commanding(monkeypatch, {5: ["stop"]})
    run, store = train(shaped(values, "lora"))
    curve = store.metrics.points(run["id"], "loss")
    lines = rows_file.read_text().splitlines()
    rows_file.write_text("\n".join([lines[0].replace("0 degrees", "99 degrees"), *lines[1:]]) + "\n")
    ended = resumed(where, run["id"])
    assert ended["status"] == "failed" and "not those that this run began with" in ended["error"]["what"]
    assert store.metrics.points(run["id"], "loss") == curve
    rows_file.write_text("\n".join(lines) + "\n")
    assert resumed(where, run["id"])["status"] == "finished"


def test_what_a_checkpoint_does_not_decide_may_change_and_the_rest_is_refused(train, values, where, monkeypatch):
    commanding(monkeypatch, {4: ["stop"]})
    run, store = train(shaped(values, "full", logging_steps=1))
    monkeypatch.undo()
    with pytest.raises(UserError, match="kept from the checkpoint"):
        actions.resume(where, run["id"], changes=["training.learning_rate=1e-5"], executor="test")
    assert store.runs.get(run["id"])["status"] == "stopped"
    ended = resumed(where, run["id"], changes=["training.logging_steps=5", "training.save_steps=10"])
    assert [step for step, _ in store.metrics.points(run["id"], "loss")] == [1, 2, 3, 4, 5, 10]
    assert [one["step"] for one in store.checkpoints.of(run["id"])] == [4, 10, 14]
    assert ended["config"]["training"]["logging_steps"] == 5


def test_a_run_at_its_last_step_has_nothing_left_to_resume(train, values, where):
    run, _ = train(values)
    with pytest.raises(UserError, match="Train longer"):
        actions.resume(where, run["id"])


def test_a_resumed_run_may_be_taken_out_of_the_queue_and_resumed_again(train, values, where, monkeypatch):
    commanding(monkeypatch, {4: ["stop"]})
    run, store = train(shaped(values, "full"))
    monkeypatch.undo()
    actions.resume(where, run["id"], executor="test")
    actions.command(where, run["id"], "stop", by="me")
    row = store.runs.get(run["id"])
    assert (row["status"], row["reason"], row["global_step"]) == ("stopped", run["reason"], 4)
    assert resumed(where, run["id"])["status"] == "finished"


def test_a_finished_run_whose_resume_is_stopped_while_it_prepares_stays_finished(train, values, where, monkeypatch):
    run, store = train(shaped(values, "full", save_steps=4))
    actions.resume(where, run["id"], step=4, executor="test")
    asked = load.fetch

    def stopping(*given):
        actions.command(where, run["id"], "stop", by="me")
        return asked(*given)

    monkeypatch.setattr(load, "fetch", stopping)
    launcher.run_here(run["id"], where)
    row = store.runs.get(run["id"])
    assert (row["status"], row["reason"], row["ended_at"]) == (
        "finished",
        run["reason"],
        pytest.approx(run["ended_at"]),
    )
    assert store.metrics.points(run["id"], "loss")[-1][0] == row["global_step"] == run["global_step"]
    assert "Stopped by me before it went on" in store.events.tail(run["id"])[-1]["text"]


def test_rotation_keeps_the_best_the_newest_and_what_is_read(where, values, train, monkeypatch):
    held = []

    def hold(store, run, step):
        if step == 4:
            held.append(store.holds.take(run, 2))

    commanding(monkeypatch, {}, each=hold)
    run, store = train(shaped(values, "full", save_steps=2, eval_steps=2, save_total_limit=2, max_steps=10))
    found = store.checkpoints.of(run["id"])
    best = next(one["step"] for one in found if one["best"])
    assert {one["step"] for one in found} == {2, 10, best} | ({8} if best == 10 else set())
    on_disk = sorted(int(path.name[11:]) for path in where.run_folder(run["id"]).glob("checkpoint-*"))
    assert on_disk == sorted(one["step"] for one in found)
    assert held


def test_rotation_leaves_what_was_kept_meanwhile_from_another_process(where, values):
    """save_total_limit counts without it; the mark is set while the run trains in a process of its own."""
    asked = shaped(values, "full", save_steps=2, eval_steps=2, save_total_limit=2, max_steps=40)
    run = actions.start(where, asked, executor=f"pid:{os.getpid()}")
    store, kept = Store(where.store_path), None
    trains = threading.Thread(target=launcher.run_apart, args=(run, where))
    trains.start()
    while trains.is_alive() and kept is None:
        newest = next((one["step"] for one in reversed(store.checkpoints.of(run))), None)
        kept = newest if newest and newest < 30 and store.checkpoints.keep(run, newest, True) else None
        time.sleep(0.02)
    trains.join()
    row, found = store.runs.get(run), store.checkpoints.of(run)
    assert row["status"] == "finished", row["error"]
    best = next(one["step"] for one in found if one["best"])
    steps = [one["step"] for one in found]
    assert kept in steps and set(steps) == {kept, best, 40} | ({steps[-2]} if best == 40 else set()), (kept, best)
    on_disk = sorted(int(path.name[11:]) for path in where.run_folder(run).glob("checkpoint-*"))
    assert on_disk == steps


def broken(store, run, step):
    raise RuntimeError("CUDA error: an illegal memory access was encountered")


def test_a_failed_run_gives_back_what_it_held(train, values, monkeypatch):
    """The error that ended it must not keep the model alive by its traceback."""
    problems = []
    execute = worker.execute
    monkeypatch.setattr(worker, "execute", lambda *given: problems.append(execute(*given)))
    commanding(monkeypatch, {}, each=broken)
    run, _ = train({**values, "method": "full"})
    assert run["status"] == "failed" and problems[0] is not None
    gc.collect()
    assert not [one for one in gc.get_objects() if isinstance(one, Trainer)]


def test_the_window_is_told_in_words_of_the_checkpoint(train, values, where, monkeypatch):
    commanding(monkeypatch, {6: ["save"]})
    run, _ = train(shaped(values, "full", logging_steps=4))
    stood = json.loads((where.run_folder(run["id"]) / "checkpoint-6" / "window.json").read_text())
    assert stood["logged_at"] == 4 and stood["loss"] > 0 and stood["num_tokens"] > 0
