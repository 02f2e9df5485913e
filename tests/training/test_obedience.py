"""The five flags of TrainerControl as commands: each takes effect at the next step, is answered, and bends no curve."""

import errno
import os
import threading
from pathlib import Path

import pytest
from trl import SFTTrainer

from dfgui import actions
from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.models import load
from dfgui.store import Store
from dfgui.training import launcher
from tests.training.control import commanding


@pytest.fixture
def dropout(values):
    """A run that draws from the dice at every step."""
    return {
        **values,
        "adapter": {"r": 4, "lora_alpha": 8, "lora_dropout": 0.2},
        "training": {**values["training"], "max_steps": 10, "save_steps": 100, "eval_steps": 100},
    }


def answers(store, run):
    return {row["command"]: (row["taken_at_step"], row["outcome"]) for row in reversed(store.commands.of(run["id"]))}


@pytest.mark.parametrize("method", ["lora", "full"])
def test_save_evaluate_and_log_now_leave_every_later_loss_as_it_is(train, dropout, monkeypatch, method):
    dropout = {**dropout, "method": method}
    untouched, store = train(dropout)
    commanding(monkeypatch, {2: ["evaluate"], 4: ["save", "log"], 5: ["evaluate", "save", "log"], 7: ["evaluate"]})
    asked, _ = train(dropout)
    for name in ("loss", "grad_norm", "learning_rate", "mean_token_accuracy", "num_tokens"):
        assert store.metrics.points(asked["id"], name) == store.metrics.points(untouched["id"], name), name
    assert [step for step, _ in store.metrics.points(asked["id"], "eval_loss")] == [2, 5, 7, 10]
    assert [one["step"] for one in store.checkpoints.of(asked["id"])] == [4, 5, 10]


def test_an_evaluation_would_move_the_dice(train, dropout):
    """What the test above relies on: one that is due in the schedule does bend the curve, in TRL too."""
    seldom, store = train(dropout)
    often, _ = train({**dropout, "training": {**dropout["training"], "eval_steps": 2}})
    one, two = (store.metrics.points(run["id"], "loss") for run in (seldom, often))
    assert one[:2] == two[:2] and one[2:] != two[2:]


def test_a_command_beside_a_scheduled_evaluation_changes_nothing_either(train, dropout, monkeypatch):
    dropout["training"]["eval_steps"] = 3
    untouched, store = train(dropout)
    commanding(monkeypatch, {3: ["evaluate"], 4: ["evaluate"]})
    asked, _ = train(dropout)
    assert store.metrics.points(asked["id"], "loss") == store.metrics.points(untouched["id"], "loss")
    assert answers(store, asked)["evaluate"][0] == 4


def test_each_command_says_when_it_was_taken_and_what_came_of_it(train, dropout, monkeypatch):
    commanding(monkeypatch, {2: ["save"], 3: ["log"], 4: ["evaluate"], 5: ["end-epoch"]})
    run, store = train({**dropout, "training": {**dropout["training"], "logging_steps": 5}})
    said = answers(store, run)
    assert said["save"] == (2, "saved at step 2")
    assert said["log"] == (3, "logged at step 3; the window since the last point was split here")
    assert said["evaluate"][0] == 4 and said["evaluate"][1].startswith("eval_loss ")
    assert said["end-epoch"] == (5, "ended at step 5")
    assert [step for step, _ in store.metrics.points(run["id"], "loss")] == [3, 5, 10]


def test_an_epoch_ends_and_the_next_begins(train, dropout, monkeypatch):
    dropout["training"] |= {"max_steps": -1, "num_train_epochs": 2}
    whole, _ = train(dropout)
    commanding(monkeypatch, {2: ["end-epoch"]})
    run, _ = train(dropout)
    in_epoch = whole["global_step"] // 2
    assert run["global_step"] == 2 + in_epoch
    assert (run["status"], run["epoch"]) == ("finished", 2.0)
    assert run["reason"] == f"Ended at step {2 + in_epoch} of {2 * in_epoch}: 1 epoch ended by hand."


def test_the_last_epoch_ended_by_hand_is_saved_and_evaluated(train, dropout, monkeypatch):
    dropout["training"] |= {"max_steps": -1, "num_train_epochs": 1}
    commanding(monkeypatch, {3: ["end-epoch"]})
    run, store = train(dropout)
    assert run["status"] == "finished" and run["global_step"] == 3
    assert [one["step"] for one in store.checkpoints.of(run["id"])] == [3]
    assert [step for step, _ in store.metrics.points(run["id"], "eval_loss")] == [3]


