"""The login: who may come in, the page that asks, and the check that stands before every route.

Names and passwords come from DFGUI_USERNAME and DFGUI_PASSWORD or from --auth-file; in a Space its owner may sign in
with Hugging Face instead (oauth.py). Without any of them only this machine is served; a Space shows how to set them.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dfgui.errors import UserError
from dfgui.server import pages
from dfgui.server.sessions import COOKIE, FRAME_COOKIE, SECONDS, Sessions, cookies
from dfgui.settings import Settings

WRONG_SECONDS = 1.0  # how long a wrong password waits for its answer
WRONG_AT_ONCE = 5  # of one address: whoever sends more is not heard until they have been answered
FORM_BYTES = 10_000
USER = "dfgui.user"  # where a request's scope holds the visitor's name
OPEN = ("/login", "/logout", "/gradio_api/startup-events")  # Gradio asks for the last one itself when it starts


@dataclass(frozen=True)
class Accounts:
    passwords: dict[str, str]
    members: tuple[str, ...] = ()  # may sign in with Hugging Face

    def knows(self, name: str, password: str) -> bool:
        """Takes the same time whether the name or the password is wrong."""
        right = self.passwords.get(name)
        same = hmac.compare_digest(_digest(password), _digest(right or ""))
        return same and right is not None

    def has(self, user: str) -> bool:
        return user in self.passwords or self.is_member(user)

    def is_member(self, name: str) -> bool:
        return name.lower() in [member.lower() for member in self.members]


def accounts(settings: Settings, auth_file: Path | None) -> Accounts:
    """Raises UserError when the file cannot be read or only half of a login is set."""
    found = read_auth_file(auth_file) if auth_file else {}
    if settings.username and settings.password:
        found[settings.username] = settings.password
    elif (settings.username or settings.password) and not settings.space_id:
        given, missing = "DFGUI_USERNAME", "DFGUI_PASSWORD"
        if settings.password:
            given, missing = missing, given
        raise UserError(f"{given} is set, {missing} is not.", "A login needs both.", f"Set {missing}, or neither.")
    return Accounts(found, settings.members if settings.oauth else ())


def read_auth_file(path: Path) -> dict[str, str]:
    """The names and passwords of "user:password" lines. Raises UserError; it never quotes a line."""
    try:
        lines = path.expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "It is not a text file in UTF-8"
        raise UserError(
            f"The login file {path} cannot be read.", f"{why}.", "Give --auth-file a file of user:password lines."
        ) from error
    found = {}
    for number, line in enumerate(lines, start=1):
        name, _, password = line.strip().partition(":")
        if line.strip() and not (name and password):
            raise UserError(f"Line {number} of {path} is no login.", "It is not user:password.", "Correct that line.")
        if line.strip():
            found[name] = password
    if not found:
        raise UserError(f"The login file {path} is empty.", "Nobody could log in.", "Add a line user:password.")
    return found


class Login:
    """Everything that the login needs to know of the server, and its routes."""

    def __init__(self, settings: Settings, who: Accounts, prefix: str):
        self.who = who
        self.prefix = prefix  # the path under which a proxy shows us, or ""
        self.oauth = settings.oauth
        self.framed = settings.space_id is not None  # a Space's page is a frame inside huggingface.co
        self.hosts = settings.hosts
        self.missing = [
            name
            for name, value in [("DFGUI_USERNAME", settings.username), ("DFGUI_PASSWORD", settings.password)]
            if not value
        ]
        secret = [*sorted(who.passwords.items()), settings.oauth.client_secret if settings.oauth else ""]
        self.sessions = Sessions(repr(secret)) if self.possible else None
        self.leaving: list[Callable[[Request, Response], None]] = []  # what else a logout ends
        self.wrong: list[str] = []  # the addresses of those who wait for their answer

    @property
    def possible(self) -> bool:
        return bool(self.who.passwords) or self.oauth is not None

    @property
    def needed(self) -> bool:
        return self.possible or self.framed

    def user(self, connection: HTTPConnection) -> str | None:
        """Who sent this request, if they are logged in and may still be."""
        for name in (COOKIE, FRAME_COOKIE):
            session = self.sessions.read(connection.cookies.get(name)) if self.sessions else None
            if session and "user" in session and self.who.has(session["user"]):
                return session["user"]
        return None

    def routes(self) -> list[Route]:
        return [
            Route("/login", self.login, methods=["GET", "POST"]),
            Route("/login/", self.login, methods=["GET", "POST"]),
            Route("/logout", self.logout),
        ]

    async def login(self, request: Request) -> Response:
        if not self.possible:
            return self.ask(request)
        if request.method != "POST":
            return self.ask(request, following=request.query_params.get("next", "/"))
        form = parse_qs(await _short_body(request))
        name, password = (form.get(field, [""])[0] for field in ("username", "password"))
        following = form.get("next", ["/"])[0]
        address = request.client.host if request.client else ""
        if self.wrong.count(address) >= WRONG_AT_ONCE:
            return self.ask(request, following, "Too many wrong passwords at once. Wait a moment.", status=429)
        if not self.who.knows(name.strip(), password):
            await self._let_wait(address)
            return self.ask(request, following, "That name and password do not belong together.", status=401)
        return self.welcome(request, name.strip(), following)

    async def _let_wait(self, address: str) -> None:
        self.wrong.append(address)
        try:
            await asyncio.sleep(WRONG_SECONDS)
        finally:  # also when whoever asked has hung up
            self.wrong.remove(address)

    async def logout(self, request: Request) -> Response:
        response = RedirectResponse(self.prefix + "/", 303)
        self._set_cookies(request, response, "", seconds=0)
        for end in self.leaving:
            end(request, response)
        return response

    def welcome(self, request: Request, user: str, following: str) -> Response:
        """Lets `user` in. A program (gradio_client) wants a plain yes, a browser wants to be shown on."""
        assert self.sessions is not None
        response: Response = JSONResponse({"success": True})
        if wants_html(request):
            response = RedirectResponse(self.prefix + local_path(following), 303)
        self._set_cookies(request, response, self.sessions.sign(user=user))
        return response

    def ask(self, request: HTTPConnection, following: str = "/", trouble: str = "", status: int = 200) -> Response:
        """The page that asks for the login, or for the Space's secrets; for a program the same in JSON."""
        if not wants_html(request) and request.scope["path"] != "/":
            answer = {"error": "Not authenticated", "detail": trouble or "Log in first."}
            return JSONResponse(answer, 401 if status == 200 else status)
        if not self.possible:
            return pages.html(pages.setup(self.missing), status)
        text = pages.login(
            self.prefix, local_path(following), bool(self.who.passwords), self.oauth is not None, trouble
        )
        return pages.html(text, status)

    def is_secure(self, request: HTTPConnection) -> bool:
        return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", "").split(",")[0].strip())

    def _set_cookies(self, request: Request, response: Response, value: str, seconds: int = SECONDS) -> None:
        for cookie in cookies(value, self.is_secure(request), self.framed, seconds):
            response.headers.append("set-cookie", cookie)


class LoginCheck:
    """The ASGI middleware that lets nobody past who has not logged in. Every route stands behind it."""

    def __init__(self, app: ASGIApp, login: Login):
        self.app = app
        self.login = login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        scope[USER] = self.login.user(connection)
        if scope[USER] is not None or _is_open(scope["path"]):
            await self.app(scope, receive, send)
            return
        asked_for = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
        await self.login.ask(connection, following=asked_for)(scope, receive, send)


async def _short_body(request: Request) -> str:
    """The body up to FORM_BYTES: nobody has logged in yet, so nobody gets to fill the memory."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            break
    return body[:FORM_BYTES].decode("utf-8", "replace")


def wants_html(request: HTTPConnection) -> bool:
    return "text/html" in request.headers.get("accept", "")


def local_path(path: str) -> str:
    """`path` if it is one of ours, else "/": a login must not send people to another site."""
    parts = urlsplit(path)
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc and "\\" not in path
    return path if ours and path.isprintable() and not parts.path.startswith(OPEN) else "/"


def _is_open(path: str) -> bool:
    return path.rstrip("/") in OPEN or path.startswith("/login/")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
