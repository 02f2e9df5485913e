"""A run decides what its settings leave open once its rows are known, tells it, and keeps to it."""

import json

import pytest

from dfgui import actions
from dfgui.models import fastest, hardware, memory, shapes
from dfgui.models.hardware import Hardware
from dfgui.store import Store
from dfgui.training import choices, launcher
from dfgui.training.trainer import Trainer
from dfgui.views import monitor
from tests.training.control import commanding

OPEN = {"gradient_checkpointing": "auto", "train_sampling_strategy": "auto", "per_device_train_batch_size": 2}
MIB = 2**20


@pytest.fixture
def open_values(values, tmp_path, monkeypatch):
    """A run that leaves open what it can, of rows some of which are long; nobody has measured its model."""
    monkeypatch.setattr(shapes, "_found", {})
    file = tmp_path / "unlike.jsonl"
    rows = [[f"Count to {n % 7}.", " ".join(map(str, range(60 if n % 3 == 0 else 2)))] for n in range(40)]
    turns = [[{"role": "user", "content": ask}, {"role": "assistant", "content": told}] for ask, told in rows]
    file.write_text("".join(json.dumps({"messages": each}) + "\n" for each in turns))
    return {**values, "data": {"source": str(file)}, "training": {**values["training"], **OPEN}}


def facts(run):
    return run["facts"]["chosen"], run["facts"]["chosen_because"]


def test_what_is_left_open_is_chosen_told_and_trained_with(train, open_values):
    run, store = train(open_values)
    chosen, because = facts(run)
    assert chosen == {fastest.CHECKPOINTING: False, fastest.ORDER: "group_by_length"}
    assert "at most" in because[fastest.CHECKPOINTING] and "would be padding" in because[fastest.ORDER]
    told = [event["text"] for event in store.events.tail(run["id"])]
    assert any(text.startswith("Order of rows group_by_length: ") for text in told)
    shown = dict(monitor.about(run))
    assert shown["Gradient checkpointing"] == f"off: {because[fastest.CHECKPOINTING]}"
    asked = {"gradient_checkpointing": False, "train_sampling_strategy": "group_by_length"}
    same, _ = train({**open_values, "training": {**open_values["training"], **asked}})
    assert "chosen" not in same["facts"] or same["facts"]["chosen"] == {}
    assert store.metrics.points(run["id"], "loss") == store.metrics.points(same["id"], "loss")


def test_a_resume_keeps_to_what_was_chosen(train, open_values, where, monkeypatch):
    whole, store = train(open_values)
    commanding(monkeypatch, {3: ["save"], 5: ["stop-without-checkpoint"]})
    run, _ = train(open_values)
    monkeypatch.undo()
    monkeypatch.setattr(fastest, "choices", lambda *asked: pytest.fail("it was decided already"))
    actions.resume(where, run["id"], executor="test")
    launcher.run_here(run["id"], where)
    assert Store(where.store_path).runs.get(run["id"])["status"] == "finished"
    assert store.metrics.points(run["id"], "loss") == store.metrics.points(whole["id"], "loss")


def test_its_script_is_written_with_what_was_chosen(train, open_values, where):
    run, _ = train(open_values)
    source = actions.source(where, run["id"])
    assert "gradient_checkpointing=False" in source and 'train_sampling_strategy="group_by_length"' in source
    before = actions.source(where, open_values)  # of a run that has not begun: as it would be here
    assert 'train_sampling_strategy="group_by_length"' in before and "auto" not in before


def test_a_large_model_is_measured_first(train, open_values, monkeypatch):
    step = memory.moment((0, 1000, 0), (0, 0, 0), (4000, 0, 0))
    shape = memory.Shape(10**6, 4 * 10**6, [memory.Tensors((1000,), 4)], False, [step], [step], [step])
    answers = iter([None, None, None])  # to whoever waits for it; nobody has measured it before
    monkeypatch.setattr(fastest, "is_small", lambda bound, free: False)
    monkeypatch.setattr(shapes, "known", lambda *asked, begin=True: next(answers, shape) if begin else None)
    run, store = train(open_values)
    assert "Measuring the model." in [event["text"] for event in store.events.tail(run["id"])]
    chosen, because = facts(run)
    assert chosen[fastest.CHECKPOINTING] is False and "about" in because[fastest.CHECKPOINTING]


def test_a_model_that_takes_too_long_to_measure_keeps_checkpointing(train, open_values, monkeypatch):
    monkeypatch.setattr(choices, "SECONDS", 0)
    monkeypatch.setattr(hardware, "free", lambda: MIB)
    monkeypatch.setattr(shapes, "known", lambda *asked, **how: None)
    chosen, because = facts(train(open_values)[0])
    assert chosen[fastest.CHECKPOINTING] is True and "of 1 MB free" in because[fastest.CHECKPOINTING]


def test_a_run_that_turns_out_far_too_large_ends_before_it_loads(open_values, where, monkeypatch):
    run = actions.start(where, open_values, executor="test")  # from a command line: nobody has measured its model
    step = memory.moment((0, 5 * 10**7, 0), (0, 0, 0), (4000, 0, 0))
    shape = memory.Shape(10**6, 4 * 10**6, [memory.Tensors((1000,), 4)], False, [step], [step], [step])
    monkeypatch.setattr(shapes, "known", lambda *asked, **how: shape)
    monkeypatch.setattr(hardware, "look", lambda: Hardware("cpu", "CPU", False, 24 * 10**9))
    monkeypatch.setattr(hardware, "free", lambda: 20 * 10**9)
    launcher.run_here(run, where)
    store = Store(where.store_path)
    row = store.runs.get(run)
    assert (row["status"], row["error"]["what"]) == ("failed", "The memory is too small.")
    assert row["error"]["changes"] == {"training.per_device_eval_batch_size": 2}


def test_a_run_that_ran_out_of_memory_goes_on_with_checkpointing(train, open_values, where, monkeypatch):
    step = Trainer.training_step

    def too_much(trainer, *given, **named):
        if trainer.state.global_step == 5:
            raise MemoryError
        return step(trainer, *given, **named)

    monkeypatch.setattr(Trainer, "training_step", too_much)
    run, store = train(open_values)
    assert run["status"] == "failed" and "gradient_checkpointing to true (now false" in run["error"]["do"]
    assert store.runs.get(run["id"])["facts"]["chosen"][fastest.CHECKPOINTING] is True
    monkeypatch.setattr(Trainer, "training_step", step)
    actions.resume(where, run["id"], executor="test")
    launcher.run_here(run["id"], where)
    assert store.runs.get(run["id"])["status"] == "finished"
