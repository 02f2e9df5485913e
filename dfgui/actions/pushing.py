"""A push in a process of its own: it says how far it is, and to end it ends the upload.

    push_apart(settings, run, 60, "merged", "me/weather", private=True, say=print, going=lambda: True)

The token of `settings` goes to that process by its stdin, and it has no other.
"""

import secrets
import shutil
from collections.abc import Callable
from typing import Any

from dfgui import child
from dfgui.child import TOKENS, Say
from dfgui.errors import UserError
from dfgui.settings import Settings
from dfgui.store import owner

CANCELLED = UserError("The push was cancelled.", "Somebody asked for it.", "Push again when you want.")


def push_apart(
    settings: Settings, run: str, step: int, kind: str, repo: str, private: bool, say: Say, going: Callable[[], bool]
) -> dict[str, Any]:
    """As pushes.push. Ends it, and leaves nothing on the disk, once `going()` is False; that is a UserError too."""
    place = settings.exports / owner.folder_name() / f"{run}-push-{secrets.token_hex(4)}"
    asked = {"home": str(settings.home), "token": settings.hub_token, "run": run, "step": step, "kind": kind}
    asked |= {"repo": repo, "private": private, "out": str(place / "model")}
    only_this = {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
    module = "dfgui.actions.pushing_child"
    try:
        return child.run(module, asked, say, going, CANCELLED, "The push", without=TOKENS, more=only_this)
    finally:
        shutil.rmtree(place, ignore_errors=True)
