"""DeepFabric's platform on loopback: it takes what a training sends, or answers as a platform in trouble does."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.loopback import running


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: dict

    @property
    def key(self) -> str:
        """What makes it one and the same when it is sent again; DeepFabric's own callback says nothing of the kind."""
        return self.headers.get("idempotency-key", str(id(self)))


class Platform:
    """`trouble`: what it answers next, one after the other: a status, (status, headers), or seconds of silence.

    Without trouble it answers 202. `asked` holds every request, `taken` those it said yes to, a repeated one once;
    `spoils(body)` names the bodies it refuses with a 422.
    """

    def __init__(self, port: int = 0):
        self.trouble: list = []
        self.spoils = lambda body: False
        self.asked: list[Asked] = []
        self.taken: dict[str, Asked] = {}
        self.keys = {"secret-key"}
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                platform.answer(self)

            def do_GET(self):
                known = self.headers.get("authorization", "").removeprefix("Bearer ") in platform.keys
                platform.send(self, 200 if known else 401, {"email": "ada@example.com"})

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        body = json.loads(request.rfile.read(int(request.headers["content-length"])))
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(parts.path, parse_qs(parts.query), headers, body)
        self.asked.append(asked)
        trouble = self.trouble.pop(0) if self.trouble else None
        if isinstance(trouble, float):
            time.sleep(trouble)
            return
        status, more = trouble if isinstance(trouble, tuple) else (trouble, {})
        if headers["authorization"].removeprefix("Bearer ") not in self.keys:
            status = 401
        if status is None and self.spoils(body):
            status = 422
        if status is None:
            self.taken.setdefault(asked.key, asked)
        self.send(request, status or 202, {}, more)

    def send(self, request: BaseHTTPRequestHandler, status: int, value: dict, headers: dict | None = None) -> None:
        content = json.dumps(value).encode()
        request.send_response(status)
        for name, text in {**(headers or {}), "Content-Length": str(len(content))}.items():
            request.send_header(name, text)
        request.end_headers()
        request.wfile.write(content)

    def told(self) -> list[tuple[str, object]]:
        """What it knows, in order: ("run_start", None), ("log", 1), ("checkpoint", 4), ... ("run_end", 8)."""
        found: list[tuple[str, object]] = []
        for asked in self.taken.values():
            entries = asked.body.get("metrics") or [{**asked.body, "type": asked.body.get("event_type")}]
            found += [(one["type"], one.get("global_step", one.get("final_step"))) for one in entries]
        return found


@contextmanager
def serving(port: int = 0) -> Iterator[Platform]:
    """A running platform; ended when the block is left."""
    platform = Platform(port)
    with running(platform.server):
        yield platform
