"""A curve so small that it stands in a line of text: at most 40 letters, one for each part of the run.

    "9kgebaaY"      "A" is the lowest value of the curve, "_" the highest; "." is a part without any number

The page draws it (components/spark.js).
"""

import math
import string

from dfgui.store.metrics import Bucket

LEVELS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"  # 64, from low to high
MOST = 40  # parts
READ = 16 * MOST  # points to read: with that many buckets a curve of any length has enough of them


def spark(buckets: list[Bucket]) -> str:
    """Each part is the mean of its buckets; a run with fewer than two of them has no curve."""
    if len(buckets) < 2:
        return ""
    size = math.ceil(len(buckets) / MOST)
    parts = [_mean(buckets[start : start + size]) for start in range(0, len(buckets), size)]
    known = [part for part in parts if part is not None]
    if not known:
        return "." * len(parts)
    low, high = min(known), max(known)
    return "".join("." if part is None else LEVELS[_level(part, low, high)] for part in parts)


def _mean(buckets: list[Bucket]) -> float | None:
    values = [bucket[5] for bucket in buckets if bucket[5] is not None and math.isfinite(bucket[5])]
    return sum(values) / len(values) if values else None


def _level(value: float, low: float, high: float) -> int:
    return round((value - low) / (high - low) * (len(LEVELS) - 1)) if high > low else len(LEVELS) // 2
