"""Word lists, kept as text: a name in brackets, then items with commas between them, "-" for an empty one.

[colours]
red, blue,
green           -> read("words.txt")["colours"] == ["red", "blue", "green"]
"""

from pathlib import Path


def read(name: str) -> dict[str, list[str]]:
    """The lists of a text file beside this one."""
    sections = (Path(__file__).parent / name).read_text(encoding="utf-8").split("[")[1:]
    return {title: _items(body) for title, body in (section.split("]", 1) for section in sections)}


def _items(body: str) -> list[str]:
    items = (item.strip() for item in " ".join(body.split()).split(","))
    return ["" if item == "-" else item for item in items]
