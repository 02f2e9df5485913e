"""Curves as the chart wants them: few enough points to draw, and no spike, no NaN and no average lost on the way.

    {"steps": [16, 32, ...], "mean": [1.2, ...], "low": [1.1, ...], "high": [1.4, ...], "nans": [[32, 1]]}

`low` and `high` are left out where every point stands for itself.
"""

from typing import Any

from dfgui.store.metrics import Bucket

# In the order of the cursor.
METRICS = ("loss", "eval_loss", "learning_rate", "grad_norm", "mean_token_accuracy", "eval_mean_token_accuracy")
MOST = 500  # points that a chart shows

Curve = dict[str, list[Any]]


def curve(buckets: list[Bucket]) -> Curve:
    """The store's buckets as columns."""
    drawn: Curve = {
        "steps": [bucket[0] for bucket in buckets],
        "mean": [rounded(bucket[5]) for bucket in buckets],
    }
    low, high = ([rounded(bucket[place]) for bucket in buckets] for place in (1, 2))
    if low != high:
        drawn |= {"low": low, "high": high}
    if nans := [[bucket[0], bucket[4]] for bucket in buckets if bucket[4]]:
        drawn["nans"] = nans
    return drawn


def added(points: list[list[Any]]) -> list[Any]:
    """New points [[241, 0.82], [242, 0.81]] as [241, 0.82, 242, 0.81]; a NaN is null."""
    return [number for step, value in points for number in (step, rounded(value))]


def rounded(value: float | None) -> float | None:
    """Four significant digits: as fine as a screen, for a third of the bytes."""
    return None if value is None else float(f"{value:.4g}")
