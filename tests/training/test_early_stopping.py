"""S12: a run ends when its evaluations get no better, says why, and says which weights it ended with."""

import json
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback, TrainerControl, TrainerState

from dfgui import actions
from dfgui.config import EarlyStopping
from dfgui.models import hardware
from dfgui.recipe import parse
from dfgui.training import early_stopping, launcher, preflight, sft
from tests.tiny import tiny_model, tiny_tokenizer
from tests.training.control import commanding


@pytest.fixture
def overfitting(values):
    """A run whose evaluations get worse from the second on: its learning rate is far too large."""
    training = {**values["training"], "max_steps": 60, "learning_rate": 0.5, "eval_steps": 2, "save_steps": 4}
    return {**values, "training": training, "early_stopping": {"patience": 3, "threshold": 0.01}}


def test_s12_a_run_stops_early_and_says_why(train, overfitting):
    run, store = train(overfitting)
    curve = store.metrics.points(run["id"], "eval_loss")
    lowest, step = min((value, step) for step, value in curve)
    assert run["status"] == "finished" and run["global_step"] == curve[-1][0] < 60
    assert run["reason"] == (
        f"Stopped early at step {run['global_step']} of 60: eval_loss had not improved by more than 0.01 for 3 "
        f"evaluations; best {lowest:.3g} at step {step}."
    )
    assert all(value > lowest - 0.01 for _, value in curve[-3:])
    assert store.checkpoints.of(run["id"])[-1]["step"] == run["global_step"]  # the last step stays


def test_a_run_that_ends_with_the_best_says_with_which(train, overfitting, where):
    kept = {**overfitting, "early_stopping": {"patience": 2, "load_best_model_at_end": True}}
    run, store = train(kept)
    best = next(row["step"] for row in store.checkpoints.of(run["id"]) if row["best"])
    assert run["status"] == "finished"
    assert run["reason"].endswith(f"The weights at the end are those of checkpoint {best}.")
    assert run["reason"].startswith("Stopped early at step")


def test_the_best_checkpoint_is_the_one_of_the_metric_that_was_chosen(train, values):
    """The learning rate is such that loss and accuracy part ways; the list agrees with transformers' own choice."""
    training = {**values["training"], "max_steps": 24, "eval_steps": 2, "save_steps": 2}
    stopping = {"metric": "eval_mean_token_accuracy", "load_best_model_at_end": True}
    run, store = train({**values, "training": training, "early_stopping": stopping})
    points = dict(map(tuple, store.metrics.points(run["id"], "eval_mean_token_accuracy")))
    best = next(row["step"] for row in store.checkpoints.of(run["id"]) if row["best"])
    assert points[best] == max(points.values())
    assert run["reason"] == f"All 24 steps are done. The weights at the end are those of checkpoint {best}."


def test_a_run_without_early_stopping_trains_to_its_last_step(train, values):
    run, _ = train({**values, "early_stopping": {"patience": 0}})
    assert run["reason"] == "All 8 steps are done."


def stopper(**given):
    return early_stopping.Stopper(**{"early_stopping_patience": 2, **given})


def evaluated(callback, *losses):
    """Whether the callback has stopped the run after these evaluations."""
    asked = SimpleNamespace(metric_for_best_model="eval_loss", greater_is_better=False)
    control = TrainerControl()
    for step, loss in enumerate(losses, 1):
        callback.on_evaluate(asked, TrainerState(global_step=step, max_steps=100), control, metrics={"eval_loss": loss})
    return control.should_training_stop


@pytest.mark.parametrize(
    ("losses", "threshold", "stops"),
    [
        ((1.0, 0.9, 0.8, 0.7), 0.0, False),
        ((1.0, 1.1, 1.2), 0.0, True),
        ((1.0, 1.1, 0.9, 1.0), 0.0, False),
        ((1.0, 0.995, 0.99), 0.01, True),  # better, but by too little
        ((1.0, 1.0, 1.0), 0.0, True),
        ((1.0, float("nan"), float("nan")), 0.0, True),
        ((float("nan"), 1.0, 0.9), 0.0, False),
    ],
)
def test_patience_counts_evaluations_without_improvement(losses, threshold, stops):
    assert evaluated(stopper(early_stopping_threshold=threshold), *losses) is stops


def test_an_evaluation_that_a_person_asked_for_does_not_count():
    commanded = iter([False, True, True, True, False, False])
    callback = stopper(is_commanded=lambda: next(commanded))
    # The third would be the best of all, and the fourth and fifth would use up the patience.
    assert not evaluated(callback, 1.0, 2.0, 0.1, 2.0, 0.9)
    assert (callback.early_stopping_patience_counter, callback.best) == (0, 0.9)


class EvalLosses(TrainerCallback):
    """Evaluations as a test wants them: by step."""

    def __init__(self, by_step):
        self.by_step = by_step

    def on_evaluate(self, args, state, control, metrics=None, **kwargs):
        metrics["eval_loss"] = self.by_step[state.global_step]


