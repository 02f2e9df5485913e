"""Right tool calls, before and after: the store's scores as two numbers and a list of failures to read."""

from dataclasses import dataclass
from typing import Any

from dfgui.store.scores import BASE


@dataclass(frozen=True)
class Count:
    step: int
    state: str  # none, scoring, done, broken
    right: int = 0
    done: int = 0
    total: int = 0
    trouble: str = ""

    @property
    def words(self) -> str:
        """ "45 of 47"; a dash while there is no result."""
        return f"{self.right} of {self.total}" if self.state == "done" else "–"

    @property
    def remark(self) -> str:
        if self.state == "scoring":
            return f"counting: {self.done} of {self.total} asked"
        if self.state == "broken":
            return self.trouble or "broke off; count again"
        if self.state == "none":
            return "not counted yet"
        return f"{100 * self.right / max(self.total, 1):.0f} % right"


def count(scores: list[dict[str, Any]], step: int) -> Count:
    """What is known of one checkpoint; step 0 is the base model."""
    found = next((score for score in scores if score["step"] == step), None)
    if found is None:
        return Count(step, "none")
    return Count(step, found["state"], found["right"], found["done"], found["total"], found["trouble"] or "")


def failures(scores: list[dict[str, Any]], step: int) -> list[dict[str, Any]]:
    """The results that are wrong: row, turn, expected, got, text, why."""
    found = next((score for score in scores if score["step"] == step), None)
    return [result for result in found["results"] if not result["right"]] if found else []


def to_count(scores: list[dict[str, Any]], step: int) -> list[int]:
    """Which steps a press of the button counts: the checkpoint again, and the base if nobody did."""
    base = count(scores, BASE).state
    return [*([BASE] if base in ("none", "broken") else []), step]


def counting(scores: list[dict[str, Any]]) -> bool:
    return any(score["state"] == "scoring" for score in scores)
