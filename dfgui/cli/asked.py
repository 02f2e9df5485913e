"""What commands share: how they answer, and how a run is asked for on a command line."""

import argparse
import sys
from pathlib import Path
from typing import Any

from dfgui import recipe
from dfgui.config import RunConfig
from dfgui.errors import UserError

DONE, BAD, REFUSED = 0, 1, 2

Answer = tuple[int, Any, str | None]  # exit code, the JSON value, the same in words


def add_set(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="overrides")


def text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except ValueError as error:
        raise UserError(f"{file.name} is not a text file.", "It is not UTF-8.", "Write it as YAML.") from error


def read(text: str, overrides: list[str], file: str = "") -> RunConfig:
    """What a file asks for; names in it that are others here are told on stderr."""
    config, said = recipe.read(text, overrides, file)
    for line in said:
        print(line, file=sys.stderr)
    return config
