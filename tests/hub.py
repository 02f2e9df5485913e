"""A Hub of our own on loopback: enough of its API to search, list, look at and fetch a repository's files."""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.loopback import running

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CHUNK = 1 << 16


class Hub:
    """Serves `repos` ({"owner/name": folder}); `asked` lists the files that were fetched, `gated` answers 403.

    `told`: what is said of a repository besides, as {"owner/name": {"downloads": 12}}; `admitted`: the tokens that a
    gated one opens to; `revisions`: those that there are, None for any; `tokens`: what those showed who asked for a
    repository; `searched`: the questions; `ranges`: (file, first byte) of each file that was asked for;
    `breaks`: the byte at which a file's connection is cut; `pause`: seconds after each 64 KB; `slow`: seconds before
    a search is answered; `knows_ranges`: whether it does.
    """

    def __init__(self, repos: dict[str, Path], gated: set[str] = frozenset()):
        self.repos = repos
        self.gated = gated
        self.told: dict[str, dict] = {}
        self.admitted: set[str] = set()
        self.revisions: set[str] | None = None
        self.asked: list[str] = []
        self.tokens: set[str] = set()
        self.searched: list[dict[str, list[str]]] = []
        self.ranges: list[tuple[str, int]] = []
        self.breaks: dict[str, int] = {}
        self.pause = 0.0
        self.slow: dict[str, float] = {}
        self.knows_ranges = True
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                hub.answer(self, body=True)

            def do_HEAD(self):
                hub.answer(self, body=False)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request: BaseHTTPRequestHandler, body: bool) -> None:
        path = urlsplit(request.path).path.strip("/")
        if path == "api/models":
            return self._search(request, body)
        parts = path.removeprefix("api/models/").removeprefix("api/datasets/").removeprefix("datasets/").split("/")
        repo = "/".join(parts[:2])
        if repo not in self.repos:
            return self._send(request, 404, b"{}", {"X-Error-Code": "RepoNotFound"}, body)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        self.tokens.add(token)
        revision = unquote(parts[3]) if len(parts) > 3 else "main"
        if self.revisions is not None and revision not in self.revisions:
            return self._send(request, 404, b"{}", {"X-Error-Code": "RevisionNotFound"}, body)
        described = path.startswith("api/") and "tree" not in parts
        if repo in self.gated and token not in self.admitted and not described:
            return self._send(request, 403, b"{}", {"X-Error-Code": "GatedRepo"}, body)
        folder = self.repos[repo]
        if not path.startswith("api/"):
            return self._file(request, folder, "/".join(parts[4:]), body)
        if "tree" in parts:
            tree = [
                {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": _digest(file)}
                for file in _files(folder)
            ]
            return self._json(request, tree, body)
        siblings = [{"rfilename": file.name, "size": file.stat().st_size} for file in _files(folder)]
        return self._json(request, {**self._described(repo), "sha": COMMIT, "siblings": siblings}, body)

    def _described(self, repo: str) -> dict:
        gated = "manual" if repo in self.gated else False
        return {"id": repo, "private": False, "gated": gated, **self.told.get(repo, {})}

    def _search(self, request: BaseHTTPRequestHandler, body: bool) -> None:
        asked = parse_qs(urlsplit(request.path).query)
        self.searched.append(asked)
        wanted = asked.get("search", [""])[0].lower()
        time.sleep(self.slow.get(wanted, 0))
        found = [self._described(repo) for repo in self.repos if wanted in repo.lower()]
        found.sort(key=lambda one: -one.get("downloads", 0))
        self._json(request, found[: int(asked.get("limit", ["100"])[0])], body)

    def _file(self, request: BaseHTTPRequestHandler, folder: Path, name: str, body: bool) -> None:
        file = folder / name
        if not file.is_file():
            self._send(request, 404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}, body)
            return
        asked = request.headers.get("range", "") if self.knows_ranges else ""
        start = int(asked.removeprefix("bytes=").split("-")[0] or 0)
        if body:
            self.asked.append(name)
            self.ranges.append((name, start))
        content, size = file.read_bytes()[start:], file.stat().st_size
        headers = {"ETag": f'"{_etag(file)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if asked:
            headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        whole = self.breaks.get(name, size) - start
        self._send(request, 206 if asked else 200, content, headers, body, max(whole, 0))

    def _json(self, request: BaseHTTPRequestHandler, value: object, body: bool) -> None:
        self._send(request, 200, json.dumps(value).encode(), {"Content-Type": "application/json"}, body)

    def _send(
        self,
        request: BaseHTTPRequestHandler,
        code: int,
        content: bytes,
        headers: dict[str, str],
        body: bool,
        whole: int | None = None,
    ) -> None:
        request.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            request.send_header(name, value)
        request.end_headers()
        if not body:
            return
        sent = content if whole is None else content[:whole]
        for place in range(0, len(sent), CHUNK):
            request.wfile.write(sent[place : place + CHUNK])
            if self.pause and whole is not None:
                time.sleep(self.pause)
        if len(sent) < len(content):
            request.close_connection = True


@contextmanager
def serving(repos: dict[str, Path], gated: set[str] = frozenset()) -> Iterator[Hub]:
    """A running Hub; ended when the block is left."""
    hub = Hub(repos, gated)
    with running(hub.server):
        yield hub


def answer(code: str, hub: Hub | None, folder: Path, **environment: str) -> Any:
    """The JSON that Python prints last, in a process that knows this Hub alone, or none.

    The Hub's client reads its environment when it is imported. `settings` is there, on a home inside `folder`.
    """
    endpoint = hub.endpoint if hub else "http://127.0.0.1:9"
    variables = {"HF_ENDPOINT": endpoint, "HF_HOME": str(folder / "hf"), "PATH": "/usr/bin:/bin", **environment}
    known = f"import json\nfrom dfgui import settings as _\nsettings = _.load({str(folder / 'home')!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", known + code], env=variables, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file())


def _etag(file: Path) -> str:
    """Large files are named by their SHA-256."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.suffix == ".safetensors" else _digest(file)


def _digest(file: Path) -> str:
    return hashlib.sha1(file.read_bytes()).hexdigest()
