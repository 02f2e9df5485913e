"""The addresses behind the Connections dialog. Values come in and never go out again.

GET  /connections         what is there and what is not
POST /connections         {"HF_TOKEN": "..."}: for this visit; "" forgets
POST /connections/test    {"service": "hub"}: one question to the service, and its answer in a sentence

A visit is known by a cookie that scripts cannot read; where a login is in force it is that user's besides. Only JSON is
taken, which no form of another site can send.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dfgui.errors import UserError
from dfgui.integrations import knocking
from dfgui.integrations.connections import COOKIE, USER, VISIT_SECONDS, Connections, state, visitor_of
from dfgui.server import bodies
from dfgui.server.login import Login
from dfgui.server.sessions import cookies
from dfgui.settings import Settings

NO_STORE = {"cache-control": "no-store"}


def routes(settings: Settings, connections: Connections, login: Login) -> list[Route]:
    async def show(request: Request) -> Response:
        return _told(settings, connections.secrets(visitor_of(request)))

    async def give(request: Request) -> Response:
        try:
            given = await bodies.read(request)
            visitor, cookie = visitor_of(request), ""
            if not connections.knows(visitor):
                cookie, visitor = connections.new_visit(request.scope.get(USER))
            connections.set(visitor, given)
        except UserError as error:
            return JSONResponse({"error": error.to_dict()}, 400, NO_STORE)
        response = _told(settings, connections.secrets(visitor))
        if cookie:
            _set_cookie(login, request, response, cookie, VISIT_SECONDS)
        return response

    async def test(request: Request) -> Response:
        try:
            service = (await bodies.read(request)).get("service")
            if service not in knocking.SERVICES:
                raise UserError("That is not a service.", f"There are {', '.join(knocking.SERVICES)}.", "Choose one.")
        except UserError as error:
            return JSONResponse({"error": error.to_dict()}, 400, NO_STORE)
        theirs = settings.with_secrets(connections.secrets(visitor_of(request)))
        works, words = await knocking.knock(service, theirs)
        return JSONResponse({"works": works, "words": words}, headers=NO_STORE)

    return [
        Route("/connections", show, methods=["GET"]),
        Route("/connections", give, methods=["POST"]),
        Route("/connections/test", test, methods=["POST"]),
    ]


def end_with_logout(connections: Connections, login: Login) -> None:
    """A visitor who logs out has ended the visit."""

    def left(request: Request, response: Response) -> None:
        connections.forget(visitor_of(request))
        _set_cookie(login, request, response, "", 0)

    login.leaving.append(left)


def _told(settings: Settings, given: dict[str, str]) -> JSONResponse:
    return JSONResponse({"services": state(settings, given)}, headers=NO_STORE)


def _set_cookie(login: Login, request: Request, response: Response, value: str, seconds: int) -> None:
    for cookie in cookies(value, login.is_secure(request), login.framed, seconds, COOKIE):
        response.headers.append("set-cookie", cookie)
