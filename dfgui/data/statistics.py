"""How long rows are, in tokens, and what a max_length would mean for them.

lengths([212, 340, 1900], max_length=1024)
-> {"min": 212, "median": 340, "p95": 1900, "max": 1900, "mean": 817.3, "histogram": [[0, 64, 0], ...],
    "cut_share": 0.333, "recommended_max_length": 1920}
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

BARS = 24  # of equal width in the histogram, at most
WIDTHS = (8, 16, 32, 64, 128, 256, 512)  # of its bars, in tokens; beyond, powers of two
COVERED = 0.99  # of the rows a recommended max_length holds whole
FAR = 1.5  # times as long as nearly all rows: what is longer is much longer
NEAR = 4  # times as long as nearly all rows: a max_length up to there is drawn to scale
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
        "histogram": histogram(ordered, max_length),
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


def histogram(ordered: list[int], max_length: int) -> list[list[int]]:
    """[from, to, rows] per bar, from 0 on; `to` is not included.

    A few rows that are much longer than the rest are collected in a wide bar at the end, so that the others have room;
    in two where max_length lies among them: those that it keeps, those that it cuts.
    """
    if not ordered:
        return []
    longest, drawn = ordered[-1], _drawn(ordered, max_length)
    width = next((width for width in WIDTHS if drawn < BARS * width), 0) or _power(drawn / BARS)
    edges = [*range(0, drawn + width + 1, width)]
    end = edges[-1]
    if end <= max_length < longest:
        edges.append(max_length + 1)
    if end <= longest:
        edges.append(max(longest + 1, end + width))
    return [[start, to, bisect_left(ordered, to) - bisect_left(ordered, start)] for start, to in pairwise(edges)]


def _drawn(ordered: list[int], max_length: int) -> int:
    """Up to where bars are equally wide: as long as nearly all rows are, or max_length if it cuts not far beyond."""
    longest, most = ordered[-1], min(quantile(ordered, COVERED), ordered[-2:][0])
    if max_length < longest and max_length <= NEAR * most:
        most = max(most, max_length)
    return longest if longest <= FAR * most else most


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
