"""Tools as people have them, with the questions they are asked; none of them is the demo's. everyday.txt holds them.

tool = everyday_tools(rng, 2)[0]
tool.schema()  -> {"type": "function", "function": {"name": "start_song", "description": "Play a song.", ...}}
tool.ask(rng)  -> ("Put on old maps by Tasil Brone.", {"song": "old maps", "artist": "Tasil Brone"})

Their names and those of their parameters change from one conversation to the next, and are often any word: what stands
in the schema must be read. A block of everyday.txt is one tool:

    translate_text, translate, language.translate           its name, one of these
    Translate a text into another language.                 its description
    text, phrase: phrase | Text to translate                a parameter's names, kind of value and description
    ? tone: plain / formal | Tone of the translation        one that may be left out; a choice
    > Translate {text}[ in a {tone} tone].                  a question; what is in brackets may be left out
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from dfgui.models.demo import words
from dfgui.models.demo.parameters import schema

ROOMS, SPORTS, FILES = words.LISTS["rooms"], words.LISTS["sports"], words.LISTS["endings of files"]
STREETS = ("Street", "Road", "Lane", "Way")
SEGMENT = re.compile(r"\[([^\]]*)\]")
SLOT = re.compile(r"\{(\w+)\}")
TYPES = {"integer": "integer", "small": "integer", "number": "number"}  # kinds whose values are no text
KINDS: dict[str, Callable[[Random], Any]] = {
    "chore": lambda rng: f"{rng.choice(words.VERBS)} {rng.choice(('the', 'my', 'a', 'our'))} {words.topic(rng)}",
    "clock": words.clock,
    "code": words.code,
    "colour": lambda rng: rng.choice(words.COLOURS),
    "date": words.date,
    "file": lambda rng: f"{words.word(rng)}{rng.choice(('', '_', '-'))}{rng.randint(1, 99)}.{rng.choice(FILES)}",
    "integer": words.integer,
    "language": lambda rng: words.invented_word(rng).capitalize() + rng.choice(("ish", "ese", "ian", "ic")),
    "letters": words.letters_code,
    "message": words.message,
    "name": words.invented_name,
    "number": words.number,
    "person": words.person,
    "phone": lambda rng: f"{rng.choice(('', '+', '0'))}{rng.randint(10**5, 10**10)}",
    "phrase": words.phrase,
    "place": words.place,
    "room": lambda rng: rng.choice(ROOMS),
    "single": words.single,
    "small": lambda rng: rng.randint(1, 20),
    "sport": lambda rng: rng.choice(SPORTS),
    "street": lambda rng: f"{words.invented_name(rng)} {rng.choice(STREETS)} {rng.randint(1, 199)}",
    "topic": words.topic,
    "word": words.word,
}


@dataclass(frozen=True)
class Part:
    """One parameter as everyday.txt has it."""

    names: list[str]
    kind: str  # a key of KINDS, or "" for a choice
    options: list[str]
    description: str
    optional: bool

    @property
    def label(self) -> str:
        """What questions call it."""
        return self.names[0]


@dataclass(frozen=True)
class Plan:
    """One tool as everyday.txt has it."""

    names: list[str]
    description: str
    parts: list[Part]
    questions: list[str]


@dataclass
class EverydayTool:
    """A plan under the names of one conversation."""

    plan: Plan
    name: str
    called: dict[str, str]  # what questions call a parameter -> its name in the schema
    properties: dict[str, Any]

    def schema(self) -> dict[str, Any]:
        required = [self.called[part.label] for part in self.plan.parts if not part.optional]
        takes = {"type": "object", "properties": self.properties, "required": required}
        function = {"name": self.name, "description": self.plan.description, "parameters": takes}
        return {"type": "function", "function": function}

    def ask(self, rng: Random) -> tuple[str, dict[str, Any]]:
        """A question, and the arguments it asks for."""
        possible = [question for question in self.plan.questions if self._has(SEGMENT.sub("", question))]
        question = SEGMENT.sub(lambda found: self._said(rng, found), rng.choice(possible))
        drawn = {slot: self._draw(rng, slot) for slot in SLOT.findall(question)}
        text = question.format(**drawn)
        values = {self.called[part.label]: drawn[part.label] for part in self.plan.parts if part.label in drawn}
        return text[0].upper() + text[1:], values

    def _said(self, rng: Random, found: re.Match[str]) -> str:
        """An optional segment: left out when its parameter is not in the schema, and often otherwise."""
        return found[1] if self._has(found[1]) and rng.random() < 0.45 else ""

    def _has(self, text: str) -> bool:
        """Whether the schema has all that the text mentions."""
        return all(slot in self.called for slot in SLOT.findall(text))

    def _draw(self, rng: Random, slot: str) -> Any:
        part = next(part for part in self.plan.parts if part.label == slot)
        return rng.choice(part.options) if part.options else KINDS[part.kind](rng)


def everyday_tools(rng: Random, count: int) -> list[EverydayTool]:
    """So many different tools."""
    return [_named(rng, plan) for plan in rng.sample(PLANS, count)]


def _named(rng: Random, plan: Plan) -> EverydayTool:
    called: dict[str, str] = {}
    properties = {}
    for part in plan.parts:
        if part.optional and rng.random() < 0.25:
            continue
        free = [name for name in part.names if name not in called.values()]
        plain = rng.random() < 0.65
        name = rng.choice(free) if plain and free else words.label(rng)
        if name in called.values():
            name = f"{name}_{part.label}"
        called[part.label] = name
        options = {"enum": part.options} if part.options else {}
        properties[name] = schema(rng, TYPES.get(part.kind, "string"), part.description, always=not plain, **options)
    name = words.label(rng) if rng.random() < 0.15 else rng.choice(plan.names)
    return EverydayTool(plan, name, called, properties)


def _read(text: str) -> list[Plan]:
    return [_plan(block.strip().splitlines()) for block in text.split("\n\n")]


def _plan(lines: list[str]) -> Plan:
    names, description, *rest = lines
    parts = [_part(line) for line in rest if not line.startswith(">")]
    questions = [line.removeprefix("> ") for line in rest if line.startswith(">")]
    return Plan(names.split(", "), description, parts, questions)


def _part(line: str) -> Part:
    names, about = line.removeprefix("? ").split(": ", 1)
    kind, description = about.split(" | ")
    options = kind.split(" / ") if " / " in kind else []
    return Part(names.split(", "), "" if options else kind, options, description, line.startswith("?"))


PLANS = _read((Path(__file__).parent / "everyday.txt").read_text(encoding="utf-8"))
