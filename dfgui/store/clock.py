"""The clock of a run, read off its row: how long the part that trains now has trained, and how fast.

It starts when the first step has ended, which takes longer than the others. A run that was resumed began anew at a
checkpoint (`begun_at_step`).
"""

from typing import Any


def seconds(run: dict[str, Any], now: float) -> float | None:
    """Since this part's first step ended, until now or until the run's end; None before that step."""
    if run["first_step_at"] is None:
        return None
    return max((run["ended_at"] or now) - run["first_step_at"], 0.0)


def steps(run: dict[str, Any]) -> int:
    """That this part has taken since the clock started; -1 before it did."""
    taken: int = run["global_step"] - run["begun_at_step"]
    return taken - 1


def rate(run: dict[str, Any], now: float) -> float | None:
    """Steps per second; None before this part's second step."""
    taken, elapsed = steps(run), seconds(run, now)
    return taken / elapsed if elapsed and taken >= 1 else None
