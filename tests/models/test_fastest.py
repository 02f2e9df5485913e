"""What is left open comes to the fastest that fits, and says why."""

import random

import pytest

from dfgui.models import fastest, hardware, memory
from dfgui.models.fastest import ATTENTION, CHECKPOINTING, ORDER, Choice, Known
from dfgui.models.hardware import Hardware
from dfgui.recipe import parse

CPU = Hardware("cpu", "CPU", False, 24 * 10**9)
CARD = Hardware("cuda", "NVIDIA L4", True, 24 * 10**9)
MIXED = [20, 30, 40, 900] * 100  # tokens


def run_of(training=None, **blocks):
    return parse(
        {"training": {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 1, **(training or {})}, **blocks}
    )


def shape(each):
    """A model of 1 GB that takes so many bytes for each token of a batch, and a tenth of them with checkpointing."""
    plain, less = (memory.moment((0, part, 0), (0, 0, 0), (4000, 0, 0)) for part in (each, each // 10))
    return memory.Shape(10**9, 10**9, [memory.Tensors((1000,), 4)], False, [plain], [less], [less])


def chosen(run, machine=CPU, **known):
    return {one.path: one for one in fastest.choices(run, machine, Known(**known))}


def test_checkpointing_is_left_off_where_there_is_room_without_it():
    one = chosen(run_of(), shape=shape(1_000_000), free=20 * 10**9)[CHECKPOINTING]
    assert one.value is False and one.because == "without it the run takes about 5.5 GB of 20.0 GB free"


def test_checkpointing_is_on_where_what_is_free_would_hardly_do():
    total = memory.estimate(shape(1_000_000), run_of({"gradient_checkpointing": False})).total
    kept = {
        part: chosen(run_of(), shape=shape(1_000_000), free=int(part * total))[CHECKPOINTING] for part in (1.2, 1.3)
    }
    assert {part: one.value for part, one in kept.items()} == {1.2: True, 1.3: False}
    assert kept[1.2].because.startswith("without it the run could take about 5.5 GB of")


def test_rows_that_are_shorter_than_max_length_leave_room():
    free = 4 * 10**9
    assert chosen(run_of(), shape=shape(1_000_000), free=free)[CHECKPOINTING].value is True
    assert chosen(run_of(), shape=shape(1_000_000), free=free, longest=200)[CHECKPOINTING].value is False


@pytest.mark.parametrize(
    ("blocks", "because"),
    [
        ({"run": {"backend": "unsloth"}}, "Unsloth's own way of it costs little time"),
        ({"run": {"placement": "accelerate"}}, "what each of several processes holds is not estimated"),
        ({}, "what the run takes without it is not known"),
    ],
)
def test_checkpointing_stays_on_where_nothing_is_known_of_the_memory(blocks, because):
    assert chosen(run_of(**blocks), free=10**12)[CHECKPOINTING] == Choice(CHECKPOINTING, True, because)


def test_a_bound_is_believed_when_it_is_far_below_what_is_free():
    told = {free: chosen(run_of(), bound=10**9, free=free)[CHECKPOINTING].value for free in (2 * 10**9, 2 * 10**9 - 1)}
    assert told == {2 * 10**9: False, 2 * 10**9 - 1: True}


@pytest.mark.parametrize("batch", [2, 4, 8])
def test_the_share_of_padding_is_that_of_batches_drawn_at_random(batch):
    dice = random.Random(3)
    drawn = [dice.sample(MIXED, batch) for _ in range(20_000)]
    filled, held = sum(map(sum, drawn)), sum(max(rows) * batch for rows in drawn)
    assert fastest.padding(MIXED, batch) == pytest.approx(1 - filled / held, abs=0.01)
    assert fastest.padding([70] * 9, batch) == 0


def test_rows_of_unlike_length_are_ordered_by_it():
    one = chosen(run_of(), lengths=MIXED)[ORDER]
    assert one.value == "group_by_length" and one.because == "60 % of a shuffled batch would be padding"
    alike = chosen(run_of(), lengths=[200, 210, 220, 230] * 100)[ORDER]
    assert alike.value == "random" and alike.because == "4 % of a shuffled batch would be padding"


def test_what_max_length_cuts_is_no_difference():
    assert chosen(run_of({"max_length": 40}), lengths=[50, 60, 70, 900] * 100)[ORDER].value == "random"


@pytest.mark.parametrize(
    ("training", "blocks", "lengths", "because"),
    [
        ({"packing": True}, {}, MIXED, "packed sequences are of one length already"),
        ({"per_device_train_batch_size": 1}, {}, MIXED, "a batch of one row has no padding"),
        ({}, {"run": {"placement": "accelerate"}}, MIXED, "several processes draw their rows apart"),
        ({"gradient_accumulation_steps": 20}, {}, MIXED, "there are too few rows to sort"),
        ({}, {}, [], "lengths are not known"),
    ],
)
def test_rows_stay_shuffled_where_ordering_them_gains_nothing(training, blocks, lengths, because):
    assert chosen(run_of(training, **blocks), lengths=lengths)[ORDER] == Choice(ORDER, "random", because)


def test_packed_rows_take_flash_attention_where_card_model_and_package_have_it(monkeypatch):
    monkeypatch.setattr(hardware, "has", lambda package: package == "flash_attn")
    packed = run_of({"packing": True})
    assert chosen(packed, CARD, flash=True)[ATTENTION].value == "flash_attention_2"
    assert ATTENTION not in chosen(packed, CARD, flash=False)
    assert ATTENTION not in chosen(packed, CPU, flash=True)
    assert ATTENTION not in chosen(run_of(), CARD, flash=True)
    assert ATTENTION not in chosen(run_of({"packing": True, "precision": "fp32"}), CARD, flash=True)


def test_what_was_asked_for_is_left_as_it_is():
    training = {"gradient_checkpointing": True, "train_sampling_strategy": "sequential"}
    run = run_of(training, model={"attn_implementation": "eager"})
    assert chosen(run, lengths=MIXED, shape=shape(1), free=10**12) == {}
    assert fastest.settled(run, {CHECKPOINTING: False, ORDER: "random", ATTENTION: "sdpa"}) == run


def test_a_run_is_settled_by_what_was_chosen():
    run = fastest.settled(run_of(), {CHECKPOINTING: False, ORDER: "group_by_length"})
    training = run.training
    assert (training.gradient_checkpointing, training.train_sampling_strategy) == (False, "group_by_length")


def test_after_a_failure_the_choice_that_would_mend_it_is_taken():
    before = {CHECKPOINTING: False, ORDER: "random"}
    (choice,) = fastest.mended(before, {CHECKPOINTING: True, "training.max_length": 512})
    assert choice[:2] == (CHECKPOINTING, True) and fastest.value_in_words(choice) == "on: the run failed otherwise"
    assert fastest.mended(before, {"training.max_length": 512}) == []
    assert fastest.mended({}, {CHECKPOINTING: True}) == []