@pytest.fixture
def trainer_of(values, tmp_path):
    """Makes a trainer of the tiny model as a run does, whose evaluations are given by step."""
    from datasets import Dataset

    class Prepared:
        train = Dataset.from_list([{"input_ids": [1, 2, 3, 4], "labels": [1, 2, 3, 4]}] * 16)
        eval = Dataset.from_list([{"input_ids": [1, 2, 3, 4], "labels": [1, 2, 3, 4]}] * 2)

    def make(losses, stopping, **training):
        config = parse({**values, "training": {**values["training"], **training}, "early_stopping": stopping})
        tokenizer = tiny_tokenizer()
        machine = hardware.measure()
        made = sft.trainer(config, tiny_model(tokenizer), tokenizer, Prepared, tmp_path, machine, "fp32", [])
        made.callback_handler.callbacks.insert(0, EvalLosses(losses))
        early_stopping.attach(made, config.early_stopping)
        return made

    return make


def test_after_a_resume_the_count_goes_on(trainer_of, tmp_path):
    losses = {1: 1.0, 2: 0.5, 3: 0.6, 4: 0.7, 5: 0.8, 6: 0.9}
    schedule = {"eval_steps": 1, "save_steps": 1, "max_steps": 6}
    first = trainer_of(losses, {"patience": 3}, **schedule)
    first.train()
    assert first.state.global_step == 5

    kept = json.loads((tmp_path / "checkpoint-4" / "trainer_state.json").read_text())["stateful_callbacks"]["Stopper"]
    assert kept["attributes"] == {"early_stopping_patience_counter": 2, "best": 0.5}
    second = trainer_of(losses, {"patience": 3}, **schedule)
    second.train(resume_from_checkpoint=str(tmp_path / "checkpoint-4"))
    assert second.state.global_step == 5  # one more, not three
    assert early_stopping.ending("finished", "", second)[1].startswith("Stopped early at step 5 of 6")


def test_evaluations_that_are_asked_for_bring_the_end_no_nearer(train, overfitting, monkeypatch):
    untouched, _ = train(overfitting)
    commanding(monkeypatch, {step: ["evaluate"] for step in range(1, 60, 2)})
    asked, store = train(overfitting)
    assert asked["global_step"] == untouched["global_step"]
    assert len(store.metrics.points(asked["id"], "eval_loss")) > asked["global_step"] // 2  # they were taken


def test_a_run_that_was_stopped_and_goes_on_stops_early_where_it_would_have(train, overfitting, where, monkeypatch):
    overfitting["training"]["save_steps"] = 2
    whole, _ = train(overfitting)
    late = whole["global_step"] - 1
    commanding(monkeypatch, {late: ["stop-without-checkpoint"]})
    parts, store = train(overfitting)
    assert (parts["status"], parts["global_step"]) == ("stopped", late)
    monkeypatch.undo()
    actions.resume(where, parts["id"], executor="test")
    launcher.run_here(parts["id"], where)
    ended = store.runs.get(parts["id"])
    assert (ended["status"], ended["reason"]) == ("finished", whole["reason"])


def test_the_weights_at_the_end_are_the_best_checkpoints(trainer_of, tmp_path):
    losses = {2: 0.5, 4: 0.9, 6: 0.9}
    stopping = {"load_best_model_at_end": True}
    trainer = trainer_of(losses, stopping, eval_steps=2, save_steps=2, max_steps=6)
    trainer.train()
    assert early_stopping.ended_with(trainer) == 2
    held = {name.replace(".default", ""): weight for name, weight in trainer.model.state_dict().items()}
    for step, same in ((2, True), (6, False)):
        saved = load_file(tmp_path / f"checkpoint-{step}" / "adapter_model.safetensors")
        assert all(torch.equal(held[name], weight) for name, weight in saved.items()) is same


def test_of_a_stopped_run_the_weights_are_told_too():
    trainer = SimpleNamespace(
        args=SimpleNamespace(load_best_model_at_end=True),
        state=SimpleNamespace(best_model_checkpoint="/runs/x/checkpoint-20"),
        callback_handler=SimpleNamespace(callbacks=[]),
    )
    assert early_stopping.ending("stopped", "Stopped by ada at step 30 of 60.", trainer) == (
        "stopped",
        "Stopped by ada at step 30 of 60. The weights at the end are those of checkpoint 20.",
    )


def test_when_it_will_stop_is_said_before_the_start(values, where):
    asked = parse({**values, "early_stopping": {"patience": 3, "threshold": 0.01, "load_best_model_at_end": True}})
    note = next(note for note in preflight.notes(asked, where) if note.title == "Early stopping")
    assert note.text == (
        "After 3 evaluations in which eval_loss has not improved by more than 0.01. At the end the weights are those "
        "of the checkpoint with the best eval_loss."
    )


@pytest.mark.parametrize("metric", ["eval_loss", "eval_mean_token_accuracy", "eval_entropy"])
def test_every_metric_on_offer_is_one_that_trl_logs(train, values, metric):
    run, store = train({**values, "early_stopping": {"patience": 5, "metric": metric}})
    assert run["status"] == "finished", run["reason"]
    assert metric in store.metrics.names(run["id"])
    assert EarlyStopping(patience=1, metric=metric).greater is metric.endswith("accuracy")
