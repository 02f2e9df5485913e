"""Signing in with Hugging Face: the OpenID code flow, for a Space whose README says `hf_oauth: true`.

/login/huggingface -> huggingface.co/oauth/authorize -> /login/callback?code=...&state=... -> who is it? -> /
"""

import secrets
from typing import Any
from urllib.parse import urlencode

import httpx
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dfgui.errors import UserError
from dfgui.server import pages
from dfgui.server.login import Login
from dfgui.settings import OAuth

STATE_COOKIE = "dfgui-state"
STATE_SECONDS = 600


def routes(login: Login) -> list[Route]:
    """The two routes of the flow; none where the Space has no client for it."""
    if login.oauth is None or login.sessions is None:
        return []
    client, sessions = login.oauth, login.sessions

    async def start(request: Request) -> Response:
        state = secrets.token_urlsafe(16)
        query = {
            "client_id": client.client_id,
            "redirect_uri": _callback(login, request),
            "response_type": "code",
            "scope": "openid profile",
            "state": state,
        }
        response = RedirectResponse(f"{client.provider}/oauth/authorize?{urlencode(query)}", 303)
        kept = sessions.sign(STATE_SECONDS, state=state)
        secure = "; Secure" if login.is_secure(request) else ""
        response.headers.append(
            "set-cookie", f"{STATE_COOKIE}={kept}; Path=/login; HttpOnly; SameSite=Lax; Max-Age={STATE_SECONDS}{secure}"
        )
        return response

    async def callback(request: Request) -> Response:
        kept = sessions.read(request.cookies.get(STATE_COOKIE)) or {}
        given = request.query_params.get("state", "")
        if not given or not secrets.compare_digest(given.encode(), kept.get("state", "").encode()):
            return pages.refusal(STALE, 400, as_html=True)
        try:
            name = await _who(client, request.query_params.get("code", ""), _callback(login, request))
        except (httpx.HTTPError, KeyError, ValueError):
            return pages.refusal(UNREACHABLE, 502, as_html=True)
        if not login.who.is_member(name):
            return pages.refusal(_stranger(name), 403, as_html=True)
        return login.welcome(request, name, "/")

    return [Route("/login/huggingface", start), Route("/login/callback", callback)]


async def _who(client: OAuth, code: str, redirect_uri: str) -> str:
    """The Hugging Face name of whoever was given `code`."""
    asked = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "client_id": client.client_id,
    }
    async with httpx.AsyncClient(timeout=10) as http:
        answer = await http.post(
            f"{client.provider}/oauth/token", data=asked, auth=(client.client_id, client.client_secret)
        )
        token = _content(answer)["access_token"]
        answer = await http.get(f"{client.provider}/oauth/userinfo", headers={"authorization": f"Bearer {token}"})
        return str(_content(answer)["preferred_username"])


def _content(answer: httpx.Response) -> dict[str, Any]:
    return dict(answer.raise_for_status().json())


def _callback(login: Login, request: Request) -> str:
    """Where Hugging Face sends people back to: it knows the Space by its own host name."""
    own = [host for host in login.hosts if host.endswith(".hf.space")]
    return f"https://{own[0]}/login/callback" if own else f"{request.base_url}login/callback"


STALE = UserError(
    "This sign-in is out of date.", "It was started in another browser or too long ago.", "Start it again at the Space."
)
UNREACHABLE = UserError(
    "Hugging Face did not say who you are.", "Its answer to the sign-in was an error.", "Try again in a minute."
)


def _stranger(name: str) -> UserError:
    return UserError(
        f"{name} may not use this Space.",
        "Only its owner and the people they named can train here.",
        "Ask the owner to add your name to the variable DFGUI_MEMBERS in the Space's settings.",
    )
