"""Numbers over the lengths of rows."""

from itertools import pairwise
from random import Random

import pytest

from dfgui.data import statistics

LENGTHS = [10, 20, 30, 40, 500]


def test_lengths_are_summed_up():
    found = statistics.lengths(LENGTHS, max_length=100)
    assert (found["min"], found["median"], found["p95"], found["max"], found["mean"]) == (10, 30, 500, 500, 120.0)
    assert found["cut_share"] == 0.2
    assert sum(rows for _, _, rows in found["histogram"]) == 5


def test_without_rows_all_is_zero():
    found = statistics.lengths([], max_length=100)
    assert found.pop("histogram") == []
    assert set(found.values()) == {0}


@pytest.mark.parametrize("longest", [1, 7, 190, 191, 192, 1000, 12_287, 12_288, 1_000_000])
@pytest.mark.parametrize("max_length", [1, 100, 1024, 12_288, 100_000, 1_000_000])
@pytest.mark.parametrize("others", [0, 1, 98, 400])
def test_bars_cover_every_row_and_are_few(longest, max_length, others):
    ordered = sorted([1 + n % 300 for n in range(others)] + [longest])
    bars = statistics.histogram(ordered, max_length)
    assert bars[0][0] == 0 and bars[-1][1] > ordered[-1] >= bars[-1][0]
    assert len(bars) <= statistics.BARS + 3
    assert all(end == start for (_, end, _), (start, _, _) in pairwise(bars))
    assert [sum(start <= length < end for length in ordered) for start, end, _ in bars] == [n for _, _, n in bars]


def test_a_row_much_longer_than_the_others_leaves_them_room():
    lengths = [10 * n for n in range(1, 100)]
    bars = statistics.histogram([*lengths, 50_000], max_length=60_000)
    assert bars[-2:] == [[960, 1024, 4], [1024, 50_001, 1]]
    assert statistics.histogram([*lengths, 1400], max_length=60_000)[-1] == [1344, 1408, 1]


def test_a_max_length_that_cuts_lies_where_bars_are_drawn_to_scale_or_between_two_that_are_not():
    ordered = [*range(200, 400), 900, 50_000]
    near = statistics.histogram(ordered, max_length=1024)
    assert near[-2:] == [[1024, 1088, 0], [1088, 50_001, 1]]
    far = statistics.histogram(ordered, max_length=8192)
    assert far[-3:] == [[384, 416, 16], [416, 8193, 1], [8193, 50_001, 1]]


def test_the_recommended_length_keeps_all_rows_unless_a_few_are_much_longer():
    assert statistics.recommended([100] * 99 + [120]) == 128
    assert statistics.recommended([100] * 99 + [5000]) == 128
    assert statistics.recommended([100] * 90 + [5000] * 10) == 5056


@pytest.mark.parametrize(
    ("counts", "sequences"), [([60, 40, 50, 50], 2), ([60, 60, 60], 3), ([100, 100], 2), ([500], 1), ([30] * 10, 4)]
)
def test_packing_fills_sequences_best_fit_first(counts, sequences):
    assert statistics.packed(counts, max_length=100) == sequences


@pytest.mark.parametrize("seed", range(20))
def test_packing_needs_as_many_sequences_as_trl(seed):
    from datasets import Dataset
    from trl.data_utils import pack_dataset

    rng = Random(seed)
    counts = [rng.randint(1, 64) for _ in range(rng.randint(1, 200))]
    rows = Dataset.from_dict({"input_ids": [[7] * count for count in counts]})
    assert statistics.packed(counts, 64) == len(pack_dataset(rows, 64, strategy="bfd"))
