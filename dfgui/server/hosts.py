"""Which hosts and origins are answered; anyone else's name for this server, or page calling it, is refused.

A foreign Host is how a web page reaches a server on its visitor's own machine (DNS rebinding); a foreign Origin is how
it acts in the visitor's name. Answered are loopback, the address that the server listens on, the Space's own names and
those of --allowed-host. On 0.0.0.0 any IP address is: rebinding needs a name.

Pictures, scripts and links come without an Origin. Browsers say in Sec-Fetch-Site whose page they are on: one of
another site may lead to our page and its login, and to nothing that a GET would begin, end or send.
"""

import ipaddress
import re
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

WILDCARDS = ("0.0.0.0", "::")
HOST = re.compile(r"(\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<name>[\w.-]+))(:\d+)?")
LED_TO = ("/", "/login", "/login/huggingface", "/login/callback")  # by a link or a frame of another site
OWN = (  # what a page may load, and send what it shows: nothing of another host. Gradio needs the two unsafe ones
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'"
)


@dataclass(frozen=True)
class Hosts:
    bound: str = "127.0.0.1"  # the address that the server listens on
    named: tuple[str, ...] = ()  # answered besides it
    proxied: bool = False  # a proxy stands before the server and may listen on another port of this machine
    framed_by: tuple[str, ...] = ()  # origins whose pages may show this one in a frame

    def answers(self, host: str | None) -> bool:
        """Whether a Host header ("name", "name:port", "[::1]:port") names this server."""
        name = host_name(host)
        if not name:
            return False
        if is_loopback(name) or name == self.bound.lower() or name in self._names():
            return True
        return self.bound in WILDCARDS and _address(name) is not None

    def trusts(self, origin: str, hosts: list[str]) -> bool:
        """Whether a page of `origin` may call us when it is reached under `hosts`, its Host and X-Forwarded-Host."""
        caller = origin.lower().partition("://")[2]
        name = host_name(caller)
        if not name:
            return False  # "null": a file, or a sandboxed frame
        if caller in [_without_default_port(host, origin) for host in hosts]:
            return True
        return name in self._names() or (self.proxied and is_loopback(name))

    def _names(self) -> list[str]:
        return [host_name(known) for known in self.named]


class HostCheck:
    """The ASGI middleware that refuses what Hosts does not answer, and says who may frame the page."""

    def __init__(self, app: ASGIApp, hosts: Hosts):
        self.app = app
        self.hosts = hosts
        frames = " ".join(["'self'", "http://localhost:*", "http://127.0.0.1:*", *hosts.framed_by])
        self.policy = f"{OWN}; frame-ancestors {frames}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif refusal := self.refusal(scope["path"], Headers(scope=scope)):
            await refusal(scope, receive, send)
        else:
            await self.app(scope, receive, self._guarded(send))

    def refusal(self, path: str, headers: Headers) -> PlainTextResponse | None:
        hosts = _hosts(headers)
        for host in hosts:
            if not self.hosts.answers(host):
                words = f"dfgui does not answer to {host or 'a request without a Host'}. "
                return PlainTextResponse(words + "Start it with --allowed-host and that name to change this.\n", 400)
        origins = headers.getlist("origin")
        for origin in origins:
            if not self.hosts.trusts(origin, hosts):
                words = f"A page of {origin} may not call dfgui. "
                return PlainTextResponse(words + "Start it with --allowed-host and its name to change this.\n", 403)
        if not origins and _is_from_elsewhere(path, headers):
            words = "A page of another site may not do this. "
            return PlainTextResponse(words + "Open dfgui, and follow the link there.\n", 403)
        return None

    def _guarded(self, send: Send) -> Send:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.append("content-security-policy", self.policy)
                headers.setdefault("x-content-type-options", "nosniff")
                headers.setdefault("referrer-policy", "same-origin")
                headers.setdefault("cache-control", "private" if "etag" in headers else "no-store")
            await send(message)

        return guarded


def _hosts(headers: Headers) -> list[str]:
    """What the client and each proxy call this server. Gradio believes X-Gradio-Server too; none of ours sends it."""
    named = [value for name in ("host", "x-forwarded-host", "x-gradio-server") for value in headers.getlist(name)]
    return [host.strip() for listed in named for host in listed.split(",") if host.strip()] or [""]


def _is_from_elsewhere(path: str, headers: Headers) -> bool:
    """Whether a page of another site asks in a visitor's browser, and for more than to lead the visitor here."""
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return False
    return headers.get("sec-fetch-mode") != "navigate" or path not in LED_TO


def host_name(host: str | None) -> str:
    """Name:7860 -> name, [::1]:7860 -> ::1, and "" for what is no host."""
    found = HOST.fullmatch((host or "").strip())
    return (found["six"] or found["name"]).lower().rstrip(".") if found else ""


def is_loopback(name: str) -> bool:
    address = _address(name)
    return name == "localhost" or (address is not None and address.is_loopback)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _without_default_port(host: str, origin: str) -> str:
    """A browser leaves the scheme's own port out of an Origin; a proxy may spell it in a Host."""
    default = ":443" if origin.startswith("https:") else ":80"
    return host.lower().removesuffix(default)
