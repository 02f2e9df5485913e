"""`dfgui export`: a checkpoint brought home as a folder that loads."""

import argparse
from pathlib import Path
from typing import Any

from dfgui import actions
from dfgui.cli.asked import DONE, Answer
from dfgui.settings import Settings


def add(commands: Any) -> None:
    export = commands.add_parser("export", help="bring a checkpoint home as a folder that loads")
    export.add_argument("run")
    export.add_argument("--checkpoint", type=int, required=True, metavar="STEP")
    export.add_argument("--as", choices=[*actions.KINDS, "gguf"], required=True, dest="kind")
    export.add_argument("--to", type=Path, required=True, metavar="DIR")
    export.add_argument(
        "--dtype", choices=["float32", "bfloat16", "float16", "q8_0"], help="of a gguf: float16 or q8_0"
    )
    export.set_defaults(command=export_checkpoint)


def export_checkpoint(asked: argparse.Namespace, where: Settings) -> Answer:
    answer = actions.export(where, asked.run, asked.checkpoint, asked.kind, asked.to, asked.dtype)
    return DONE, answer, f"{answer['path']}: {', '.join(answer['files'])}"
