"""A list of objects in one JSON text, read piece by piece: [{...}, {...}], or {"data": [{...}, ...]}.

A file of any size gives its first row at once; what is broken is named by line and column. An object with `data` is
read whole.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO, Any

from dfgui.errors import UserError

CHUNK = 1 << 20  # bytes read at a time
# An error this near the end of what was read may only mean that the rest is still to come ("\u12", "-Infini").
NEAR_THE_END = 16
DECODER = json.JSONDecoder()
INK = re.compile(r"\S")


def rows(file: IO[bytes], name: str) -> Iterator[dict | UserError]:
    """The rows, in order; in place of what is no row, what is wrong with it.

    Raises UserError naming line and column, UnicodeDecodeError when it is not UTF-8.
    """
    text = _Text(file, name)
    if text.peek() == "{":
        yield from _data_of(text)
        return
    text.position += 1
    number = 0
    while (ahead := text.peek()) not in ("]", ""):
        number += 1
        yield _row(text, number)
        if (ahead := text.peek()) == ",":
            text.position += 1
        elif ahead not in ("]", ""):
            raise text.broken("a comma is missing")
    if ahead == "":
        raise text.broken("the list is not closed: its ] is missing")


def _row(text: "_Text", number: int) -> dict | UserError:
    row = text.value()
    if isinstance(row, dict):
        return row
    return UserError(
        f"Row {number} is not an object.",
        f"In {text.name} it is {json.dumps(row)[:60]}.",
        "Each entry of the list is one object in braces.",
    )


def _data_of(text: "_Text") -> list[dict]:
    data = text.value().get("data")
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise UserError(
            f"{text.name} is not a list of rows.",
            "It is one object, without a list of rows in `data`.",
            "Write a list of objects, or one object a line in a .jsonl file.",
        )
    return data


class _Text:
    """JSON text that is read on as it is needed, and knows on which line and column it stands."""

    def __init__(self, file: IO[bytes], name: str):
        self.file = file
        self.name = name
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self.buffer = ""
        self.position = 0
        self.line = 1  # of the buffer's first character
        self.column = 1

    def peek(self) -> str:
        """The next character that is not blank; "" at the end."""
        while not (ahead := INK.search(self.buffer, self.position)):
            self.position = len(self.buffer)
            if not self.read_on():
                return ""
        self.position = ahead.start()
        return ahead.group()

    def value(self) -> Any:
        """The JSON value that starts here."""
        while True:
            try:
                value, self.position = DECODER.raw_decode(self.buffer, self.position)
                return value
            except json.JSONDecodeError as error:
                ahead = error.pos - self.position
                unfinished = error.msg.startswith("Unterminated") or error.pos > len(self.buffer) - NEAR_THE_END
                if not unfinished or not self.read_on():
                    self.position += ahead
                    raise self.broken(error.msg[:1].lower() + error.msg[1:].removesuffix(" at")) from error
            except RecursionError as error:
                raise self.broken("it is nested too deeply") from error

    def read_on(self) -> bool:
        """Read as much again as is waiting, and let go what was used. False at the end of the file."""
        self.line, self.column = self.place()
        self.buffer, self.position = self.buffer[self.position :], 0
        data = self.file.read(max(CHUNK, len(self.buffer)))
        self.buffer += self.decoder.decode(data, final=not data)
        return bool(data)

    def place(self) -> tuple[int, int]:
        """Line and column, from 1."""
        breaks = self.buffer.count("\n", 0, self.position)
        if not breaks:
            return self.line, self.column + self.position
        return self.line + breaks, self.position - self.buffer.rfind("\n", 0, self.position)

    def broken(self, words: str) -> UserError:
        line, column = self.place()
        return UserError(
            f"{self.name} is not JSON: line {line}, column {column}.", f"There, {words}.", "Correct it at that place."
        )
