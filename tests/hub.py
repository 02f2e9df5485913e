"""A Hub of our own on loopback: enough of its API to list, look at and fetch a repository's files."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.loopback import running

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """Serves `repos` ({"owner/name": folder}); `asked` lists the files that were fetched, `gated` answers 403.

    `tokens`: what those showed who asked for a repository.
    """

    def __init__(self, repos: dict[str, Path], gated: set[str] = frozenset()):
        self.repos = repos
        self.gated = gated
        self.asked: list[str] = []
        self.tokens: set[str] = set()
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
        path = request.path.split("?")[0].strip("/")
        parts = path.removeprefix("api/models/").removeprefix("api/datasets/").removeprefix("datasets/").split("/")
        repo = "/".join(parts[:2])
        if repo not in self.repos:
            return self._send(request, 404, b"{}", {"X-Error-Code": "RepoNotFound"}, body)
        self.tokens.add(request.headers.get("authorization", "").removeprefix("Bearer "))
        if repo in self.gated:
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
        siblings = [{"rfilename": file.name} for file in _files(folder)]
        return self._json(request, {"id": repo, "sha": COMMIT, "siblings": siblings, "private": False}, body)

    def _file(self, request: BaseHTTPRequestHandler, folder: Path, name: str, body: bool) -> None:
        file = folder / name
        if not file.is_file():
            return self._send(request, 404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}, body)
        if body:
            self.asked.append(name)
        headers = {"ETag": f'"{_digest(file)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        return self._send(request, 200, file.read_bytes(), headers, body)

    def _json(self, request: BaseHTTPRequestHandler, value: object, body: bool) -> None:
        self._send(request, 200, json.dumps(value).encode(), {"Content-Type": "application/json"}, body)

    def _send(
        self, request: BaseHTTPRequestHandler, code: int, content: bytes, headers: dict[str, str], body: bool
    ) -> None:
        request.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            request.send_header(name, value)
        request.end_headers()
        if body:
            request.wfile.write(content)


@contextmanager
def serving(repos: dict[str, Path], gated: set[str] = frozenset()) -> Iterator[Hub]:
    """A running Hub; ended when the block is left."""
    hub = Hub(repos, gated)
    with running(hub.server):
        yield hub


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file())


def _digest(file: Path) -> str:
    return hashlib.sha1(file.read_bytes()).hexdigest()
