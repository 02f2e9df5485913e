"""Tools that nobody has: invented names, parameters, types, enums and descriptions, with questions that call for them.

tool = invented_tool(rng)
tool.schema()  -> {"type": "function", "function": {"name": "polish_lantern", "description": "...", ...}}
tool.ask(rng)  -> ("Polish the lantern for Mirella on 2031-04-05.", {"owner": "Mirella", "day": "2031-04-05"})
"""

from dataclasses import dataclass
from random import Random
from typing import Any

from dfgui.models.demo import parameters, phrases, words
from dfgui.models.demo.parameters import Parameter, spoken
from dfgui.models.demo.tools import TOOLS


@dataclass
class InventedTool:
    """An invented tool: `parameters` in order, those said together, and the words its questions use."""

    name: str
    description: str
    verb: str
    noun: str
    other: str | None  # a second thing it deals with, named in its description only
    looks: bool  # "What is the ...?" rather than "Do the ..."
    parameters: list[Parameter]
    required: list[str]
    pair: list[str]  # two names, or none
    measure: str | None = None  # the number that is said with the pair

    def schema(self) -> dict[str, Any]:
        properties = {parameter.name: parameter.schema for parameter in self.parameters}
        takes = {"type": "object", "properties": properties, "required": self.required}
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": takes},
        }

    def ask(self, rng: Random) -> tuple[str, dict[str, Any]]:
        """A question, and the arguments it asks for; optional parameters are often left out of both."""
        values = {p.name: p.draw(rng) for p in self.parameters if p.name in self.required or rng.random() < 0.45}
        together = {*self.pair, self.measure}
        alone = [p for p in self.parameters if p.name in values and p.name not in together]
        inside = next((p for p in alone if p.inside and rng.random() < 0.3), None)
        said = [p.say(rng, values[p.name]) for p in alone if p is not inside]
        if rng.random() < 0.4:
            rng.shuffle(said)
        if self.pair:
            mention = rng.choice(phrases.MEASURED if self.measure else phrases.PAIRS)
            a, b, n = (spoken(values.get(name or "", "")) for name in (*self.pair, self.measure))
            said.insert(0 if rng.random() < 0.7 else len(said), mention.format(a=a, b=b, n=n))
        return dressed(
            rng, self._sentence(rng, said, inside.within(rng, values[inside.name]) if inside else "")
        ), values

    def _sentence(self, rng: Random, said: list[str], inside: str) -> str:
        """The thing with what stands inside its mention ("a 40 minute ferry"), then the other mentions."""
        noun = self.other if self.other and rng.random() < 0.5 else self.noun
        noun += "s" if rng.random() < 0.08 else ""
        thing = " ".join(filter(None, (rng.choice(phrases.ARTICLES), inside, noun)))
        if inside and rng.random() < 0.15:
            lead = inside if " " in inside else thing
        elif self.measure and not inside and rng.random() < 0.4:
            lead, *said = said
        else:
            asks = phrases.LOOKS if self.looks else phrases.THINGS if inside else phrases.ORDERS
            lead = self._filled(rng.choice(asks), thing)
        if len(said) > 1 and rng.random() < 0.04:
            lead = f"{rng.choice(phrases.FIRST).format(said.pop(0))} {lead}"
        before = said.pop() if len(said) > 1 and rng.random() < 0.03 else ""
        cut = len(said) if rng.random() < 0.95 else rng.randint(0, len(said))
        text = (" " if rng.random() < 0.9 else ", ").join([lead, *said[:cut]])
        if rng.random() < 0.04:
            text += " " + self._filled(rng.choice(phrases.TAILS), thing)
        asked = lead.startswith(("Can", "Could", "What", "How", "In"))
        text += "?" if asked else rng.choice((".", ".", "", ", please.", "!"))
        if before:
            text = f"{before[0].upper()}{before[1:]}{rng.choice((', ', ': '))}{text[0].lower()}{text[1:]}"
        for mention in said[cut:]:
            text = f"{ended(text)} {rng.choice(phrases.APART).format(mention)}"
        return text

    def _filled(self, phrase: str, thing: str) -> str:
        return phrase.format(v=self.verb, V=self.verb.capitalize(), t=thing, T=thing.capitalize())


def dressed(rng: Random, text: str) -> str:
    """The question with something before or after it, now and then."""
    kind = rng.random()
    if kind < 0.06:
        return f"{rng.choice((*phrases.OPENINGS, words.phrase(rng) + '.'))} {text}"
    if kind > 0.95:
        return f"{ended(text)} {rng.choice((*phrases.ENDINGS, words.phrase(rng) + '.'))}"
    return text


def ended(text: str) -> str:
    return text if text[-1] in ".?!" else text + "."


def invented_tool(rng: Random, noun: str | None = None, verb: str | None = None) -> InventedTool:
    """A tool with one to five parameters; `noun` or `verb` make it resemble another tool."""
    noun, verb = noun or words.thing(rng), verb or words.deed(rng)
    other = words.thing(rng) if rng.random() < 0.3 else None
    if rng.random() < 0.25:
        noun = f"{rng.choice(words.ADJECTIVES if rng.random() < 0.5 else words.NOUNS)} {noun}"
    looks = rng.random() < 0.25
    takes, pair, measure = _parameters(rng, noun)
    must = rng.choice((0.5, 0.8, 1.0))
    required = [p.name for p in takes if rng.random() < must or p.name in (*pair, measure)] or [takes[0].name]
    name, description = _name(rng, verb, noun, looks), _description(rng, verb, noun, looks)
    if other:
        description = description.rstrip(".") + rng.choice(phrases.OTHERS).format(n=other)
    return InventedTool(name, description, verb, noun, other, looks, takes, required, pair, measure)


def _parameters(rng: Random, noun: str) -> tuple[list[Parameter], list[str], str | None]:
    """Parameters with names of their own, the two of a pair, and the number that goes with them."""
    takes = parameters.role_parameters(rng, noun, rng.choice((1, 1, 2, 2, 2, 3)))
    for share, make in ((0.3, parameters.choice), (0.08, parameters.switch), (0.05, parameters.several)):
        if rng.random() < share:
            takes.append(make(rng))
    rng.shuffle(takes)
    pair: list[Parameter] = parameters.pair(rng) if rng.random() < 0.3 else []
    measure = [parameters.measure(rng)] if pair and rng.random() < 0.4 else []
    if pair:
        together = measure + pair if rng.random() < 0.7 else pair + measure
        rest = [p for p in takes[: rng.randint(0, 2)] if p.name not in {q.name for q in together}]
        takes = rest + together if rng.random() < 0.5 else together + rest
    takes = list({parameter.name: parameter for parameter in takes}.values())
    return takes, [p.name for p in pair], measure[0].name if measure else None


def _name(rng: Random, verb: str, noun: str, looks: bool) -> str:
    if rng.random() < 0.08:
        return words.label(rng)
    form = rng.choice(phrases.LOOK_NAMES if looks else phrases.ORDER_NAMES)
    name = form.format(v=verb, n=noun.replace(" ", "_"))
    return f"{name}_{words.invented_word(rng)}" if name in TOOLS else name  # what the demo teaches is left to it


def _description(rng: Random, verb: str, noun: str, looks: bool) -> str:
    form = rng.choice(phrases.LOOK_DESCRIPTIONS if looks else phrases.ORDER_DESCRIPTIONS)
    return form.format(v=verb, V=verb.capitalize(), n=noun)
