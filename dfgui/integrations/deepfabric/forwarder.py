"""The forwarder: a thread that carries the outbox to DeepFabric. It reads the store and knows nothing of a trainer.

    with forwarding(settings, run.trackers): ...         the command line: at the end it sends for a while what is left
    forwarder = Forwarder(settings, connections.of_run)  the app, with what visitors gave for their runs
    forwarder.start() ... forwarder.close(2)

A run's events go out in order, and one is marked sent once DeepFabric has answered with a 2xx. What is answered
otherwise, or not at all:

    no connection, a time-out, 408, 425, 429, 5xx   tried again, later and later
    401, 403                                        this key waits for PAUSE_SECONDS, or for another key
    3xx, 404, 405, 410                              this run waits as long: the address or the pipeline is wrong
    any other 4xx                                   the entry is at fault: told, left out, and the next one goes on

If an answer is lost, DeepFabric may have the batch already. The batch is sent again as it was, with the same
Idempotency-Key, so that a service which heeds that header takes it once; run_id, step and type say the same to others.
"""

import logging
import random
import secrets as tokens
import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dfgui.integrations.connections import Secrets, no_secrets
from dfgui.integrations.deepfabric.events import run_id
from dfgui.settings import DeepFabric, Settings
from dfgui.store import Store
from dfgui.store.outbox import Entry

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger("dfgui")

LOOK_SECONDS = 1.0  # how often the outbox is looked at
TIMEOUT_SECONDS = 10.0
FIRST_WAIT, LONGEST_WAIT = 1.0, 120.0  # seconds between two tries; each wait is twice the one before
PAUSE_SECONDS = 600.0
CLOSING_SECONDS = 10.0  # how long the command line goes on sending when its run has ended
AGAIN = (408, 425, 429)
NOT_LET_IN = (401, 403)
WRONG_PLACE = (404, 405, 410)
AGENT = "deepfabric-training/1.0 (dfgui)"


@dataclass
class Wait:
    """Until when nothing is sent, and how often that was in vain."""

    until: float  # by time.monotonic()
    tries: int = 0


@contextmanager
def forwarding(settings: Settings, trackers: list[str]) -> Iterator[None]:
    """Sends what there is while the block runs, and for a bounded time after it, if the run's trackers ask for it."""
    if "deepfabric" not in trackers:
        yield
        return
    forwarder = Forwarder(settings)
    forwarder.start()
    try:
        yield
    finally:
        forwarder.close(CLOSING_SECONDS)


