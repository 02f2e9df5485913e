"""The process in which a push happens: see pushing.py. Its folder is put away by whoever began it."""

from pathlib import Path
from typing import Any

from dfgui import child, settings
from dfgui.actions.pushes import push
from dfgui.child import Say


def work(asked: dict[str, Any], say: Say) -> dict[str, Any]:
    where = settings.load(home=asked["home"], jailed=False, hub_token=asked["token"])
    what = (asked["run"], asked["step"], asked["kind"], asked["repo"], asked["private"])
    say("getting the files ready")
    return push(where, *what, say=say, out=Path(asked["out"]), tell=say)


if __name__ == "__main__":
    child.serve(work, at_once=True)
