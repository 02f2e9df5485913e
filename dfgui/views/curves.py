"""Curves as the chart wants them: few enough points to draw, and no spike, no NaN and no average lost on the way.

    {"steps": [16, 32, ...], "mean": [1.2, ...], "low": [1.1, ...], "high": [1.4, ...], "nans": [[32, 1]]}

`low` and `high` are left out where every point stands for itself.
"""

from typing import Any

from dfgui.store.metrics import Bucket

# In the order of the cursor.
METRICS = ("loss", "eval_loss", "learning_rate", "grad_norm", "mean_token_accuracy", "eval_mean_token_accuracy")
MOST = 500  # points that a chart shows
FINER = 8  # buckets read for each point shown, so that a mean rests on at least so many values

Curve = dict[str, list[Any]]


def curve(buckets: list[Bucket], most: int = MOST) -> Curve:
    """At most `most` points out of the store's buckets.

    The store's buckets know no mean, so it is that of the last values of those that are put together: exact where a
    bucket is one point, a fair sample of at least FINER values where it is more.
    """
    together = -(-len(buckets) // most) or 1
    groups = [buckets[start : start + together] for start in range(0, len(buckets), together)]
    drawn: Curve = {
        "steps": [group[-1][0] for group in groups],
        "mean": [_mean([bucket[3] for bucket in group]) for group in groups],
    }
    low = [_extreme(min, [bucket[1] for bucket in group]) for group in groups]
    high = [_extreme(max, [bucket[2] for bucket in group]) for group in groups]
    if low != high:
        drawn |= {"low": low, "high": high}
    nans = [[group[-1][0], sum(bucket[4] for bucket in group)] for group in groups]
    if any(count for _, count in nans):
        drawn["nans"] = [mark for mark in nans if mark[1]]
    return drawn


def added(points: list[list[Any]]) -> list[Any]:
    """New points [[241, 0.82], [242, 0.81]] as [241, 0.82, 242, 0.81]; a NaN is null."""
    return [number for step, value in points for number in (step, rounded(value))]


def rounded(value: float | None) -> float | None:
    """Four significant digits: as fine as a screen, for a third of the bytes."""
    return None if value is None else float(f"{value:.4g}")


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return rounded(sum(known) / len(known)) if known else None


def _extreme(which: Any, values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return rounded(which(known)) if known else None
