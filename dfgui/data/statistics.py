"""How long rows are, in tokens, and what a max_length would mean for them.

lengths([212, 340, 1900], max_length=1024)
-> {"min": 212, "median": 340, "p95": 1900, "max": 1900, "mean": 817.3, "histogram": [[0, 64, 0], ...],
    "cut_share": 0.333, "recommended_max_length": 1920}
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

BARS = 24  # of the histogram, at most
WIDTHS = (8, 16, 32, 64, 128, 256, 512)  # of its bars, in tokens; beyond, powers of two
COVERED = 0.99  # of the rows a recommended max_length holds whole
STEP = 64  # a recommended max_length is a multiple of it


def lengths(counts: Sequence[int], max_length: int) -> dict[str, Any]:
    """Numbers over rows of so many tokens each; all zero, and no bars, without rows."""
    ordered = sorted(counts)
    return {
        "min": ordered[0] if ordered else 0,
        "median": quantile(ordered, 0.5),
        "p95": quantile(ordered, 0.95),
        "max": ordered[-1] if ordered else 0,
        "mean": round(sum(ordered) / len(ordered), 1) if ordered else 0,
        "histogram": histogram(ordered),
        "cut_share": (len(ordered) - bisect_right(ordered, max_length)) / len(ordered) if ordered else 0,
        "recommended_max_length": recommended(ordered),
    }


def quantile(ordered: list[int], share: float) -> int:
    """The smallest length that so large a share of the rows does not exceed (nearest rank); 0 without rows."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0


def recommended(ordered: list[int]) -> int:
    """A max_length that keeps nearly all rows whole: all of them, unless a few are much longer than the rest."""
    if not ordered:
        return 0
    most = quantile(ordered, COVERED)
    longest = ordered[-1]
    return _up(longest if longest <= 1.25 * most else most, STEP)


def histogram(ordered: list[int]) -> list[list[int]]:
    """[from, to, rows] per bar, from 0 on; `to` is not included."""
    if not ordered:
        return []
    width = next((width for width in WIDTHS if ordered[-1] < BARS * width), 0) or _power(ordered[-1] / BARS)
    bars = [[start, start + width, 0] for start in range(0, ordered[-1] + 1, width)]
    for length in ordered:
        bars[length // width][2] += 1
    return bars


def packed(counts: Sequence[int], max_length: int) -> int:
    """How many sequences of max_length the rows fill when packed, each put where it fits best ("bfd" in TRL).

    Rows longer than max_length count as cut. Exact for the order of lengths, not for ties.
    """
    room: list[int] = []  # what is left in each open sequence, ascending
    sequences = 0
    for count in sorted((min(count, max_length) for count in counts), reverse=True):
        place = _fitting(room, count)
        if place is None:
            sequences += 1
            left = max_length - count
        else:
            left = room.pop(place) - count
        room.insert(bisect_right(room, left), left)
    return sequences


def _fitting(room: list[int], count: int) -> int | None:
    """The sequence with the least room that still holds so many tokens."""
    place = bisect_right(room, count - 1)
    return place if place < len(room) else None


def _up(value: int, step: int) -> int:
    return -(-value // step) * step


def _power(width: float) -> int:
    return 1 << math.ceil(math.log2(width))
