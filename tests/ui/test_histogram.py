"""Lengths as bars: max_length stands where it cuts, and what is cut looks so."""

import re

import pytest

from dfgui.data import statistics
from dfgui.ui.components import histogram

EVEN = [[0, 64, 10], [64, 128, 5], [128, 192, 1]]
MUCH_LONGER = [*EVEN, [192, 50_001, 2]]


def place(bars, max_length) -> float | None:
    """Where the line stands, from 0 at the left to 1."""
    found = re.search(r'<b style="--at: ([\d.]+)"', histogram.draw(bars, max_length, ""))
    return float(found[1]) if found else None


def test_every_bar_says_how_many_rows_are_how_long():
    drawn = histogram.draw(MUCH_LONGER, 1024, 'Half "up to" 40.')
    assert re.findall(r'title="([^"]+)"', drawn) == [
        "0 to 63 tokens: 10 rows",
        "64 to 127 tokens: 5 rows",
        "128 to 191 tokens: 1 row",
        "192 to 50,000 tokens: 2 rows",
    ]
    assert 'aria-label="Half &quot;up to&quot; 40."' in drawn


@pytest.mark.parametrize(
    ("bars", "max_length", "at"),
    [
        (EVEN, 96, 0.5),
        (EVEN, 192, None),
        (EVEN, 8000, None),
        (MUCH_LONGER, 96, 0.3),
        (MUCH_LONGER, 192, 0.6),
        ([*EVEN, [192, 8193, 1], [8193, 50_001, 1]], 8192, 0.7143),
    ],
)
def test_the_line_stands_where_max_length_cuts(bars, max_length, at):
    assert place(bars, max_length) == at


def test_a_bar_that_collects_what_is_much_longer_is_set_apart_and_named():
    drawn = histogram.draw(MUCH_LONGER, 128, "")
    assert re.findall(r'class="([^"]*)"', drawn)[1:5] == ["", "", "over", "over more"]
    assert "<span>192 tokens or more</span>" in drawn
    assert "<span>192 tokens</span>" in histogram.draw(EVEN, 128, "")


def test_without_rows_there_are_no_bars():
    bars = statistics.histogram([], 1024)
    assert "<i " not in histogram.draw(bars, 1024, "")
