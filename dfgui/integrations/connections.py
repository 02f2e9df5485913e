"""Connections: the keys a visitor gives for this visit, and the runs that were started with them.

    connections.set(visitor, {"HF_TOKEN": "hf_..."})
    connections.secrets(visitor)          {"HF_TOKEN": "hf_..."}: by the names of the environment
    connections.hand(run, visitor)        the run has what its visitor has, now and later in the visit
    connections.of_run(run)               for whoever executes it, or speaks to a service for it

All of it lives in this object and nowhere else: nothing is written to the store, a file or a log, and nothing is sent
back to a browser. A visit ends with a logout, or when nobody has used it for VISIT_SECONDS. A run keeps what it was
handed until it has ended and nothing of it waits to be sent.
"""

import secrets as tokens
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from dfgui.errors import UserError
from dfgui.integrations import trackers
from dfgui.settings import DeepFabric, Settings
from dfgui.store import Store
from dfgui.store.runs import ENDED

Secrets = Callable[[str], Mapping[str, str]]  # a run's, by the names of the environment

COOKIE = "dfgui-visit"  # holds a visit's name, which nobody can guess
USER = "dfgui.user"  # where the login leaves the visitor's name in a request's scope
VISIT_SECONDS = 12 * 3600
LONGEST = 500  # characters of a value
MOST_VISITS = 1000


def no_secrets(run: str) -> Mapping[str, str]:
    """Where nobody visits, nobody has given anything."""
    return {}


@dataclass(frozen=True)
class Field:
    name: str  # as in the environment
    title: str
    secret: bool = True


@dataclass(frozen=True)
class Service:
    name: str
    title: str
    use: str
    fields: tuple[Field, ...]


SERVICES = (
    Service(
        "hub",
        "Hugging Face Hub",
        "Gated and private models and datasets, and pushing to the Hub.",
        (Field("HF_TOKEN", "Token"),),
    ),
    Service("wandb", "Weights & Biases", "The tracker wandb.", (Field("WANDB_API_KEY", "API key"),)),
    Service(
        "deepfabric",
        "DeepFabric",
        "The tracker deepfabric: it wants a key and a pipeline id.",
        (
            Field("DEEPFABRIC_API_KEY", "API key"),
            Field("DEEPFABRIC_PIPELINE_ID", "Pipeline id", secret=False),
            Field("DEEPFABRIC_API_URL", "Endpoint", secret=False),
        ),
    ),
)
NAMES = {one.name: one for service in SERVICES for one in service.fields}


@dataclass
class Visit:
    used_at: float
    values: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass
class Handed:
    visitor: str
    values: dict[str, str] = field(repr=False)


