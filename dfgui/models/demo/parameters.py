"""Parameters of invented tools: a role with a value, a choice, a switch, a list, or two that are said together.

parameter = role_parameter(rng, "lantern")
parameter.name, parameter.schema       -> "day", {"type": "string", "description": "Which day"}
parameter.say(rng, "2031-04-05")       -> "on 2031-04-05", or plainly "with 2031-04-05 as the day"
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from dfgui.models.demo import phrases, words
from dfgui.models.demo.roles import ROLES, Role

SWITCHES, CHOICES, SEVERAL = words.LISTS["switches"], words.LISTS["choices"], words.LISTS["several"]
PAIR_WORDS, MEASURES = words.LISTS["pair words"], words.LISTS["measures"]
PAIRS = (
    ("from_{x}", "to_{x}"),
    ("source_{x}", "target_{x}"),
    ("origin", "destination"),
    ("start", "end"),
    ("from", "to"),
)
PAIR_VALUES = (words.place, words.letters_code, words.invented_word, words.thing, words.code, words.many)


@dataclass
class Parameter:
    """One parameter: its schema, how to draw a value, and how to say it."""

    name: str
    schema: dict[str, Any]
    draw: Callable[[Random], Any]
    mentions: tuple[str, ...] = ()
    inside: str = ""  # how it stands inside the mention of the thing: "{v}" as in "a copper lantern", "{v} {n}"

    @property
    def spoken_name(self) -> str:
        return self.name.replace("_", " ")

    def say(self, rng: Random, value: Any) -> str:
        if isinstance(value, bool):
            return f"{rng.choice(('with', 'and') if value else ('without', 'not'))} {self.spoken_name}"
        mention = rng.choice(phrases.PLAIN if rng.random() < 0.12 else self.mentions)
        return mention.format(v=spoken(value), n=self.spoken_name)

    def within(self, rng: Random, value: Any) -> str:
        """What stands inside the mention of the thing: "40 minute" in "a 40 minute ferry"."""
        name = self.spoken_name
        return self.inside.format(v=spoken(value), n=name.removesuffix("s") if rng.random() < 0.5 else name)


def spoken(value: Any) -> str:
    """A value as a person writes it: lists with commas and "and"."""
    if isinstance(value, list):
        return ", ".join(value[:-1]) + f" and {value[-1]}" if len(value) > 1 else value[0]
    return str(value)


def schema(rng: Random, type_: str, *descriptions: str, always: bool = False, **more: Any) -> dict[str, Any]:
    """A parameter's schema; now and then it has no description, unless it must `always` have one."""
    described = {"description": rng.choice(descriptions)} if always or rng.random() < 0.85 else {}
    return {"type": type_, **described, **more}


def role_parameters(rng: Random, noun: str, count: int) -> list[Parameter]:
    """Parameters of that many roles."""
    made = []
    roles = {role.family or role.names: role for role in rng.sample(ROLES, len(ROLES))}
    for role in list(roles.values())[:count]:
        name, told = _named(rng, role)
        descriptions = (text.format(n=name.replace("_", " "), noun=noun) for text in told)
        described = schema(rng, role.type, *descriptions, always=name not in role.names.split())
        made.append(Parameter(name, described, role.value, role.mentions, role.inside))
    return made


def _named(rng: Random, role: Role) -> tuple[str, tuple[str, ...]]:
    """A name for a parameter of that role, and the descriptions that go with it.

    Often the name is any word, so that names are read in the schema and not remembered; then a description says more
    than the name.
    """
    name, kind = rng.choice(role.names.split()), rng.random()
    if kind < 0.15:
        name = f"{words.thing(rng)}_{name}" if rng.random() < 0.6 else f"{name}_{words.thing(rng)}"
    elif kind < 0.55:
        telling = tuple(text for text in role.descriptions if "{n}" not in text)
        return words.label(rng), telling or role.descriptions
    return name, role.descriptions


def choice(rng: Random) -> Parameter:
    """A parameter whose values are listed in its schema."""
    pool = rng.choice((words.COLOURS, words.ADJECTIVES, words.NOUNS, [words.invented_word(rng) for _ in range(8)]))
    options = list(dict.fromkeys(rng.sample(pool, rng.randint(2, 5))))
    name = rng.choice(CHOICES) if rng.random() < 0.5 else words.label(rng)
    described = schema(
        rng, "string", f"The {name}", f"Which {name} to use", f"One of the {name}s", "Pick one", enum=options
    )
    return Parameter(name, described, lambda r: r.choice(options), phrases.CHOICES, inside="{v}")


def switch(rng: Random) -> Parameter:
    """A boolean, said as "with" or "without"."""
    name = rng.choice(SWITCHES) if rng.random() < 0.5 else words.label(rng)
    described = schema(rng, "boolean", f"Whether it is {name.replace('_', ' ')}", f"True if {name.replace('_', ' ')}")
    return Parameter(name, described, lambda r: r.random() < 0.5)


def several(rng: Random) -> Parameter:
    """A list of strings."""
    name = rng.choice(SEVERAL) if rng.random() < 0.5 else words.label(rng)
    described = schema(rng, "array", f"The {name}", f"All {name}", items={"type": "string"})
    return Parameter(name, described, words.words, phrases.SEVERAL)


def pair(rng: Random) -> list[Parameter]:
    """Two parameters said together: "from Grelda to Port Oskavi"."""
    what = rng.choice(PAIR_WORDS) if rng.random() < 0.4 else words.thing(rng)
    first, second = (name.format(x=what) for name in rng.choice(PAIRS))
    draw = rng.choice(PAIR_VALUES)
    return [
        Parameter(first, schema(rng, "string", f"The {what} to start from", f"First {what}", "Where from"), draw),
        Parameter(second, schema(rng, "string", f"The {what} to end with", f"Last {what}", "Where to"), draw),
    ]


def measure(rng: Random) -> Parameter:
    """A number that goes with a pair: "40 QXR against TLV"."""
    name = rng.choice(MEASURES) if rng.random() < 0.5 else words.label(rng)
    return Parameter(name, schema(rng, "number", f"The {name}", "How much", "A number"), words.number)
