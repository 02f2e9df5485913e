"""The command line: what the pages do, for scripts. Same config, same words, same results.

    python -m dfgui train run.yaml --set training.max_steps=10
    python -m dfgui runs show h3k9x2m4q7 --json

With --json, stdout holds one JSON value and nothing else; NaN is null. Exit 0: done. 1: it ended badly. 2: refused, and
{"error": {what, why, do}} says why. A command is a file here, with its arguments and what it answers.
"""

import argparse
import json
import math
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from typing import Any

from dfgui import server, settings
from dfgui.cli import checkpoints, export, history, push, reference, rows, runs, script, train
from dfgui.cli.asked import REFUSED, Answer
from dfgui.errors import UserError
from dfgui.settings import Settings
from dfgui.store import probe


def main(argv: list[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    given = sys.argv[1:] if argv is None else argv
    try:
        everywhere, rest = _options_anywhere().parse_known_args(given)
        asked = _parser().parse_args(rest)
        where = settings.load(home=everywhere.home, jailed=False)
        if asked.command not in (open_ui, reference.show_settings):
            _require_a_disk(where)
        with redirect_stdout(sys.stderr) if "--json" in given else nullcontext():  # libraries print what they like
            code, answer, words = asked.command(asked, where)
    except UserError as error:
        code, answer, words = REFUSED, {"error": error.to_dict()}, None
        print(f"{error.what}\n{error.why}\n{error.do}", file=sys.stderr)
    try:
        if "--json" in given:
            print(json.dumps(_without_nan(answer)), flush=True)  # in ASCII: not every terminal or pipe takes more
        elif words:
            print(words, flush=True)
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _require_a_disk(where: Settings) -> None:
    """The app works around a home that SQLite cannot live on; a second process beside it must not."""
    if trouble := probe.trouble(where.home):
        raise UserError(
            f"The disk of {where.home} {trouble}.", "SQLite would be damaged there.", "Choose another --home."
        )


class Parser(argparse.ArgumentParser):
    """Words that are not understood are refused like everything else, in JSON too."""

    def error(self, message: str) -> Any:
        usage = " ".join(self.format_usage().split()).removeprefix("usage: ").rstrip(" .")
        raise UserError(f"{message[:1].upper()}{message[1:]}.", f"It is written: {usage}.", "See --help.")


def _options_anywhere() -> argparse.ArgumentParser:
    """--json and --home may stand before or after the command."""
    parser = Parser(prog="python -m dfgui", add_help=False, allow_abbrev=False)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--home")
    return parser


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m dfgui",
        description="Fine-tune chat and tool-calling models. --json prints one JSON value, --home names the home.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    ui = commands.add_parser("ui", help="open the dashboard; python app.py does the same")
    server.add_flags(ui)
    ui.set_defaults(command=open_ui)
    for command in (train, rows, export, checkpoints, push, script, reference):
        command.add(commands)
    of_runs = commands.add_parser("runs", help="history and control").add_subparsers(required=True, metavar="WHAT")
    runs.add(of_runs)
    train.add_resume(of_runs)
    history.add(of_runs)
    return parser


def open_ui(asked: argparse.Namespace, where: Settings) -> Answer:
    asked.home = where.home
    return server.serve(*server.read_flags(asked)), None, None


def _without_nan(value: Any) -> Any:
    """The value with every NaN and infinity as None, since JSON has neither."""
    walk: Callable[[Any], Any] = _without_nan
    if isinstance(value, dict):
        return {name: walk(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [walk(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
