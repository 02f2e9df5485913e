"""Packages in the making: each is made once at a time, however often it is asked for, and lies ready for a while.

packages = Packages(make)                           # make(key, job) returns a Package; it runs in a worker thread
await packages.ready(("7h2k...", 60, "merged"))     # False while it is still being made
await packages.take(("7h2k...", 60, "merged"))      # the Package, which is the caller's from then on
packages.said(("7h2k...", 60, "merged"))            # how far it is, in words
packages.cancel(("7h2k...", 60, "merged"))          # nobody wants it any more
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from anyio import to_thread

Key = tuple[str, int, str]  # run, step, kind
PATIENCE_SECONDS = 1.0  # how long one question waits for an answer: as often is told how far it is
KEPT_SECONDS = 60.0  # how long a package that nobody takes lies ready


@dataclass
class Job:
    """What whoever makes a package says of it, and whether anybody still wants it."""

    said: str = ""
    given: Any = None  # what whoever asked first has brought along
    cancelled: threading.Event = field(default_factory=threading.Event)

    def say(self, words: str) -> None:
        self.said = words

    def going(self) -> bool:
        return not self.cancelled.is_set()


class Packages:
    def __init__(self, make: Callable[[Key, Job], Any]):
        self._make = make
        self._making: dict[Key, asyncio.Task[Any]] = {}
        self._jobs: dict[Key, Job] = {}

    def said(self, key: Key) -> str:
        return self._jobs[key].said if key in self._jobs else ""

    def cancel(self, key: Key) -> None:
        """Ends the making, where it is under way; whoever waits for it hears so from `make`."""
        if key in self._jobs:
            self._jobs[key].cancelled.set()

    async def ready(self, key: Key, given: Any = None) -> bool:
        """Whether the package is made; begins it, with what is `given`, if not. Raises what making it raised."""
        task = self._begun(key, given)
        done, _ = await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
        return bool(done and task.result())

    async def take(self, key: Key, given: Any = None) -> Any:
        """The package, once it is made. Of several who wait the first has it, and the next one is made after it."""
        while True:
            task = self._begun(key, given)
            await asyncio.wait({task})
            if task.exception() or self._forget(key, task):
                return task.result()

    def _begun(self, key: Key, given: Any) -> asyncio.Task[Any]:
        if key not in self._making:
            self._jobs[key] = Job(given=given)
            self._making[key] = asyncio.create_task(to_thread.run_sync(self._make, key, self._jobs[key]))
            self._making[key].add_done_callback(lambda task: self._made(key, task))
        return self._making[key]

    def _made(self, key: Key, task: asyncio.Task[Any]) -> None:
        self._jobs.pop(key, None)
        if task.cancelled() or task.exception():
            self._forget(key, task)
        else:
            asyncio.get_running_loop().call_later(KEPT_SECONDS, self._throw_away, key, task)

    def _throw_away(self, key: Key, task: asyncio.Task[Any]) -> None:
        if self._forget(key, task):
            asyncio.get_running_loop().run_in_executor(None, task.result().close)

    def _forget(self, key: Key, task: asyncio.Task[Any]) -> bool:
        """Whether it was still there to be had."""
        return self._making.get(key) is task and self._making.pop(key) is task
