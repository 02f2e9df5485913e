"""A run as a script, on the command line: `python -m dfgui script RUN --to DIR`, or run.yaml in place of a run."""

import argparse
import sys
from pathlib import Path
from typing import Any

from dfgui import actions, recipe
from dfgui.errors import UserError
from dfgui.settings import Settings

Answer = tuple[int, Any, str | None]  # exit code, the JSON value, the same in words


def add(commands: Any) -> None:
    """Adds the command to the others."""
    script = commands.add_parser("script", help="write a run as a plain TRL script, with all that it needs")
    script.add_argument("run", help="the id of a run, or the YAML file of one")
    script.add_argument("--to", type=Path, required=True, metavar="DIR")
    script.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="overrides")
    script.set_defaults(command=write_script)


def write_script(asked: argparse.Namespace, where: Settings) -> Answer:
    answer = actions.script(where, _run(asked), asked.to)
    return 0, answer, f"{answer['path']}: {', '.join(answer['files'])}"


def _run(asked: argparse.Namespace) -> Any:
    """The id of a run, or what a file asks for; names in it that are others here are told on stderr."""
    file = Path(asked.run)
    if file.suffix in (".yaml", ".yml"):
        if not file.is_file():
            raise UserError(
                f"{file} is not a file.", "script reads a YAML file, or the id of a run.", "Check the path."
            )
        config, said = recipe.read(file.read_text(encoding="utf-8"), asked.overrides)
        for line in said:
            print(line, file=sys.stderr)
        return config
    if asked.overrides:
        raise UserError(
            "A run that was started is what it was.", "--set changes a YAML file.", "Leave --set out, or name a file."
        )
    return asked.run
