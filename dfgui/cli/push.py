"""A checkpoint to the Hub: `python -m dfgui push RUN --checkpoint 60 --as merged --repo me/name`."""

import argparse
import sys
from typing import Any

from dfgui import actions
from dfgui.settings import Settings

Answer = tuple[int, Any, str | None]  # exit code, the JSON value, the same in words


def add(commands: Any) -> None:
    """Adds the command to the others."""
    push = commands.add_parser("push", help="bring a checkpoint to the Hub, with a model card; private unless --public")
    push.add_argument("run")
    push.add_argument("--checkpoint", type=int, required=True, metavar="STEP")
    push.add_argument("--as", choices=actions.KINDS, required=True, dest="kind")
    push.add_argument("--repo", required=True, metavar="OWNER/NAME")
    push.add_argument("--public", action="store_true", help="everybody may see the repository, if it is made by this")
    push.set_defaults(command=push_checkpoint)


def push_checkpoint(asked: argparse.Namespace, where: Settings) -> Answer:
    def say(words: str) -> None:
        print(words, file=sys.stderr, flush=True)

    answer = actions.push(where, asked.run, asked.checkpoint, asked.kind, asked.repo, not asked.public, say)
    return 0, answer, answer["url"]
