"""Writes tests/files/sharegpt_tools.json: ShareGPT rows with function_call and observation turns, for browser tests.

python tests/files/make_sharegpt.py
"""

import json
import random
from pathlib import Path

OUT = Path(__file__).with_name("sharegpt_tools.json")
BOOKS = ["The Glass Harbour", "Seven Winters", "A Map of Salt", "The Long Orchard", "Lanterns", "Under the Elm"]
SHELVES = ["north wing", "cellar", "reading room", "gallery", "attic"]
TOOL = {
    "name": "find_book",
    "description": "Find where a book stands in the library.",
    "parameters": {
        "type": "object",
        "properties": {"title": {"type": "string"}, "copies": {"type": "integer"}},
        "required": ["title"],
    },
}


def row(number: int, draw: random.Random) -> dict:
    """One conversation; every fifth needs no tool."""
    if number % 5 == 4:
        turns = [
            ("human", f"Good morning, I am visitor {number}."),
            ("gpt", "Good morning! Which book do you look for?"),
        ]
    else:
        book, copies, shelf = draw.choice(BOOKS), draw.randint(1, 9), draw.choice(SHELVES)
        call = json.dumps({"name": "find_book", "arguments": {"title": book, "copies": copies}})
        turns = [
            ("human", f"Where do I find {copies} copies of {book}? <b onmouseover=alert(1)>Visitor</b> {number}"),
            ("function_call", call),
            ("observation", json.dumps({"shelf": shelf, "free": copies})),
            ("gpt", f"{book} stands in the {shelf}; {copies} copies are free."),
        ]
    return {"conversations": [{"from": who, "value": what} for who, what in turns], "tools": json.dumps([TOOL])}


if __name__ == "__main__":
    draw = random.Random(7)
    OUT.write_text(json.dumps([row(number, draw) for number in range(60)], indent=1) + "\n", encoding="utf-8")