class Forwarder:
    """`secrets`: what a visitor has given for a run, by the names of the environment; see integrations/connections."""

    def __init__(self, settings: Settings, secrets: Secrets = no_secrets):
        self.settings = settings
        self.secrets = secrets
        self.store = Store(settings.store_path)
        self.token = tokens.token_hex(8)  # two forwarders of one process are two
        self.waits: dict[Hashable, Wait] = {}
        self._closing = threading.Event()
        self._give_up_at = 0.0
        self._http: httpx.Client | None = None
        self._thread = threading.Thread(target=self._work, name="dfgui-deepfabric", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, seconds: float) -> None:
        """Sends what is left, for at most `seconds`. What then still waits is sent by whoever comes next."""
        self._give_up_at = time.monotonic() + seconds
        self._closing.set()
        self._thread.join(seconds)

    def _work(self) -> None:
        while not self._closing.is_set() or self._can_send():
            try:
                self.look()
            except Exception:  # a locked store, a full disk: what waits goes on waiting
                logger.exception("The events for DeepFabric could not be looked at; trying again.")
            if self._closing.is_set():
                time.sleep(0.1)
            self._closing.wait(LOOK_SECONDS)

    def _can_send(self) -> bool:
        """Whether anything can be sent in the time that is left."""
        left = self._give_up_at - time.monotonic()
        return any(self._due_in(run, self._target(run)) < left for run in self.store.outbox.waiting())

    def look(self) -> None:
        """Sends what can be sent of every run."""
        for run in self.store.outbox.waiting():
            target = self._target(run)
            if self._due_in(run, target) > 0 or not self.store.outbox.claim(run, self.token):
                continue
            try:
                if target.missing:
                    self._pause((target, run), run, f"DeepFabric is off: it has no {target.missing}.")
                    continue
                while entries := self.store.outbox.next(run):
                    if not self._deliver(run, entries, target) or not self.store.outbox.claim(run, self.token):
                        break
            finally:
                self.store.outbox.release(run, self.token)

    def _target(self, run: str) -> DeepFabric:
        return self.settings.with_secrets(self.secrets(run)).deepfabric

    def _due_in(self, run: str, target: DeepFabric) -> float:
        """Seconds until something may be sent of this run to this target."""
        waits = [self.waits[key] for key in (target, (target, run)) if key in self.waits]
        return max((wait.until - time.monotonic() for wait in waits), default=0.0)

    def _deliver(self, run: str, entries: list[Entry], target: DeepFabric) -> bool:
        """Sends one batch; whether the next one may follow."""
        try:
            status, retry_after = self._post(run, entries, target)
        except Unsendable as error:
            return self._pause((target, run), run, f"DeepFabric's address or key cannot be used ({error}).")
        except NotReached as error:
            return self._later(target, run, f"DeepFabric cannot be reached ({error}).")
        if 200 <= status < 300:
            self.store.outbox.sent(entries)
            self.waits.pop(target, None)
            self.waits.pop((target, run), None)
            if entries[-1].event == "run_end":
                self.store.events.once(run, "note", "DeepFabric has every event of this run.")
            return True
        if status >= 500 or status in AGAIN:
            return self._later(target, run, f"DeepFabric answered {status}.", retry_after)
        if status in NOT_LET_IN:
            return self._pause(target, run, f"DeepFabric does not take this key (it answered {status}).")
        if status < 400 or status in WRONG_PLACE:
            return self._pause((target, run), run, f"DeepFabric's address or pipeline is wrong (it answered {status}).")
        return self._leave_out(run, entries, status)

    def _post(self, run: str, entries: list[Entry], target: DeepFabric) -> tuple[int, float]:
        """(status, seconds it asks us to wait). Raises NotReached when nobody answers, Unsendable when none can."""
        import httpx

        first, last = entries[0], entries[-1]
        is_metrics = first.event == "metrics"
        body: dict[str, Any] = {"metrics": [entry.payload for entry in entries]} if is_metrics else first.payload
        self._http = self._http or httpx.Client(timeout=TIMEOUT_SECONDS)
        try:
            answer = self._http.post(
                f"{target.url}/api/v1/training/{'metrics' if is_metrics else 'runs'}",
                params={"pipeline_id": target.pipeline_id or ""},
                headers={
                    "Authorization": f"Bearer {target.key}",
                    "User-Agent": AGENT,
                    "Idempotency-Key": f"{run_id(run)}-{first.id}-{last.id}",
                },
                json=body,
            )
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError) as error:
            raise Unsendable(type(error).__name__) from error
        except httpx.HTTPError as error:
            raise NotReached(type(error).__name__) from error
        return answer.status_code, _seconds(answer.headers.get("retry-after"))

    def _later(self, key: Hashable, run: str, what: str, at_least: float = 0.0) -> bool:
        tries = self.waits[key].tries if key in self.waits else 0
        wait = min(FIRST_WAIT * 2**tries, LONGEST_WAIT) * random.uniform(0.5, 1.0)
        self.waits[key] = Wait(time.monotonic() + max(wait, min(at_least, LONGEST_WAIT)), min(tries + 1, 16))
        self._tell(run, f"{what} Its events wait in the store and are sent later.")
        return False

    def _pause(self, key: Hashable, run: str, what: str) -> bool:
        self.waits[key] = Wait(time.monotonic() + PAUSE_SECONDS)
        self._tell(run, f"{what} The run's events wait in the store. Look under Connections.")
        return False

    def _leave_out(self, run: str, entries: list[Entry], status: int) -> bool:
        """Of several entries each is sent alone from now on, so that only the one at fault is lost."""
        if len(entries) > 1:
            self.store.outbox.split(entries)
        else:
            self.store.outbox.refuse(entries, f"answered {status}")
            what = entries[0].payload.get("type") or entries[0].event
            step = entries[0].payload.get("global_step")
            where = "" if step is None else f" of step {step}"
            self._tell(run, f"DeepFabric refused one event, {what}{where} (it answered {status}); it is left out.")
        return True

    def _tell(self, run: str, words: str) -> None:
        """Once in these words, on the run's own page."""
        self.store.events.once(run, "warning", words)


class NotReached(Exception):
    """Nobody answered."""


class Unsendable(Exception):
    """Nobody could answer: there is no such address, or no such key."""


def _seconds(retry_after: str | None) -> float:
    """Retry-After in seconds; a date, or nothing, asks for none."""
    return float(retry_after) if retry_after and retry_after.isdecimal() else 0.0
