"""`dfgui check` and `dfgui preview`: the rows of a dataset, or of a run's file, looked at as the trainer will."""

import argparse
import json
from pathlib import Path
from typing import Any

from dfgui import actions
from dfgui.cli import progress
from dfgui.cli.asked import BAD, DONE, Answer, add_set, read, text
from dfgui.config import RunConfig
from dfgui.settings import Settings
from dfgui.views import findings

# What both have flags for; --set reaches every other setting.
LOOKING = {
    "model": "model.name",
    "format": "data.format",
    "max-length": "training.max_length",
    "train-on": "data.train_on",
}


def add(commands: Any) -> None:
    check = commands.add_parser("check", help="every row of a dataset, and what is wrong with it")
    _add_dataset(check)
    check.set_defaults(command=check_rows)

    preview = commands.add_parser("preview", help="one row at every stage, as the model will see it")
    _add_dataset(preview)
    preview.add_argument("--row", type=int, default=1, help="rows are numbered from 1")
    preview.set_defaults(command=show_row)


def _add_dataset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", help="a file, demo, hf:owner/name, or the YAML file of a run")
    for flag in LOOKING:
        parser.add_argument(f"--{flag}", metavar=flag.replace("-", "_").upper())
    add_set(parser)


def check_rows(asked: argparse.Namespace, where: Settings) -> Answer:
    run = _looking_at(asked)
    with progress.telling() as tell:
        tell(progress.of_check(None))
        for report in actions.check(where, run.data, run.model, run.training.max_length):
            tell(progress.of_check(report))
    return BAD if report.errors else DONE, report.to_dict(), "\n".join(findings.lines(report))


def show_row(asked: argparse.Namespace, where: Settings) -> Answer:
    run = _looking_at(asked)
    answer = actions.preview(where, run.data, run.model, asked.row, run.training.max_length)
    return DONE, answer, answer["text"]


def _looking_at(asked: argparse.Namespace) -> RunConfig:
    """The run of a YAML file, or one of this dataset; flags and --set on top."""
    given = {path: getattr(asked, flag.replace("-", "_")) for flag, path in LOOKING.items()}
    overrides = [
        f"{path}={json.dumps(value, ensure_ascii=False)}" for path, value in given.items() if value is not None
    ]
    file = Path(asked.source)
    if file.suffix in (".yaml", ".yml") and file.is_file():
        return read(text(file), overrides + asked.overrides, file.name)
    return read(json.dumps({"data": {"source": asked.source}}, ensure_ascii=False), overrides + asked.overrides)
