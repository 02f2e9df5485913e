"""Tools that nobody has: invented names, parameters, types, enums and descriptions, with questions that call for them.

    tool = invented_tool(rng)
    tool.schema()     -> {"type": "function", "function": {"name": "polish_lantern", "description": "...", "parameters": {...}}}
    tool.ask(rng)     -> ("Polish the lantern for Mirella on 2031-04-05.", {"owner": "Mirella", "day": "2031-04-05"})

A parameter plays a role ("a place", "a day", "some text"); a role knows the names, the descriptions and the ways of saying it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from dfgui.models.demo import words


@dataclass(frozen=True)
class Role:
    """What a parameter is about; `mentions` say it in a question, {v} being the value."""

    names: str
    descriptions: tuple[str, ...]
    value: Callable[[Random], Any]
    mentions: tuple[str, ...]
    type: str = "string"


ROLES = (
    Role(
        "place town village location site venue region where area spot",
        (
            "Name of the place",
            "Where it is",
            "The place to use",
            "Town or village",
            "Where to do it",
            "Name of the town",
        ),
        words.place,
        ("in {v}", "in {v}", "at {v}", "near {v}", "for {v}", "over in {v}", "around {v}"),
    ),
    Role(
        "destination target to goal drop_off",
        ("Where it goes", "Place to send it to", "Destination of the {noun}", "Where to"),
        words.place,
        ("to {v}", "to {v}", "towards {v}", "heading to {v}", "bound for {v}"),
    ),
    Role(
        "person customer owner guest client recipient who contact member name",
        ("Who it is for", "Name of the person", "Person it concerns", "Full name", "Name of the customer"),
        words.person,
        ("for {v}", "for {v}", "with {v}", "to {v}", "on behalf of {v}", "belonging to {v}"),
    ),
    Role(
        "address mail contact reply_to account login to",
        ("Address to use", "Where to reach the person", "Address of the contact", "Account to use"),
        words.email,
        ("to {v}", "to {v}", "at {v}", "using {v}", "for {v}", "via {v}"),
    ),
    Role(
        "day date when deadline start_date due on_day",
        ("Day in the form YYYY-MM-DD", "Date, YYYY-MM-DD", "Which day", "The day it happens", "When"),
        words.date,
        ("on {v}", "on {v}", "by {v}", "for {v}", "due {v}", "from {v}"),
    ),
    Role(
        "time hour at start clock start_time when",
        ("Time of day", "Time as HH:MM", "At what time", "Clock time, 24 hours", "When it starts"),
        words.clock,
        ("at {v}", "at {v}", "at {v} sharp", "around {v}", "from {v}"),
    ),
    Role(
        "minutes hours days weeks length duration seconds months nights wait",
        ("How long it lasts", "Length in {n}", "Number of {n}", "How long", "Duration"),
        words.integer,
        ("for {v} {n}", "lasting {v} {n}", "{v} {n} long", "for {v} {n}", "of {v} {n}", "in {v} {n}"),
        "integer",
    ),
    Role(
        "count quantity number copies pieces boxes people seats limit top",
        ("How many", "Number of {n}", "How many {n}", "Number of results", "The quantity"),
        words.integer,
        ("with {v} {n}", "{v} of them", "{v} {n}", "{v} times", "up to {v}", "for {v} {n}"),
        "integer",
    ),
    Role(
        "weight height width price amount budget level speed size value distance rate depth",
        ("The {n}", "The {n} of the {noun}", "The {n} to use", "How much", "A number"),
        words.number,
        ("of {v}", "with a {n} of {v}", "at {v}", "of {n} {v}", "worth {v}", "for {v}", "up to {v}"),
        "number",
    ),
    Role(
        "text note message comment content remark body words reason",
        ("What it says", "Text of the {n}", "Words to use", "What to write", "The {n}"),
        lambda rng: words.phrase(rng, 1, 7),
        (
            "saying {v}",
            "that says {v}",
            'saying "{v}"',
            "with the {n} {v}",
            'with "{v}"',
            "to say {v}",
            'with the {n} "{v}"',
        ),
    ),
    Role(
        "title label name heading subject caption topic",
        ("Title of it", "What it is called", "Name of the {noun}", "A short {n}", "The {n}"),
        lambda rng: words.phrase(rng, 1, 4),
        ("called {v}", "named {v}", 'titled "{v}"', "about {v}", 'called "{v}"', "labelled {v}", "on {v}", "{n} {v}"),
    ),
    Role(
        "query question keywords search term subject item",
        ("What to look for", "Words to search with", "What is wanted", "The thing to find", "The {n}"),
        lambda rng: words.phrase(rng, 1, 5),
        ("about {v}", "for {v}", "on {v}", 'for "{v}"', "matching {v}", "regarding {v}"),
    ),
    Role(
        "phone zip pin extension batch year postcode",
        ("The {n}", "Its {n}, in digits", "Which {n}", "The {n} of the {noun}"),
        lambda rng: str(rng.randint(10, 99999999))[: rng.randint(2, 8)],
        ("{v}", "{n} {v}", "with {n} {v}", "under {v}", "at {n} {v}"),
    ),
    Role(
        "code id reference number serial key ref identifier",
        ("Code of the {noun}", "Identifier", "Reference of the {noun}", "Its {n}", "Serial number"),
        words.code,
        ("{v}", "number {v}", "with {n} {v}", "{v}", "code {v}", "under {v}"),
    ),
)

SWITCHES = (
    "express insured gift_wrap recurring anonymous refundable heated waterproof signed public silent returnable".split()
)
PAIRS = (
    ("from_{x}", "to_{x}"),
    ("source_{x}", "target_{x}"),
    ("origin", "destination"),
    ("start", "end"),
    ("from", "to"),
)
PAIR_WORDS = "place town point code level side shelf unit kind colour mark station".split()


@dataclass
class Parameter:
    """One parameter: its schema, and how to draw a value and say it."""

    name: str
    schema: dict[str, Any]
    draw: Callable[[Random], Any]
    mentions: tuple[str, ...]
    plain: bool = True  # may be said as "the NAME is VALUE"

    def say(self, rng: Random, value: Any) -> str:
        spoken = self.name.replace("_", " ")
        if self.plain and rng.random() < 0.25:
            mention = rng.choice(
                ("with {n} {v}", "{n} {v}", "with {v} as the {n}", "{n}: {v}", "and {n} {v}", "using {v} as {n}")
            )
        else:
            mention = rng.choice(self.mentions)
        return mention.format(v=spoken_value(value), n=spoken)


@dataclass
class Tool:
    """An invented tool: `parameters` in order, the pairs that are said together, and the words its questions use."""

    name: str
    description: str
    verb: str
    noun: str
    parameters: list[Parameter]
    required: list[str]
    asks: bool  # "What is the ...?" rather than "Do the ..."
    pair: tuple[str, str] | None = None
    pair_mentions: tuple[str, ...] = field(default=())

    def schema(self) -> dict[str, Any]:
        properties = {parameter.name: parameter.schema for parameter in self.parameters}
        parameters = {"type": "object", "properties": properties, "required": self.required}
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": parameters},
        }

    def ask(self, rng: Random) -> tuple[str, dict[str, Any]]:
        """A question, and the arguments it asks for; optional parameters are often left out of both."""
        values = {p.name: p.draw(rng) for p in self.parameters if p.name in self.required or rng.random() < 0.45}
        said: list[str] = []
        for parameter in self.parameters:
            if parameter.name not in values or (self.pair and parameter.name == self.pair[1]):
                continue
            if self.pair and parameter.name == self.pair[0]:
                a, b = (spoken_value(values[name]) for name in self.pair)
                said.append(rng.choice(self.pair_mentions).format(a=a, b=b))
            else:
                said.append(parameter.say(rng, values[parameter.name]))
        if rng.random() < 0.4:
            rng.shuffle(said)
        return self._sentence(rng, said), values

    def _sentence(self, rng: Random, said: list[str]) -> str:
        thing = f"{rng.choice(('the', 'the', 'a', 'my', 'our', 'this'))} {self.noun}"
        if self.asks:
            lead = rng.choice(
                ("What is {t}", "Show me {t}", "Tell me {t}", "I want to know {t}", "How is {t}", "Find {t}", "{T}")
            )
        else:
            lead = rng.choice(
                (
                    "{V} {t}",
                    "Please {v} {t}",
                    "Can you {v} {t}",
                    "Could you {v} {t}",
                    "I need to {v} {t}",
                    "I want you to {v} {t}",
                )
                + (
                    "I'd like to {v} {t}",
                    "{V} {t}",
                    "Time to {v} {t}",
                    "We have to {v} {t}",
                    "{T} to {v}",
                    "Help me {v} {t}",
                )
            )
        lead = lead.format(v=self.verb, V=self.verb.capitalize(), t=thing, T=thing.capitalize())
        cut = len(said) if rng.random() < 0.75 else rng.randint(0, len(said))
        inside, apart = said[:cut], said[cut:]
        end = "?" if lead.startswith(("Can", "Could", "What", "How")) else rng.choice((".", ".", "", ", please.", "!"))
        text = " ".join([lead, *inside]) if rng.random() < 0.9 else ", ".join([lead, *inside])
        text += end
        for mention in apart:
            text += f"{'' if text[-1] in '.?!' else '.'} {rng.choice(('It is {m}.', 'Make it {m}.', '{M}.', 'I mean {m}.')).format(m=mention, M=mention[0].upper() + mention[1:])}"
        opening = rng.random()
        if opening < 0.12:
            text = f"{rng.choice(('Hi!', 'Hello,', 'Hey,', 'Good morning!', 'One more thing:', 'Now:', 'Next:', 'Thanks.', 'So:'))} {text}"
        if opening > 0.92:
            text = f"{text} {rng.choice(('Thanks!', 'Thank you.', 'It is for tomorrow.', 'I am in a hurry.', 'Be quick.'))}"
        return text


def spoken_value(value: Any) -> str:
    """A value as a person writes it: lists with commas and "and"."""
    if isinstance(value, list):
        return ", ".join(value[:-1]) + f" and {value[-1]}" if len(value) > 1 else value[0]
    return str(value)


def invented_tool(rng: Random, noun: str | None = None, verb: str | None = None) -> Tool:
    """A tool with one to four parameters; `noun` or `verb` make it resemble another tool."""
    noun = noun or (rng.choice(words.NOUNS) if rng.random() < 0.75 else words.invented_word(rng))
    verb = verb or (rng.choice(words.VERBS) if rng.random() < 0.9 else words.invented_word(rng))
    if rng.random() < 0.25:
        noun = f"{rng.choice(words.ADJECTIVES if rng.random() < 0.5 else words.NOUNS)} {noun}"
    asks = rng.random() < 0.25
    parameters = [_parameter(rng, role, noun) for role in rng.sample(ROLES, rng.choice((1, 1, 2, 2, 2, 3, 3)))]
    if rng.random() < 0.3:
        parameters.append(_choice(rng))
    if rng.random() < 0.08:
        parameters.append(_switch(rng))
    if rng.random() < 0.05:
        parameters.append(_several(rng))
    rng.shuffle(parameters)
    pair, mentions = None, ()
    if rng.random() < 0.25:
        both, mentions = _pair(rng)
        pair = (both[0].name, both[1].name)
        parameters = parameters[:1] + both if rng.random() < 0.7 else both + parameters[:1]
    parameters = list({parameter.name: parameter for parameter in parameters}.values())
    must = rng.choice((0.5, 0.8, 1.0))
    required = [p.name for p in parameters if rng.random() < must or (pair and p.name in pair)] or [parameters[0].name]
    return Tool(
        _name(rng, verb, noun, asks),
        _description(rng, verb, noun, asks),
        verb,
        noun,
        parameters,
        required,
        asks,
        pair,
        mentions,
    )


def _name(rng: Random, verb: str, noun: str, asks: bool) -> str:
    noun = noun.replace(" ", "_")
    kind = rng.random()
    if kind < 0.08:
        return words.invented_word(rng)
    if asks:
        return rng.choice((f"get_{noun}", f"{noun}_info", f"{noun}_lookup", f"fetch_{noun}", noun))
    return (
        f"{verb}_{noun}" if kind < 0.75 else rng.choice((f"{noun}_{verb}", verb, f"{verb}_a_{noun}", f"{noun}.{verb}"))
    )


def _description(rng: Random, verb: str, noun: str, asks: bool) -> str:
    if asks:
        return rng.choice(
            ("Get the {n}.", "Look up the {n}", "Returns the {n}", "The {n} right now", "Find out about the {n}.")
        ).format(n=noun)
    form = rng.choice(
        (
            "{V} a {n}.",
            "{V} a {n}",
            "{V} the {n} for the user.",
            "Use this to {v} a {n}.",
            "Ask somebody to {v} the {n}",
            "{V} one {n}",
        )
    )
    return form.format(v=verb, V=verb.capitalize(), n=noun)


def _schema(rng: Random, type_: str, description: str) -> dict[str, Any]:
    return {"type": type_, "description": description} if rng.random() < 0.85 else {"type": type_}


def _parameter(rng: Random, role: Role, noun: str) -> Parameter:
    name = rng.choice(role.names.split())
    description = rng.choice(role.descriptions).format(n=name.replace("_", " "), noun=noun)
    return Parameter(name, _schema(rng, role.type, description), role.value, role.mentions)


def _choice(rng: Random) -> Parameter:
    """A parameter whose values are listed in its schema."""
    pool = rng.choice((words.COLOURS, words.ADJECTIVES, words.NOUNS, [words.invented_word(rng) for _ in range(8)]))
    options = sorted(set(rng.sample(pool, rng.randint(2, 5))), key=lambda _: rng.random())
    name = rng.choice("mode style kind colour priority format quality category type shade finish grade channel".split())
    schema = _schema(
        rng, "string", rng.choice((f"The {name}", f"Which {name} to use", f"One of the {name}s", "Pick one"))
    ) | {"enum": options}
    mentions = (
        "in {v}",
        "in {v} {n}",
        "{v}",
        "make it {v}",
        "as {v}",
        "the {v} one",
        "by {v}",
        "with the {v} {n}",
        "{v} {n}",
    )
    return Parameter(name, schema, lambda r: r.choice(options), mentions)


def _switch(rng: Random) -> Parameter:
    """A boolean; `True` and `False` are said as "with" and "without"."""
    name = rng.choice(SWITCHES)
    spoken = name.replace("_", " ")
    parameter = Parameter(
        name, _schema(rng, "boolean", f"Whether it is {spoken}"), lambda r: r.random() < 0.5, (), plain=False
    )
    parameter.say = lambda r, value: r.choice(("with {s}", "and {s}") if value else ("without {s}", "not {s}")).format(
        s=spoken
    )  # type: ignore[method-assign]
    return parameter


def _several(rng: Random) -> Parameter:
    """A list of strings."""
    name = rng.choice("items names guests tags parts colours".split())
    schema = _schema(rng, "array", f"The {name}") | {"items": {"type": "string"}}
    draw = lambda r: list(
        dict.fromkeys(words.invented_name(r) if r.random() < 0.5 else words.word(r) for _ in range(r.randint(1, 4)))
    )  # noqa: E731
    return Parameter(name, schema, draw, ("with {v}", "for {v}", "{n} {v}"))


def _pair(rng: Random) -> tuple[list[Parameter], tuple[str, ...]]:
    """Two parameters said together: "from Grelda to Port Oskavi"."""
    what = rng.choice(PAIR_WORDS)
    first, second = (name.format(x=what) for name in rng.choice(PAIRS))
    kinds = (
        words.place,
        words.letters_code,
        words.invented_word,
        lambda r: r.choice(words.NOUNS),
        words.code,
        words.word,
    )
    draw: Callable[[Random], Any] = rng.choice(kinds)
    one = Parameter(
        first,
        _schema(rng, "string", rng.choice((f"The {what} to start from", f"First {what}", "Where from"))),
        draw,
        (),
    )
    two = Parameter(
        second, _schema(rng, "string", rng.choice((f"The {what} to end with", f"Last {what}", "Where to"))), draw, ()
    )
    return [one, two], (
        "from {a} to {b}",
        "from {a} to {b}",
        "{a} to {b}",
        "from {a} into {b}",
        "out of {a} into {b}",
        "starting with {a} and ending with {b}",
    )
