"""The eight tools of the demo dataset: their schemas, what people ask of them, what they answer.

tool = TOOLS["get_weather"]
tool.draw(rng)              -> {"city": "Lisbon", "unit": "celsius"}
tool.ask(rng, arguments)    -> "What's the weather in Lisbon, in celsius?"
tool.result(rng, arguments) -> {"temperature": 19, "sky": "sunny"}
tool.say(arguments, result) -> "It is 19 degrees and sunny in Lisbon."
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from dfgui.models.demo import people

Arguments = dict[str, Any]
Result = dict[str, Any]


@dataclass(frozen=True)
class DemoTool:
    """One tool: an OpenAI function schema, and the conversations around it."""

    schema: dict[str, Any]
    draw: Callable[[Random], Arguments]
    ask: Callable[[Random, Arguments], str]
    result: Callable[[Random, Arguments], Result]
    say: Callable[[Arguments, Result], str]


def function(name: str, description: str, required: list[str], **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def string(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


def integer(description: str) -> dict[str, Any]:
    return {"type": "integer", "description": description}


def number(description: str) -> dict[str, Any]:
    return {"type": "number", "description": description}


def amount(rng: Random) -> int | float:
    return rng.choice((rng.randint(2, 99), rng.randint(100, 999), rng.randint(1000, 9999), rng.randint(20, 9999) / 10))


def exchanged(a: Arguments) -> float:
    return round(a["amount"] / people.CURRENCIES[a["from_currency"]] * people.CURRENCIES[a["to_currency"]], 2)


def measured(a: Arguments) -> float:
    family = next(family for family in people.UNITS if a["from_unit"] in family)
    return float(f"{a['value'] * family[a['from_unit']] / family[a['to_unit']]:.4g}")


def _weather(rng: Random) -> Arguments:
    arguments: Arguments = {"city": rng.choice(people.CITIES)}
    if rng.random() < 0.35:
        arguments["day"] = rng.choice(("today", "tomorrow"))
    if rng.random() < 0.35:
        arguments["unit"] = rng.choice(("celsius", "fahrenheit"))
    return arguments


def _ask_weather(rng: Random, a: Arguments) -> str:
    day = f" {a['day']}" if "day" in a else ""
    unit = rng.choice((" in {}", ", in {}", " using {}", ", {} please")).format(a["unit"]) if "unit" in a else ""
    lead = rng.choice(
        (
            "What's the weather in {c}{d}{u}?",
            "What is the weather like in {c}{d}{u}?",
            "How is the weather in {c}{d}{u}?",
        )
        + (
            "Weather in {c}{d}{u}",
            "Tell me the weather for {c}{d}{u}.",
            "How warm is it in {c}{d}{u}?",
            "Is it raining in {c}{d}{u}?",
        )
        + (
            "Do I need a coat in {c}{d}{u}?",
            "I am flying to {c}. What is the weather there{d}{u}?",
            "Check the weather in {c}{d}{u}, please.",
        )
        + ("Will it be sunny in {c}{d}{u}?", "{c} weather{d}{u}", "Give me the forecast for {c}{d}{u}.")
    )
    return lead.format(c=a["city"], d=day, u=unit)


def _currency(rng: Random) -> Arguments:
    source, target = rng.sample(list(people.CURRENCIES), 2)
    return {"amount": amount(rng), "from_currency": source, "to_currency": target}


def _ask_currency(rng: Random, a: Arguments) -> str:
    lead = rng.choice(
        (
            "Convert {n} {f} to {t}.",
            "How much is {n} {f} in {t}?",
            "What is {n} {f} in {t}?",
            "Change {n} {f} into {t}, please.",
        )
        + (
            "How many {t} do I get for {n} {f}?",
            "I have {n} {f}. What is that in {t}?",
            "{n} {f} to {t}",
            "Exchange {n} {f} for {t}.",
        )
        + (
            "What would {n} {f} be worth in {t}?",
            "Can you convert {n} {f} into {t}?",
            "My hotel costs {n} {f}. How much is that in {t}?",
        )
        + ("I want to swap {n} {f} for {t}.", "A friend owes me {n} {f}; tell me the amount in {t}.")
    )
    return lead.format(n=a["amount"], f=a["from_currency"], t=a["to_currency"])


def _event(rng: Random) -> Arguments:
    arguments: Arguments = {"title": people.occasion(rng), "date": people.day(rng), "time": people.hour(rng)}
    if rng.random() < 0.3:
        arguments["minutes"] = rng.choice((15, 20, 25, 30, 40, 45, 50, 60, 75, 80, 90, 120))
    return arguments


def _ask_event(rng: Random, a: Arguments) -> str:
    long = (
        rng.choice((" for {} minutes", ", {} minutes long", " lasting {} minutes")).format(a["minutes"])
        if "minutes" in a
        else ""
    )
    lead = rng.choice(
        (
            "Put {w} in my calendar on {d} at {h}{l}.",
            "Schedule {w} for {d} at {h}{l}.",
            "Add {w} to my calendar on {d} at {h}{l}.",
        )
        + (
            "Create an event called {w} on {d} at {h}{l}.",
            "Book {w} on {d} at {h}{l}, please.",
            "Can you plan {w} for {d} at {h}{l}?",
        )
        + (
            "I have {w} on {d} at {h}{l}. Add it to the calendar.",
            "New event: {w}, {d} at {h}{l}",
            "Block {d} at {h} for {w}{l}.",
        )
        + (
            "Please set up {w} at {h} on {d}{l}.",
            "Calendar: {w} at {h} on {d}{l}",
            "Make an appointment named {w} for {d}, {h}{l}.",
        )
    )
    return lead.format(w=a["title"], d=a["date"], h=a["time"], l=long)


def _email(rng: Random) -> Arguments:
    arguments: Arguments = {"to": people.address(rng), "subject": people.subject(rng)}
    if rng.random() < 0.4:
        arguments["body"] = people.line(rng)
    return arguments


def _ask_email(rng: Random, a: Arguments) -> str:
    body = (
        rng.choice((" saying {}", " and write {}", " with the text {}", ' that says "{}"')).format(a["body"])
        if "body" in a
        else ""
    )
    lead = rng.choice(
        ("Send an email to {t} about {s}{b}.", "Email {t} about {s}{b}.", "Write to {t} with the subject {s}{b}.")
        + (
            "Send {t} an email with the subject {s}{b}.",
            "Please email {t}, subject {s}{b}.",
            "Mail {t} about {s}{b}, please.",
        )
        + (
            'Can you send a mail to {t} with the subject "{s}"{b}?',
            'Write an email to {t} titled "{s}"{b}.',
            "Drop {t} a mail about {s}{b}.",
        )
        + ("I need to send {t} an email about {s}{b}.", "Let {t} know by email about {s}{b}.")
    )
    return lead.format(t=a["to"], s=a["subject"], b=body)


def _units(rng: Random) -> Arguments:
    source, target = rng.sample(list(rng.choice(people.UNITS)), 2)
    return {"value": amount(rng), "from_unit": source, "to_unit": target}


def _ask_units(rng: Random, a: Arguments) -> str:
    lead = rng.choice(
        (
            "Convert {n} {f} to {t}.",
            "How many {t} are {n} {f}?",
            "What is {n} {f} in {t}?",
            "{n} {f} in {t}",
            "Express {n} {f} in {t}.",
        )
        + (
            "Turn {n} {f} into {t}, please.",
            "How much is {n} {f} in {t}?",
            "The label says {n} {f}. What is that in {t}?",
        )
        + (
            "I need {n} {f} as {t}.",
            "Can you change {n} {f} to {t}?",
            "How many {t} make {n} {f}?",
            "The plan says {n} {f}; give me {t}.",
        )
    )
    return lead.format(n=a["value"], f=a["from_unit"], t=a["to_unit"])


def _search(rng: Random) -> Arguments:
    arguments: Arguments = {"query": people.topic(rng)}
    if rng.random() < 0.35:
        arguments["limit"] = rng.randint(2, 30)
    return arguments


def _ask_search(rng: Random, a: Arguments) -> str:
    if "limit" in a:
        lead = rng.choice(
            ("Find {n} pages about {q}.", "Search the web for {q} and show {n} results.", "Give me {n} results on {q}.")
            + (
                "Look up {q}, at most {n} results.",
                "Show me the top {n} results for {q}.",
                "I want {n} links about {q}.",
            )
        )
    else:
        lead = rng.choice(
            (
                "Search the web for {q}.",
                "Look up {q}.",
                "Find something about {q}.",
                "Google {q} for me.",
                "Search for {q}, please.",
            )
            + (
                "Can you find information on {q}?",
                "What can you find online about {q}?",
                'Search for "{q}".',
                "Do a web search on {q}.",
            )
        )
    return lead.format(q=a["query"], n=a.get("limit"))


def _timer(rng: Random) -> Arguments:
    arguments: Arguments = {"minutes": rng.randint(2, 240)}
    if rng.random() < 0.75:
        arguments["label"] = people.chore(rng)
    return arguments


def _ask_timer(rng: Random, a: Arguments) -> str:
    if "label" in a:
        lead = rng.choice(
            ("Set a timer of {n} minutes for {w}.", "Start a {n} minute timer for {w}.", "Timer for {w}: {n} minutes")
            + (
                "Set a timer called {w} for {n} minutes.",
                "I need a timer for {w}, {n} minutes.",
                "{n} minutes for {w}, start the timer.",
            )
            + ("Can you time {w} for {n} minutes?", 'Please start a timer labelled "{w}" for {n} minutes.')
        )
    else:
        lead = rng.choice(
            (
                "Set a timer for {n} minutes.",
                "Start a {n} minute timer.",
                "Timer, {n} minutes please.",
                "Wake me in {n} minutes.",
            )
            + ("Count down {n} minutes.", "Can you set a timer of {n} minutes?", "Give me {n} minutes on the clock.")
        )
    return lead.format(n=a["minutes"], w=a.get("label"))


def _table(rng: Random) -> Arguments:
    arguments: Arguments = {"cuisine": rng.choice(people.CUISINES), "city": rng.choice(people.CITIES)}
    if rng.random() < 0.4:
        arguments["people"] = rng.randint(2, 14)
    return arguments


def _ask_table(rng: Random, a: Arguments) -> str:
    guests = (
        rng.choice((" for {} people", " for {}", " with {} seats", " for a group of {}")).format(a["people"])
        if "people" in a
        else ""
    )
    lead = rng.choice(
        ("Find a {k} restaurant in {c}{p}.", "Where can I eat {k} food in {c}{p}?", "I want {k} food in {c}{p}.")
        + (
            "Any good {k} restaurants in {c}{p}?",
            "Show me {k} places to eat in {c}{p}.",
            "We would like a {k} dinner in {c}{p}.",
        )
        + (
            "Recommend a {k} restaurant in {c}{p}, please.",
            "Looking for {k} cuisine in {c}{p}",
            "A {k} lunch in {c}{p}, what is there?",
        )
    )
    kind = a["cuisine"]
    text = lead.format(k=kind, c=a["city"], p=guests)
    return text.replace(f"a {kind}", f"an {kind}").replace(f"A {kind}", f"An {kind}") if kind[0] in "AEIOU" else text


TOOLS: dict[str, DemoTool] = {
    "get_weather": DemoTool(
        function(
            "get_weather",
            "Get the weather forecast for a city.",
            ["city"],
            city=string("Name of the city"),
            day=string("Which day", enum=["today", "tomorrow"]),
            unit=string("Unit of temperature", enum=["celsius", "fahrenheit"]),
        ),
        _weather,
        _ask_weather,
        lambda rng, a: {
            "temperature": rng.randint(-9, 38),
            "sky": rng.choice(("sunny", "cloudy", "rainy", "windy", "foggy")),
        },
        lambda a, r: f"It is {r['temperature']} degrees and {r['sky']} in {a['city']}.",
    ),
    "convert_currency": DemoTool(
        function(
            "convert_currency",
            "Convert an amount of money from one currency to another.",
            ["amount", "from_currency", "to_currency"],
            amount=number("How much money"),
            from_currency=string("Currency code to convert from"),
            to_currency=string("Currency code to convert to"),
        ),
        _currency,
        _ask_currency,
        lambda rng, a: {"amount": exchanged(a), "currency": a["to_currency"]},
        lambda a, r: f"{a['amount']} {a['from_currency']} is {r['amount']} {r['currency']}.",
    ),
    "create_event": DemoTool(
        function(
            "create_event",
            "Add an event to the calendar.",
            ["title", "date", "time"],
            title=string("What it is called"),
            date=string("Day, YYYY-MM-DD"),
            time=string("Start, HH:MM"),
            minutes=integer("How long it lasts"),
        ),
        _event,
        _ask_event,
        lambda rng, a: {"status": "created", "title": a["title"], "date": a["date"]},
        lambda a, r: f"I added {r['title']} to your calendar on {r['date']}.",
    ),
    "send_email": DemoTool(
        function(
            "send_email",
            "Send an email to someone.",
            ["to", "subject"],
            to=string("Email address"),
            subject=string("Subject of the email"),
            body=string("Text of the email"),
        ),
        _email,
        _ask_email,
        lambda rng, a: {"status": "sent", "to": a["to"]},
        lambda a, r: f"The email to {r['to']} has been sent.",
    ),
    "convert_units": DemoTool(
        function(
            "convert_units",
            "Convert a measurement from one unit to another.",
            ["value", "from_unit", "to_unit"],
            value=number("The number to convert"),
            from_unit=string("Unit to convert from"),
            to_unit=string("Unit to convert to"),
        ),
        _units,
        _ask_units,
        lambda rng, a: {"value": measured(a), "unit": a["to_unit"]},
        lambda a, r: f"{a['value']} {a['from_unit']} is {r['value']} {r['unit']}.",
    ),
    "web_search": DemoTool(
        function(
            "web_search",
            "Search the web.",
            ["query"],
            query=string("What to search for"),
            limit=integer("Number of results"),
        ),
        _search,
        _ask_search,
        lambda rng, a: {"found": rng.randint(3, 900), "first": f"{rng.choice(people.SITES)}.example"},
        lambda a, r: f"I found {r['found']} pages about {a['query']}. The first is {r['first']}.",
    ),
    "set_timer": DemoTool(
        function(
            "set_timer",
            "Start a countdown timer.",
            ["minutes"],
            minutes=integer("Minutes to count down"),
            label=string("What the timer is for"),
        ),
        _timer,
        _ask_timer,
        lambda rng, a: {"status": "running", "minutes": a["minutes"]},
        lambda a, r: f"The timer is running for {r['minutes']} minutes.",
    ),
    "find_restaurant": DemoTool(
        function(
            "find_restaurant",
            "Find a restaurant in a city.",
            ["cuisine", "city"],
            cuisine=string("Kind of food"),
            city=string("Name of the city"),
            people=integer("Number of guests"),
        ),
        _table,
        _ask_table,
        lambda rng, a: {
            "name": f"{rng.choice(people.FIRST)}'s {rng.choice(('Kitchen', 'Table', 'Garden', 'House'))}",
            "stars": rng.randint(3, 5),
        },
        lambda a, r: f"{r['name']} in {a['city']} serves {a['cuisine']} food and has {r['stars']} stars.",
    ),
}
