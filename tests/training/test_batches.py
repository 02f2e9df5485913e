"""What went wrong in a step is told with the numbers of the rows it happened with."""

import json
import re
from types import SimpleNamespace

import pytest
import torch
from datasets import Dataset

from dfgui.models import load
from dfgui.training.batches import Batches
from tests.tiny import tiny_folder

ROWS = {3: [5, 6, 7], 4: [8, 9], 9: [5, 6, 7, 8], 12: [1]}  # row number -> input_ids


@pytest.fixture
def batches():
    train = Dataset.from_list([{"input_ids": ids} for ids in ROWS.values()])
    return Batches(SimpleNamespace(training_step=None), train, list(ROWS))


def test_rows_are_known_through_their_padding(batches):
    ids = torch.tensor([[5, 6, 7, 0], [8, 9, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0]])
    assert batches.rows([(ids, (None, mask))]) == [3, 4]


def test_rows_that_were_packed_into_one_sequence_are_told_apart(batches):
    ids, positions = torch.tensor([[5, 6, 7, 8, 1, 8, 9]]), torch.tensor([[0, 1, 2, 3, 0, 0, 1]])
    assert batches.rows([(ids, (positions, None))]) == [4, 9, 12]


@pytest.fixture
def diverging(values):
    wild = {"learning_rate": 10.0, "max_grad_norm": 1e9, "optim": "sgd", "max_steps": 60, "logging_steps": 3}
    return {**values, "method": "full", "training": {**values["training"], **wild}}


@pytest.mark.parametrize("packing", [False, True])
def test_a_loss_that_is_no_number_names_the_step_the_rate_and_the_rows(train, diverging, packing):
    run, store = train({**diverging, "training": {**diverging["training"], "packing": packing}})
    assert (run["status"], run["error"]["what"]) == ("failed", "The training diverged.")
    told = re.fullmatch(
        r"The loss is nan at step (\d+), at a learning rate of ([\d.]+), first in a batch of "
        r"rows? ([\d, ]+)(?: and \d+ more)?\.",
        run["error"]["why"],
    )
    assert told, run["error"]["why"]
    assert int(told[1]) == run["global_step"] and float(told[2]) > 1
    numbers = [int(number) for number in told[3].split(", ")]
    assert numbers == sorted(numbers) and set(numbers) <= set(range(1, 41))
    if not packing:
        assert len(numbers) == 4  # one batch of the three that were logged together
    assert "learning_rate to 1 (now 10)" in run["error"]["do"]
    assert run["error"]["changes"]["training.learning_rate"] == 1.0
    assert store.metrics.points(run["id"], "loss")[-1][1] is None  # and it is in the curve


def test_a_row_that_a_step_cannot_take_is_named(train, values, rows_file, tmp_path, monkeypatch):
    """A tokenizer with a token that the model has no embedding for, in row 7 alone."""
    from transformers import AutoTokenizer

    folder = tiny_folder(tmp_path / "base")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["<unheard>"])
    tokenizer.save_pretrained(folder)
    rows = [json.loads(line) for line in rows_file.read_text().splitlines()]
    rows[6]["messages"][1]["content"] += " <unheard>"
    rows_file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setattr(load, "make_room", lambda model, tokenizer: None)
    whole = {**values["training"], "max_steps": 12, "eval_strategy": "no"}
    data = {**values["data"], "eval_fraction": 0}
    run, _ = train({**values, "model": {"name": str(folder)}, "data": data, "training": whole})
    assert run["status"] == "failed"
    assert run["error"]["what"] == "The tokenizer knows tokens that the model does not."
    told = re.search(r"in a batch of rows ([\d, ]+)\. Its largest token id is (\d+)", run["error"]["why"])
    assert told and 7 in [int(number) for number in told[1].split(", ")]
    assert int(told[2]) == len(tokenizer) - 1
    assert f"the model knows ids up to {len(tokenizer) - 2}." in run["error"]["why"]
    assert "IndexError: index out of range in self" in run["error"]["details"]


def test_a_step_is_given_what_it_was_given_and_only_a_few_are_kept(batches):
    seen = []
    batches._step = lambda *given, **named: seen.append((given, named)) or torch.tensor(1.0)
    for number in range(100):
        inputs = {"input_ids": torch.tensor([[number]])}
        assert batches._training_step("model", inputs, 3) == 1.0
    assert len(seen) == 100 and seen[-1] == (("model", inputs, 3), {})
    assert len(batches.recent) == 64
    batches.on_log(None, None, None, logs={"loss": 1.0})
    assert not batches.recent
