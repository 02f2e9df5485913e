"""The checkpoints of a run as Export lists them, and two of them side by side.

Each is one of actions.shelf: {step, epoch, loss, eval_loss, ..., bytes, best, kept, created_at, score}.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dfgui import words

One = dict[str, Any]
EQUAL = "equal"
ACCURACY, EVAL_ACCURACY = "mean_token_accuracy", "eval_mean_token_accuracy"


def listed(checkpoints: list[One]) -> list[dict[str, Any]]:
    """The table's rows, newest first. What was not measured is ""."""
    return [
        {
            "step": one["step"],
            "epoch": _said(one["epoch"], _epochs),
            "loss": _said(one["loss"], _loss),
            "eval": _said(one["eval_loss"], _loss),
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
    apart: Callable[[float], str] | None = None  # how a difference is said, where not like a value


def _loss(value: float | None) -> str:
    """With a digit more than elsewhere: neighbours are close to each other."""
    return words.number(value, 4)


def _epochs(count: float | None) -> str:
    return words.NOTHING if count is None else f"{count:.2f}"


def _whole(count: float | None) -> str:
    return words.whole(None if count is None else round(count))


def _small(difference: float) -> str:
    return f"{difference:.4f}" if difference >= 5e-5 else words.number(difference)


def _points(difference: float) -> str:
    return f"{100 * difference:.1f} points"


def _accuracy(name: str) -> Callable[[One], float | None]:
    return lambda one: one[name]


def _right(one: One) -> float | None:
    return one["score"] and one["score"]["right"]


GUESSED = "tokens guessed right"
ON_HELD_OUT = (
    Measure("Held-out loss", "eval_loss", lambda one: one["eval_loss"], _loss, -1, _small),
    Measure(f"Held-out {GUESSED}", EVAL_ACCURACY, _accuracy(EVAL_ACCURACY), words.share, 1, _points),
    Measure("Right tool calls", "Evaluate", _right, _whole, 1),
)
MEASURES = (
    Measure("Step", "global_step", lambda one: one["step"], _whole),
    Measure("Epoch", "epoch", lambda one: one["epoch"], _epochs),
    *ON_HELD_OUT,
    Measure("Training loss", "loss", lambda one: one["loss"], _loss, -1, _small),
    Measure(f"{GUESSED.capitalize()} in training", ACCURACY, _accuracy(ACCURACY), words.share, 1, _points),
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
        "difference": _difference(first, second, measure.apart or measure.say),
        "better": better,
    }


def _difference(first: float | None, second: float | None, say: Callable[[float], str]) -> str:
    """From the first to the second: "+0.12", "−3", "none"; "" where one is not known."""
    if first is None or second is None:
        return ""
    if first == second:
        return "none"
    return f"{'+' if second > first else '−'}{say(abs(second - first))}"


def _verdict(one: One, other: One) -> str:
    """By what was measured on rows that neither has learned from."""
    found = [(measure.title, _row(measure, one, other)["better"]) for measure in ON_HELD_OUT]
    known = [(title[0].lower() + title[1:], step) for title, step in found if step is not None]
    ahead = {step: [title for title, of in known if of == step] for _, step in known if step != EQUAL}
    if not known:
        return "They were not both measured on held-out rows: score them on Evaluate to know."
    if not ahead:
        return "On the held-out rows they are equal."
    parts = [f"step {words.whole(step)} is better by {_joined(by)}" for step, by in ahead.items()]
    return f"S{'; '.join(parts)[1:]}."


def _joined(names: list[str]) -> str:
    return ", ".join(names[:-1]) + (" and " if names[1:] else "") + names[-1]


def _score(one: One) -> str:
    return f"{one['score']['right']} of {one['score']['total']}" if one["score"] else ""


def _said(value: float | None, say: Callable[[float | None], str]) -> str:
    return "" if value is None else say(value)
