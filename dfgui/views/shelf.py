"""The checkpoints of a run as Export lists them, and two of them side by side.

Each is one of actions.shelf: {step, epoch, loss, eval_loss, ..., bytes, best, kept, created_at, score}.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dfgui import words

One = dict[str, Any]
EQUAL = "equal"


def listed(checkpoints: list[One]) -> list[dict[str, Any]]:
    """The table's rows, newest first. What was not measured is ""."""
    return [
        {
            "step": one["step"],
            "epoch": _said(one["epoch"], words.number),
            "loss": _said(one["loss"], words.number),
            "eval": _said(one["eval_loss"], words.number),
            "score": _score(one),
            "size": words.size(one["bytes"]),
            "when": words.moment(one["created_at"])[:16],
            "best": one["best"],
            "kept": one["kept"],
        }
        for one in reversed(checkpoints)
    ]


def left_over(folders: list[str], ended: bool) -> str:
    """What lies on the disk and is not offered; "" while a run may still write it."""
    if not folders or not ended:
        return ""
    are = "is" if len(folders) == 1 else "are"
    return f"{words.counted(len(folders), 'unfinished folder')} {are} not offered: {', '.join(folders)}."


@dataclass(frozen=True)
class Measure:
    """A line of the comparison. `better`: 1 where more is better, -1 where less is, 0 where neither is."""

    title: str
    exact: str
    value: Callable[[One], float | None]
    say: Callable[[float | None], str]
    better: int = 0


def _whole(count: float | None) -> str:
    return words.whole(None if count is None else round(count))


def _accuracy(name: str) -> Callable[[One], float | None]:
    return lambda one: one[name]


MEASURES = (
    Measure("Step", "global_step", lambda one: one["step"], _whole),
    Measure("Epoch", "epoch", lambda one: one["epoch"], words.number),
    Measure("Held-out loss", "eval_loss", lambda one: one["eval_loss"], words.number, -1),
    Measure("Training loss", "loss", lambda one: one["loss"], words.number, -1),
    Measure(
        "Held-out tokens guessed right",
        "eval_mean_token_accuracy",
        _accuracy("eval_mean_token_accuracy"),
        words.share,
        1,
    ),
    Measure("Tokens guessed right", "mean_token_accuracy", _accuracy("mean_token_accuracy"), words.share, 1),
    Measure("Right tool calls", "Evaluate", lambda one: one["score"] and one["score"]["right"], _whole, 1),
    Measure("Learning rate", "learning_rate", lambda one: one["learning_rate"], words.number),
    Measure("Size on disk", "", lambda one: one["bytes"], words.size),
)


def side_by_side(one: One, other: One) -> dict[str, Any]:
    """{steps, rows: [{title, exact, values: [2], difference, better}], verdict}.

    `better` is the step of the better one, "equal", or None where it is not known or a matter of taste.
    """
    rows = [_row(measure, one, other) for measure in MEASURES]
    return {
        "steps": [one["step"], other["step"]],
        "rows": [row for row in rows if any(value != words.NOTHING for value in row["values"])],
        "verdict": _verdict(one, other),
    }


def _row(measure: Measure, one: One, other: One) -> dict[str, Any]:
    first, second = measure.value(one), measure.value(other)
    better = None
    if measure.better and first is not None and second is not None:
        ahead = measure.better * (first - second)
        better = EQUAL if not ahead else one["step"] if ahead > 0 else other["step"]
    said = [measure.say(value) for value in (first, second)]
    if measure.exact == "Evaluate":
        said = [_score(each) or words.NOTHING for each in (one, other)]
    return {
        "title": measure.title,
        "exact": measure.exact,
        "values": said,
        "difference": _difference(first, second, measure.say),
        "better": better,
    }


def _difference(first: float | None, second: float | None, say: Callable[[float | None], str]) -> str:
    """From the first to the second: "+0.12", "−3", "none"; "" where one is not known."""
    if first is None or second is None:
        return ""
    if first == second:
        return "none"
    return f"{'+' if second > first else '−'}{say(abs(second - first))}"


def _verdict(one: One, other: One) -> str:
    """Which to take, by what was measured on rows that neither has learned from; said with care."""
    measures = [measure for measure in MEASURES if measure.exact in ("Evaluate", "eval_loss")]
    rows = [_row(measure, one, other) for measure in measures]
    steps = {row["better"] for row in rows if row["better"] not in (None, EQUAL)}
    if not any(row["better"] is not None for row in rows):
        return "Neither was measured on held-out rows as it was saved: score both on Evaluate to know."
    if not steps:
        return "On the held-out rows they are equal."
    if len(steps) > 1:
        return "They are at odds: one has the lower held-out loss, the other more right tool calls."
    return f"On the held-out rows step {words.whole(steps.pop())} does better."


def _score(one: One) -> str:
    return f"{one['score']['right']} of {one['score']['total']}" if one["score"] else ""


def _said(value: float | None, say: Callable[[float | None], str]) -> str:
    return "" if value is None else say(value)