def test_stop_without_a_checkpoint_keeps_what_was_saved_before(train, dropout, monkeypatch):
    commanding(monkeypatch, {3: ["save"], 5: ["stop-without-checkpoint"]})
    run, store = train(dropout)
    assert (run["status"], run["global_step"]) == ("stopped", 5)
    assert run["reason"] == "Stopped by the test at step 5 of 10; nothing was saved there, as asked."
    assert answers(store, run)["stop-without-checkpoint"] == (5, "stopped at step 5; nothing was saved")
    assert [one["step"] for one in store.checkpoints.of(run["id"])] == [3]
    assert store.metrics.last(run["id"], "loss")[0] == 5


def test_stop_without_a_checkpoint_holds_where_epochs_are_saved(train, dropout, monkeypatch):
    dropout["training"] |= {"save_strategy": "epoch"}
    commanding(monkeypatch, {2: ["stop-without-checkpoint"]})
    run, store = train(dropout)
    assert store.checkpoints.of(run["id"]) == []


def test_without_held_out_rows_evaluate_is_refused_and_never_ends_the_run(train, dropout, where, monkeypatch):
    dropout["data"] = {**dropout["data"], "eval_fraction": 0}
    commanding(monkeypatch, {2: ["evaluate"]})
    run, store = train(dropout)
    assert run["status"] == "finished"
    assert answers(store, run)["evaluate"] == (2, "there are no held-out rows to evaluate on")
    again = store.runs.create(RunConfig.model_validate(run["config"]))
    store.runs.update(again, facts={"eval_rows": 0})
    with pytest.raises(UserError, match="nothing to evaluate on"):
        actions.command(where, again, "evaluate", by="me")


def test_trainer_state_is_told_while_it_trains(train, dropout, monkeypatch):
    states = []
    commanding(monkeypatch, {}, each=lambda store, run, step: states.append(store.runs.get(run)["state"]))
    run, store = train({**dropout, "training": {**dropout["training"], "eval_steps": 4, "save_steps": 4}})
    state = run["state"]
    assert (state["global_step"], state["max_steps"], state["is_world_process_zero"]) == (10, 10, True)
    assert state["best_metric"] == min(value for _, value in store.metrics.points(run["id"], "eval_loss"))
    assert state["best_model_checkpoint"].endswith(f"checkpoint-{state['best_global_step']}")
    assert state["log_history"] >= 10 and state["total_flos"] > 0
    assert {"epoch", "num_train_epochs", "train_batch_size"} <= set(state)


def test_a_download_that_hangs_is_left_when_somebody_stops_the_run(where, values, monkeypatch):
    begun, given_up = threading.Event(), threading.Event()

    def hangs(model, settings, progress=None):
        begun.set()
        try:
            while True:
                given_up.wait(0.05)
                progress(1, 100)
        finally:
            given_up.set()

    monkeypatch.setattr(load, "fetch", hangs)
    run = actions.start(where, values, executor="test")
    thread = threading.Thread(target=launcher.run_here, args=(run, where))
    thread.start()
    assert begun.wait(60)
    actions.command(where, run, "stop", by="me")
    thread.join(20)
    assert not thread.is_alive() and given_up.wait(20)
    assert Store(where.store_path).runs.get(run)["reason"].startswith("Stopped by me before the first step")


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "is full"), (errno.EROFS, "cannot be written")])
def test_a_full_or_locked_disk_costs_a_checkpoint_and_not_the_run(train, dropout, monkeypatch, last, number, words):
    save = SFTTrainer._save_checkpoint

    def full(self, model, trial):
        if self.state.global_step == (10 if last else 4):
            (Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}").mkdir()
            raise OSError(number, os.strerror(number))
        return save(self, model, trial)

    monkeypatch.setattr(SFTTrainer, "_save_checkpoint", full)
    commanding(monkeypatch, {4: ["save"]})
    run, store = train(dropout)
    if last:
        assert run["status"] == "failed" and "last checkpoint could not be written" in run["reason"]
        return
    assert run["status"] == "finished"
    assert answers(store, run)["save"][1].startswith(f"could not be saved at step 4: the disk {words}")
    assert [one["step"] for one in store.checkpoints.of(run["id"])] == [10]
    assert any("Training goes on." in event["text"] for event in store.events.tail(run["id"]))
