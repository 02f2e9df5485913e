"""The demo dataset: tool-calling conversations in DeepFabric's format, made from a seed.

    rows(seed=7, count=600) -> [{"messages": [...], "tools": [...], "question": "...", "final_answer": "", ...}, ...]

No question and no set of arguments occurs twice, so that any rows held out ask for something never trained on.
`python -m dfgui.models.demo.dataset` writes rows.jsonl, which a test holds equal to what this file makes.
"""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from dfgui.models.demo import ROWS
from dfgui.models.demo.small_talk import TURNS
from dfgui.models.demo.tools import TOOLS, Arguments

SEED = 7
COUNT = 600
KINDS = {
    "call": 42,
    "answered": 22,
    "two turns": 14,
    "two calls": 8,
    "talk then call": 6,
    "talk": 9,
}  # shares, in percent
SYSTEM = (
    "You are a helpful assistant.",
    "Use a tool when one is needed, otherwise answer yourself.",
    "You are the assistant of a small office. Be brief.",
)
LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
GLUE = (" Also: {}", " And then: {}", " {}", " One more thing: {}", " Next: {}")

Row = dict[str, Any]
Message = dict[str, Any]


def rows(seed: int = SEED, count: int = COUNT) -> list[Row]:
    """That many rows, the same for the same seed."""
    maker = Maker(Random(seed))
    kinds = [kind for kind, share in KINDS.items() for _ in range(round(count * share / 100))]
    kinds = (kinds + ["call"] * count)[:count]
    maker.rng.shuffle(kinds)
    return [maker.row(number, kind) for number, kind in enumerate(kinds)]


class Maker:
    """Makes rows, remembering what has been asked."""

    def __init__(self, rng: Random):
        self.rng = rng
        self.asked: set[str] = set()
        self.called: set[str] = set()
        self.talk = list(TURNS)
        self.turns = self._tool_names()
        rng.shuffle(self.talk)

    def row(self, number: int, kind: str) -> Row:
        used: list[str] = []
        messages = getattr(self, "_" + kind.replace(" ", "_"))(used)
        if self.rng.random() < 0.35:
            messages.insert(0, {"role": "system", "content": self.rng.choice(SYSTEM)})
        last = messages[-1]
        return {
            "messages": messages,
            "tools": [TOOLS[name].schema for name in self._offered(used)],
            "metadata": {"topic_id": f"demo{number:04d}", "conversation_type": "basic"},
            "question": next(message["content"] for message in messages if message["role"] == "user"),
            "final_answer": "" if "tool_calls" in last else last["content"],
        }

    def _call(self, used: list[str]) -> list[Message]:
        question, calls = self._request(used, 1)
        return [question, assistant("", calls)]

    def _answered(self, used: list[str]) -> list[Message]:
        question, calls = self._request(used, 1)
        return [question, assistant("", calls), *self._outcome(calls)]

    def _two_turns(self, used: list[str]) -> list[Message]:
        again = self._call if self.rng.random() < 0.5 else self._answered
        return [*self._answered(used), *again(used)]

    def _two_calls(self, used: list[str]) -> list[Message]:
        question, calls = self._request(used, 2)
        messages = [question, assistant("", calls)]
        return messages + self._outcome(calls) if self.rng.random() < 0.5 else messages

    def _talk(self, used: list[str]) -> list[Message]:
        asked, said = self.talk.pop()
        return [{"role": "user", "content": asked}, assistant(said)]

    def _talk_then_call(self, used: list[str]) -> list[Message]:
        return [*self._talk(used), *self._call(used)]

    def _request(self, used: list[str], count: int) -> tuple[Message, list[Message]]:
        """A question for one or two calls, and the calls."""
        texts, calls = [], []
        for _ in range(count):
            name = next(turn for turn in self.turns if turn not in used)
            used.append(name)
            text, arguments = self._fresh(name)
            texts.append(text)
            calls.append(self._tool_call(name, arguments))
        text = texts[0]
        for more in texts[1:]:
            ended = text if text[-1] in ".?!" else text + "."
            text = ended + self.rng.choice(GLUE).format(more)
        self.asked.add(text)
        return {"role": "user", "content": text}, calls

    def _fresh(self, name: str) -> tuple[str, Arguments]:
        """A question and its arguments, neither of which was used before."""
        tool = TOOLS[name]
        while True:
            arguments = tool.draw(self.rng)
            text, key = tool.ask(self.rng, arguments), json.dumps([name, arguments], sort_keys=True)
            if text not in self.asked and key not in self.called:
                self.asked.add(text)
                self.called.add(key)
                return text, arguments

    def _outcome(self, calls: list[Message]) -> list[Message]:
        """The tool's results, and the answer that says them in words."""
        results, said = [], []
        for call in calls:
            arguments = json.loads(call["function"]["arguments"])
            tool = TOOLS[call["function"]["name"]]
            result = tool.result(self.rng, arguments)
            results.append({"role": "tool", "content": compact(result), "tool_call_id": call["id"]})
            said.append(tool.say(arguments, result))
        return [*results, assistant(" ".join(said))]

    def _tool_call(self, name: str, arguments: Arguments) -> Message:
        id_ = "".join(self.rng.choice(LETTERS) for _ in range(9))
        return {"id": id_, "type": "function", "function": {"name": name, "arguments": compact(arguments)}}

    def _offered(self, used: list[str]) -> list[str]:
        """Two or three tools, those that the row uses among them."""
        others = [name for name in TOOLS if name not in used]
        wanted = max(len(used), self.rng.choice((2, 2, 3)))
        offered = used + self.rng.sample(others, wanted - len(used))
        self.rng.shuffle(offered)
        return offered

    def _tool_names(self) -> Iterator[str]:
        """Every tool as often as the next, in an order without a pattern."""
        while True:
            names = list(TOOLS)
            self.rng.shuffle(names)
            yield from names


def assistant(content: str, tool_calls: list[Message] | None = None) -> Message:
    message: Message = {"role": "assistant", "content": content}
    return message | {"tool_calls": tool_calls} if tool_calls else message


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def write() -> None:
    """Write the committed file."""
    lines = (json.dumps(row, ensure_ascii=False) for row in rows())
    ROWS.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    write()