class Connections:
    def __init__(self, store: Store):
        self._store = store
        self._lock = threading.Lock()
        self._visits: dict[str, Visit] = {}
        self._runs: dict[str, Handed] = {}

    def new_visit(self, user: str | None) -> tuple[str, str]:
        """(what goes into a new visitor's cookie, who that visitor is)."""
        cookie = tokens.token_urlsafe(32)
        with self._lock:
            self._forget_the_old()
            self._visits[_key(cookie, user)] = Visit(time.monotonic())
        return cookie, _key(cookie, user)

    def knows(self, visitor: str) -> bool:
        with self._lock:
            return self._visit(visitor) is not None

    def set(self, visitor: str, given: Mapping[str, str]) -> None:
        """Takes values for the visit; an empty one is forgotten. Raises UserError, and takes none, if one is bad."""
        cleaned = {name: _checked(name, value) for name, value in given.items()}
        with self._lock:
            if (visit := self._visit(visitor)) is None:
                raise UserError("This visit is over.", "Nothing was taken.", "Load the page again, and give it again.")
            kept = {**visit.values, **cleaned}
            visit.values = {name: value for name, value in kept.items() if value}

    def secrets(self, visitor: str) -> dict[str, str]:
        """What the visitor has given, by the names of the environment; empty for a stranger."""
        with self._lock:
            visit = self._visit(visitor)
            return dict(visit.values) if visit else {}

    def forget(self, visitor: str) -> None:
        """The visit is over."""
        with self._lock:
            self._visits.pop(visitor, None)

    def hand(self, run: str, visitor: str) -> None:
        """What the visitor has is the run's as well, and so is what they give later in the visit."""
        values = self.secrets(visitor)
        over = [known for known in list(self._runs) if self._is_over(known)]
        with self._lock:
            for known in over:
                self._runs.pop(known, None)
            self._runs[run] = Handed(visitor, values)

    def of_run(self, run: str) -> dict[str, str]:
        """What was handed to the run, by the names of the environment."""
        handed = self._runs.get(run)
        return {**handed.values, **self.secrets(handed.visitor)} if handed else {}

    def _is_over(self, run: str) -> bool:
        try:
            ended = self._store.runs.get(run)["status"] in ENDED
        except UserError:  # deleted, or its start was refused
            return True
        return ended and not self._store.outbox.counts(run)["waiting"]

    def _visit(self, visitor: str) -> Visit | None:
        visit = self._visits.get(visitor)
        if visit and time.monotonic() - visit.used_at > VISIT_SECONDS:
            visit = self._visits.pop(visitor) and None
        if visit:
            visit.used_at = time.monotonic()
        return visit

    def _forget_the_old(self) -> None:
        now = time.monotonic()
        self._visits = {name: one for name, one in self._visits.items() if now - one.used_at < VISIT_SECONDS}
        while len(self._visits) >= MOST_VISITS:
            self._visits.pop(min(self._visits, key=lambda name: self._visits[name].used_at))


def visitor_of(request: Any) -> str:
    """Whose request this is, Starlette's or Gradio's: a visit's name, and who is signed in. "" for a stranger."""
    asked = getattr(request, "request", request)  # Gradio's turns what it wraps into objects of its own
    cookie = asked.cookies.get(COOKIE) or asked.cookies.get(f"{COOKIE}-frame")
    return _key(cookie, asked.scope.get(USER)) if cookie else ""


def state(settings: Settings, given: Mapping[str, str]) -> list[dict[str, Any]]:
    """What is there and what is not, never what it is: [{name, title, use, fields: [{name, title, secret, from}]}]."""
    own = settings.deepfabric
    logins = {"HF_TOKEN": _hub_login, "WANDB_API_KEY": lambda: trackers.wandb_login(settings)}

    def kept(name: str) -> str:
        return "machine" if name in logins and logins[name]() else ""

    there = {
        "HF_TOKEN": settings.hub_token,
        "WANDB_API_KEY": settings.wandb.key,
        "DEEPFABRIC_API_KEY": own.key,
        "DEEPFABRIC_PIPELINE_ID": own.pipeline_id,
        "DEEPFABRIC_API_URL": own.url != DeepFabric.url,
    }
    return [
        {
            "name": service.name,
            "title": service.title,
            "use": service.use,
            "fields": [
                {
                    "name": one.name,
                    "title": one.title,
                    "secret": one.secret,
                    "from": "visit" if given.get(one.name) else "environment" if there[one.name] else kept(one.name),
                }
                for one in service.fields
            ],
        }
        for service in SERVICES
    ]


def _hub_login() -> bool:
    """Whether `hf auth login` has kept a token here."""
    from huggingface_hub import get_token

    return bool(get_token())


def _key(name: str, user: str | None) -> str:
    return f"{name} {user or ''}"


def _checked(name: str, value: Any) -> str:
    if name not in NAMES or not isinstance(value, str):
        raise UserError("That is not a connection.", f"There are {', '.join(NAMES)}.", "Choose one of them.")
    value = value.strip()
    title = NAMES[name].title
    if len(value) > LONGEST or not value.isascii() or not value.isprintable() or " " in value:
        raise UserError(
            f"{title}: that cannot be one.",
            f"It has a space or another character that none has, or more than {LONGEST} of them.",
            "Copy it again.",
        )
    if name == "DEEPFABRIC_API_URL" and value and not _is_address(value):
        raise UserError("Endpoint: that is no address.", "It is written https://host.", "Check the spelling.")
    return value.rstrip("/") if name == "DEEPFABRIC_API_URL" else value


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False
