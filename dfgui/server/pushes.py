"""The addresses behind the Hub card of Export: a checkpoint is pushed by the server, whatever becomes of the page.

POST   /push        {"run", "step", "kind", "repo", "public"}: begins; answers {"push": {...}}, or {"error"} at once
GET    /push        {"pushes": [{id, run, name, step, kind, repo, private, state, said, url, error}]}, newest first
DELETE /push/ID     ends it; what was under way stops

`state` is going, done, failed or cancelled. A visitor sees and ends the pushes of his own visit only, and pushes with
the token given for it. The server's own token is used where nobody has to sign in: there it is the same person's.
"""

import re
import secrets
import threading
from dataclasses import dataclass, field, replace
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dfgui.errors import UserError
from dfgui.integrations.connections import Connections, visitor_of
from dfgui.server import bodies
from dfgui.server.packages import Job
from dfgui.settings import Settings

NO_STORE = {"cache-control": "no-store"}
REPO = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)
MOST = 50  # that are over, and still told
GOING = "going"


@dataclass
class Push:
    visitor: str
    run: str
    name: str  # the run's
    step: int
    kind: str
    repo: str
    private: bool
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    job: Job = field(default_factory=Job)
    state: str = GOING
    url: str = ""
    error: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        names = ("id", "run", "name", "step", "kind", "repo", "private", "state", "url", "error")
        return {**{name: getattr(self, name) for name in names}, "said": self.job.said}


class Pushes:
    """Those of this process, in memory: an upload does not outlive the server that began it."""

    def __init__(self, settings: Settings, connections: Connections, shared: bool):
        self.settings = settings
        self.connections = connections
        self.shared = shared  # whether several people use this server
        self._lock = threading.Lock()
        self._all: list[Push] = []  # newest first

    def of(self, visitor: str) -> list[Push]:
        """A visitor's own; what was begun before the first key was given is theirs where nobody else is about."""
        theirs = {visitor} if self.shared else {visitor, ""}
        with self._lock:
            return [one for one in self._all if one.visitor in theirs]

    def begin(self, visitor: str, asked: dict[str, Any]) -> Push:
        """Begins it in a thread. Raises UserError for what cannot be pushed at all."""
        from dfgui import actions

        run, step, kind, repo = (asked.get(name) for name in ("run", "step", "kind", "repo"))
        if not isinstance(step, int) or isinstance(step, bool) or kind not in actions.KINDS:
            raise UserError("That is nothing to push.", "A checkpoint goes as adapter or merged.", "Use the page.")
        if not isinstance(repo, str) or not REPO.fullmatch(repo.strip()):
            raise UserError(
                "That is no name for a repository.",
                "It reads owner/name, in letters, digits, dashes and dots.",
                "Write your name on the Hub, a slash, and what it shall be called.",
            )
        found = actions.saved(self.settings, str(run), step)
        theirs = replace(self.settings, hub_token=self._token(visitor))
        private = asked.get("public") is not True
        new = Push(visitor, found.run["id"], found.run["name"], step, str(kind), repo.strip(), private)
        self._add(new)
        threading.Thread(target=self._push, args=(new, theirs), name="dfgui-push", daemon=True).start()
        return new

    def cancel(self, visitor: str, number: str) -> bool:
        """Whether the visitor has such a push."""
        found = next((one for one in self.of(visitor) if one.id == number), None)
        if found:
            found.job.cancelled.set()
        return found is not None

    def _token(self, visitor: str) -> str:
        """The token to push with. Raises UserError where there is none."""
        from huggingface_hub import get_token

        own = self.connections.secrets(visitor).get("HF_TOKEN")
        token = own or (None if self.shared else self.settings.hub_token or get_token())
        if not token:
            why = "The server's own token is not yours" if self.shared else "No token is set"
            raise UserError(
                "The Hub has to know who you are.",
                f"{why}, and a push needs one that may write.",
                "Give yours under Connections, the key at the top right, and push again.",
            )
        return token

    def _add(self, new: Push) -> None:
        with self._lock:
            if any(one.repo == new.repo and one.state == GOING for one in self._all):
                raise UserError(
                    f"Something is being pushed to {new.repo} already.",
                    "Two at once would mix.",
                    "Wait for its end, or cancel it.",
                )
            over = [one for one in self._all if one.state != GOING][MOST:]
            self._all = [new, *(one for one in self._all if one not in over)]

    def _push(self, push: Push, theirs: Settings) -> None:
        from dfgui import actions

        what = (push.run, push.step, push.kind, push.repo, push.private)
        try:
            push.url = actions.push_apart(theirs, *what, push.job.say, push.job.going)["url"]
            push.state = "done"
        except UserError as error:
            cancelled = push.job.cancelled.is_set()
            push.error = None if cancelled else error.to_dict()
            push.state = "cancelled" if cancelled else "failed"
        except Exception as error:  # the edge of the thread: else it would be under way for ever
            push.error = {"what": "The push failed.", "why": f"{type(error).__name__}.", "do": "Try again."}
            push.state = "failed"
            raise


def routes(settings: Settings, connections: Connections, shared: bool) -> list[Route]:
    pushes = Pushes(settings, connections, shared)

    async def show(request: Request) -> Response:
        found = pushes.of(visitor_of(request))
        return JSONResponse({"pushes": [one.to_dict() for one in found]}, headers=NO_STORE)

    async def begin(request: Request) -> Response:
        try:
            asked = await bodies.read(request)
            new = await to_thread.run_sync(pushes.begin, visitor_of(request), asked)
        except UserError as error:
            return JSONResponse({"error": error.to_dict()}, 400, NO_STORE)
        return JSONResponse({"push": new.to_dict()}, 202, NO_STORE)

    async def cancel(request: Request) -> Response:
        found = pushes.cancel(visitor_of(request), request.path_params["number"])
        return Response(status_code=204 if found else 404)

    return [
        Route("/push", show, methods=["GET"]),
        Route("/push", begin, methods=["POST"]),
        Route("/push/{number}", cancel, methods=["DELETE"]),
    ]
