"""What a parameter of an invented tool can be about: a place, a day, an amount, some text.

    Role("day date", ("Which day",), words.date, ("on {v}", "by {v}"))  -> "... on 2031-04-05", {"day": "2031-04-05"}

`names` and `descriptions` go into the schema ({n} is the name, {noun} what the tool deals with), `mentions` into
questions.
"""

from collections.abc import Callable
from dataclasses import dataclass
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
    family: str = ""  # roles of one family sound alike, so a tool has one of them at most
    inside: str = ""  # how it stands inside the mention of the thing: "{v}" as in "a copper lantern", "{v} {n}"


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
        family="who",
    ),
    Role(
        "person customer owner guest client recipient who contact member name",
        ("Who it is for", "Name of the person", "Person it concerns", "Full name", "Name of the customer"),
        words.person,
        ("for {v}", "for {v}", "with {v}", "to {v}", "on behalf of {v}", "belonging to {v}"),
        family="who",
    ),
    Role(
        "address mail contact reply_to account login to",
        ("Address to use", "Where to reach the person", "Address of the contact", "Account to use"),
        words.email,
        ("to {v}", "to {v}", "at {v}", "using {v}", "for {v}", "via {v}"),
        family="who",
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
        family="number",
        inside="{v} {n}",
    ),
    Role(
        "count quantity number copies pieces boxes people seats limit top",
        ("How many", "Number of {n}", "How many {n}", "Number of results", "The quantity"),
        words.integer,
        ("with {v} {n}", "{v} of them", "{v} {n}", "{v} times", "up to {v}", "for {v} {n}"),
        "integer",
        family="number",
        inside="{v} {n}",
    ),
    Role(
        "weight height width price amount budget level speed size value distance rate depth",
        ("The {n}", "The {n} of the {noun}", "The {n} to use", "How much", "A number"),
        words.number,
        ("of {v}", "with a {n} of {v}", "at {v}", "of {n} {v}", "worth {v}", "for {v}", "up to {v}"),
        "number",
        family="number",
    ),
    Role(
        "text note message comment content remark body words reason",
        ("What it says", "Text of the {n}", "Words to use", "What to write", "The {n}"),
        words.message,
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
        words.topic,
        (
            "{v}",
            "{v}",
            "{v}",
            "{v}",
            "{v}",
            "called {v}",
            "named {v}",
            'titled "{v}"',
            "about {v}",
            'called "{v}"',
            "labelled {v}",
            "on {v}",
            "{n} {v}",
        ),
        family="topic",
    ),
    Role(
        "query question keywords search term subject item",
        ("What to look for", "Words to search with", "What is wanted", "The thing to find", "The {n}"),
        words.topic,
        ("{v}", "about {v}", "for {v}", "on {v}", 'for "{v}"', "matching {v}", "regarding {v}"),
        family="topic",
    ),
    Role(
        "kind sort style make brand variety flavour model taste",
        ("Kind of {noun}", "Which sort of {noun}", "The sort wanted", "What kind", "Make of the {noun}"),
        words.single,
        ("of the {v} kind", "in {v} style", "{v}", "of kind {v}"),
        inside="{v}",
    ),
    Role(
        "phone zip pin extension batch year postcode",
        ("The {n}", "Its {n}, in digits", "Which {n}", "The {n} of the {noun}"),
        lambda rng: str(rng.randint(10, 99999999))[: rng.randint(2, 8)],
        ("{v}", "{n} {v}", "with {n} {v}", "under {v}", "at {n} {v}"),
        family="code",
    ),
    Role(
        "code id reference number serial key ref identifier",
        ("Code of the {noun}", "Identifier", "Reference of the {noun}", "Its {n}", "Serial number"),
        words.code,
        ("{v}", "number {v}", "with {n} {v}", "{v}", "code {v}", "under {v}"),
        family="code",
    ),
)
