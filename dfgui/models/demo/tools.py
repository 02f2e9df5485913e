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

from dfgui.models.demo import people, questions

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
    lead = rng.choice(questions.GET_WEATHER)
    return lead.format(c=a["city"], d=day, u=unit)


def _currency(rng: Random) -> Arguments:
    source, target = rng.sample(list(people.CURRENCIES), 2)
    return {"amount": amount(rng), "from_currency": source, "to_currency": target}


def _ask_currency(rng: Random, a: Arguments) -> str:
    lead = rng.choice(questions.CONVERT_CURRENCY)
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
    lead = rng.choice(questions.CREATE_EVENT)
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
    lead = rng.choice(questions.SEND_EMAIL)
    return lead.format(t=a["to"], s=a["subject"], b=body)


def _units(rng: Random) -> Arguments:
    source, target = rng.sample(list(rng.choice(people.UNITS)), 2)
    return {"value": amount(rng), "from_unit": source, "to_unit": target}


def _ask_units(rng: Random, a: Arguments) -> str:
    lead = rng.choice(questions.CONVERT_UNITS)
    return lead.format(n=a["value"], f=a["from_unit"], t=a["to_unit"])


def _search(rng: Random) -> Arguments:
    arguments: Arguments = {"query": people.topic(rng)}
    if rng.random() < 0.35:
        arguments["limit"] = rng.randint(2, 30)
    return arguments


def _ask_search(rng: Random, a: Arguments) -> str:
    lead = rng.choice(questions.WEB_SEARCH_LIMIT if "limit" in a else questions.WEB_SEARCH)
    return lead.format(q=a["query"], n=a.get("limit"))


def _timer(rng: Random) -> Arguments:
    arguments: Arguments = {"minutes": rng.randint(2, 240)}
    if rng.random() < 0.75:
        arguments["label"] = people.chore(rng)
    return arguments


def _ask_timer(rng: Random, a: Arguments) -> str:
    lead = rng.choice(questions.SET_TIMER_LABEL if "label" in a else questions.SET_TIMER)
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
    lead = rng.choice(questions.FIND_RESTAURANT)
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
