"""Every setting, on the command line: `dfgui settings` prints docs/settings.md, `dfgui settings NAME` one of them."""

import argparse
from typing import Any

from dfgui.fields import specs
from dfgui.settings import Settings
from dfgui.views import reference

Answer = tuple[int, Any, str | None]  # exit code, the JSON value, the same in words


def add(commands: Any) -> None:
    """Adds the command to the others."""
    settings = commands.add_parser("settings", help="every setting of a run, or one of them, in words")
    settings.add_argument("name", nargs="?", help="a path, training.max_length, or the last part of one")
    settings.set_defaults(command=show_settings)


def show_settings(asked: argparse.Namespace, where: Settings) -> Answer:
    if asked.name is None:
        return 0, [reference.as_json(spec) for spec in specs()], reference.page()
    meant = reference.found(asked.name)
    return 0, [reference.as_json(spec) for spec in meant], "\n\n".join(map(reference.one, meant))
