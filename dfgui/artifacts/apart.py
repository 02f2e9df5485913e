"""A merge in a process of its own: the memory that it takes goes with it, and it can be ended at any moment.

merge(Path("checkpoint-60"), base, out, "bfloat16", "weather", say=print, going=lambda: True)
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dfgui import child
from dfgui.child import Say
from dfgui.errors import UserError

CANCELLED = UserError("The merge was cancelled.", "Somebody asked for it.", "Ask for the download again when you want.")


def merge(
    checkpoint: Path,
    base: str | Path | None,
    out: Path,
    dtype: str | None,
    name: str,
    say: Say,
    going: Callable[[], bool],
) -> None:
    """As merge.merge. Ends it, and leaves nothing behind, once `going()` is False; that is a UserError too."""
    asked = {"checkpoint": str(checkpoint), "base": str(base) if base else None, "out": str(out), "dtype": dtype}
    try:
        child.run("dfgui.artifacts.apart", {**asked, "name": name}, say, going, CANCELLED, "The merge")
    except UserError:
        shutil.rmtree(out, ignore_errors=True)  # it may have been done just then
        raise


def _work(asked: dict[str, Any], say: Say) -> dict[str, Any]:
    from dfgui.artifacts import merge as merging

    merging.merge(Path(asked["checkpoint"]), asked["base"], Path(asked["out"]), asked["dtype"], say, asked["name"])
    return {}


if __name__ == "__main__":
    child.serve(_work)
