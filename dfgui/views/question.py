"""The question in a held-out row: what is asked, what stands before it, and what the row answers.

of({"row": 17, "messages": [system, user, assistant with a call, tool, assistant], "tools": [...]})
-> Question(row=17, history=[system], prompt="Weather in Oslo?", answer=[assistant with a call], tools=[...])
"""

from dataclasses import dataclass
from typing import Any

Messages = list[dict[str, Any]]


@dataclass(frozen=True)
class Question:
    row: int
    history: Messages  # before the user's words
    prompt: str  # the user's words
    answer: Messages  # the turn that follows in the row
    tools: Messages


def of(held_out: dict[str, Any]) -> Question | None:
    """The first turn that calls a tool right after a user's words, else the first answer; None without either."""
    messages = held_out["messages"]
    answers = [place for place in range(1, len(messages)) if _answers(messages, place)]
    if not answers:
        return None
    place = next((place for place in answers if messages[place].get("tool_calls")), answers[0])
    asked = messages[place - 1]["content"]
    return Question(held_out["row"], messages[: place - 1], asked, [messages[place]], held_out["tools"])


def label(question: Question) -> str:
    """ "Row 17 · Weather in Oslo? · calls get_weather"."""
    calls = [call["function"]["name"] for call in question.answer[0].get("tool_calls") or []]
    ending = f" · calls {', '.join(calls)}" if calls else ""
    return f"Row {question.row} · {_short(question.prompt)}{ending}"


def asked_before(messages: Messages, turn: int) -> str:
    """The last words of a user before a turn (numbered from 1)."""
    before = messages[: turn - 1]
    return next((str(message["content"]) for message in reversed(before) if message["role"] == "user"), "")


def _answers(messages: Messages, place: int) -> bool:
    return messages[place]["role"] == "assistant" and messages[place - 1]["role"] == "user"


def _short(text: str, length: int = 70) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"
