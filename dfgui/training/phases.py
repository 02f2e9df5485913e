"""What a run does before its first step, told to the store; and whether somebody wants it to stop.

preparing: starting TRL (or Unsloth) -> tokenising -> downloading -> loading -> first step
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dfgui.errors import UserError
from dfgui.store import Store, Writer
from dfgui.store.commands import STOPS
from dfgui.training.ranks import Ranks

logger = logging.getLogger("dfgui")

REPORT_SECONDS = 0.2  # how often a long phase says how far it is
Report = Callable[[int, int | None], None]  # how much is done, of how much
Wrap = Callable[[Report], Report]
BY_THE_SYSTEM = "the system"  # who asks by SIGTERM: a Space going to sleep, a machine being taken back


class Stopped(Exception):
    """Somebody asked the run to stop before its first step."""


@dataclass
class Place:
    """Where a run executes: which of its processes this is, in words, and whether the process is asked to end."""

    ranks: Ranks = field(default_factory=Ranks)
    words: str = "a thread of the app"
    why: str = "As it was asked for: it starts fastest."
    ending: threading.Event = field(default_factory=threading.Event)
    trains: bool = False  # whether it came as far as the training itself


class Phases:
    """Tells the store what a run is doing, and learns from it whether it should stop."""

    def __init__(self, run: str, store: Store, writer: Writer, place: Place):
        self.run = run
        self.store = store
        self.writer = writer
        self.place = place
        self._reported = 0.0

    def facts(self) -> dict[str, Any]:
        """What is known of the run by now; nothing where the store cannot tell."""
        try:
            return self.store.runs.get(self.run)["facts"]
        except (sqlite3.Error, UserError):
            return {}

    def begin(self, phase: str) -> None:
        self.stop_if_asked()
        logger.info("%s", phase)
        self.writer.event("phase", f"{phase[0].upper()}{phase[1:]}.")
        self.writer.progress(phase=phase, phase_done=None, phase_total=None, phase_unit=None)

    def counting(self, unit: str) -> Report:
        """A function to call with (done, total) while a phase goes on."""

        def report(done: int, total: int | None) -> None:
            if time.monotonic() - self._reported > REPORT_SECONDS:
                self._reported = time.monotonic()
                self.stop_if_asked()
                self.writer.progress(phase_done=done, phase_total=total, phase_unit=unit)

        return report

    def patiently(self, work: Callable[[Wrap], Any]) -> Any:
        """Does what may hang, such as a download, aside, so that a stop need not wait for it; returns its result.

        `work` is given `going`: going(report) is a report that ends the work once nobody waits for it any more.
        """
        result: dict[str, Any] = {}
        left = threading.Event()

        def going(report: Report) -> Report:
            def report_or_end(done: int, total: int | None) -> None:
                if left.is_set():
                    raise Stopped
                report(done, total)

            return report_or_end

        def aside() -> None:
            try:
                result["value"] = work(going)
            except BaseException as error:
                result["error"] = error

        thread = threading.Thread(target=aside, name="dfgui-fetch", daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                thread.join(REPORT_SECONDS)
                self.stop_if_asked()
        finally:
            left.set()
        if "error" in result:
            raise result["error"]
        return result["value"]

    def stop_if_asked(self) -> None:
        """Raises Stopped. Of several processes the first one decides alone: they have not met yet."""
        if self.place.ranks.first and (by := self._asked_by()):
            raise Stopped(by)

    def _asked_by(self) -> str:
        if self.place.ending.is_set():
            return BY_THE_SYSTEM
        try:
            waiting = self.store.commands.waiting(self.run)
        except sqlite3.Error as error:  # asked again soon
            logger.warning("Commands could not be read: %s", error)
            return ""
        return next((command["requested_by"] for command in waiting if command["command"] in STOPS), "")
