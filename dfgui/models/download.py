"""Downloads of models that somebody asked for, each in a process of its own: it can be ended, and goes on later.

    downloads = Downloads()
    downloads.begin("Qwen/Qwen3-0.6B", None, settings)
    downloads.of("Qwen/Qwen3-0.6B", None)       Download(state="running", done=..., total=...), or None
    downloads.cancel("Qwen/Qwen3-0.6B", None)

They belong to the server and not to a tab: whoever looks sees how far they are. What has come stays on the disk
(fetching.py), so that the next one goes on from there. They end with this process.
"""

import threading
import time
from dataclasses import dataclass, replace
from typing import Any, Literal

from dfgui import child, config
from dfgui import settings as settings_module
from dfgui.child import TOKENS, Say
from dfgui.errors import UserError
from dfgui.settings import Settings

CANCELLED = UserError("The download was cancelled.", "Somebody asked for it.", "Download it again when you want.")
TELL_SECONDS = 0.2

Key = tuple[str, str | None]  # the model's name and its revision


@dataclass(frozen=True)
class Download:
    name: str
    revision: str | None
    state: Literal["running", "done", "cancelled", "failed"] = "running"
    done: int = 0  # bytes of its weights
    total: int = 0  # 0: not known yet
    error: UserError | None = None


class Downloads:
    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._known: dict[Key, Download] = {}
        self._under_way: dict[Key, threading.Thread] = {}

    def of(self, name: str, revision: str | None) -> Download | None:
        with self._changing:
            return self._known.get((name, revision))

    def all(self) -> list[Download]:
        with self._changing:
            return list(self._known.values())

    def begin(self, name: str, revision: str | None, settings: Settings) -> Download:
        """Begins it, where it is not under way already."""
        key = (name, revision)
        with self._changing:
            if key in self._under_way:
                return self._known[key]
            thread = threading.Thread(target=self._follow, args=(key, settings), name="dfgui-download", daemon=True)
            self._under_way[key] = thread
            self._known[key] = Download(name, revision)
            thread.start()
            return self._known[key]

    def cancel(self, name: str, revision: str | None) -> None:
        """Ends it; what has come by then is kept."""
        with self._changing:
            thread = self._under_way.pop((name, revision), None)
            if thread:
                self._known[name, revision] = replace(self._known[name, revision], state="cancelled")
        if thread:
            thread.join()  # the next one writes to the same file

    def _follow(self, key: Key, settings: Settings) -> None:
        name, revision = key
        asked = {"name": name, "revision": revision, "home": str(settings.home), "token": settings.hub_token}
        try:
            child.run(
                "dfgui.models.download",
                asked,
                say=lambda told: self._change(key, **told),
                going=lambda: self._is_ours(key),
                cancelled=CANCELLED,
                what="The download",
                without=TOKENS,
                more={"HF_ENDPOINT": settings.hub_url},
            )
            self._change(key, state="done")
        except UserError as error:
            self._change(key, state="failed", error=error)
        with self._changing:
            if self._is_ours(key):
                del self._under_way[key]

    def _change(self, key: Key, **changes: Any) -> None:
        """What a process tells that was ended is no news any more."""
        with self._changing:
            if self._is_ours(key):
                self._known[key] = replace(self._known[key], **changes)

    def _is_ours(self, key: Key) -> bool:
        return self._under_way.get(key) is threading.current_thread()


class Teller:
    """Says how far it is, but not more often than somebody could read it."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._told_at = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._told_at >= TELL_SECONDS or done == total:
            self._told_at = now
            self._say({"done": done, "total": total})


def _work(asked: dict[str, Any], say: Say) -> dict[str, Any]:
    """In the process of its own: the weights, which go on where they broke off, and then the small files."""
    from dfgui.models import fetching, load

    where = settings_module.load(home=asked["home"], hub_token=asked["token"])
    model = config.Model(name=asked["name"], revision=asked["revision"])
    fetching.weights(model, where, Teller(say))
    load.fetch(model, where)
    return {}


if __name__ == "__main__":
    child.serve(_work, at_once=True)
