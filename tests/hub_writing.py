"""A Hub on loopback that takes what is pushed: repositories, small files in a commit, large ones by LFS.

with taking() as hub: ...
hub.files["me/weather"]["model.safetensors"]     the bytes that arrived
hub.private["me/weather"]                        True
hub.let.clear()                                  large files wait until it is set; hub.begun tells that one has come
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.loopback import running

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ANOTHERS = "somebody"  # an owner whose repositories nobody here may write


class Hub:
    def __init__(self) -> None:
        self.private: dict[str, bool] = {}
        self.files: dict[str, dict[str, bytes]] = {}
        self.messages: list[str] = []
        self.tokens: set[str] = set()
        self.begun = threading.Event()
        self.let = threading.Event()
        self.let.set()
        self._large: dict[str, bytes] = {}
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                hub.answer(self)

            do_PUT = do_GET = do_HEAD = do_POST

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # of an upload that is cancelled
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        path = request.path.split("?")[0].strip("/")
        if path.startswith("upload/"):
            self.begun.set()
            self.let.wait(60)
            self._large[path.removeprefix("upload/")] = body
            return self._send(request, 200, {})
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        self.tokens.add(token)
        if not token:
            return self._send(request, 401, {"error": "Invalid username or password."})
        if path == "api/validate-yaml":
            return self._send(request, 200, {"errors": [], "warnings": []})
        if path == "api/repos/create":
            return self._create(request, json.loads(body))
        repo = "/".join(path.removeprefix("api/models/").split("/")[:2]).removesuffix(".git")
        if path.endswith("info/lfs/objects/batch"):
            return self._batch(request, json.loads(body)["objects"])
        if "/preupload/" in path:
            files = [
                {"path": one["path"], "uploadMode": _mode(one["path"]), "shouldIgnore": False}
                for one in json.loads(body)["files"]
            ]
            return self._send(request, 200, {"files": files})
        if "/commit/" in path:
            return self._commit(request, repo, [json.loads(line) for line in body.splitlines()])
        return self._send(request, 404, {"error": "Not found"})

    def _create(self, request: BaseHTTPRequestHandler, asked: dict) -> None:
        repo = f"{asked.get('organization') or 'me'}/{asked['name']}"
        if repo.startswith(f"{ANOTHERS}/"):
            return self._send(
                request, 403, {"error": "You don't have the rights to create a model under this namespace"}
            )
        self.private.setdefault(repo, asked.get("visibility") == "private")
        self.files.setdefault(repo, {})
        return self._send(request, 200, {"url": f"{self.endpoint}/{repo}", "name": repo, "id": "1"})

    def _batch(self, request: BaseHTTPRequestHandler, objects: list[dict]) -> None:
        wanted = [{**one, "actions": {"upload": {"href": f"{self.endpoint}/upload/{one['oid']}"}}} for one in objects]
        self._send(request, 200, {"transfer": "basic", "objects": wanted})

    def _commit(self, request: BaseHTTPRequestHandler, repo: str, lines: list[dict]) -> None:
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                self.messages.append(value["summary"])
            elif line["key"] == "file":
                self.files[repo][value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                self.files[repo][value["path"]] = self._large[value["oid"]]
        self._send(
            request, 200, {"commitUrl": f"{self.endpoint}/{repo}/commit/{COMMIT}", "commitOid": COMMIT, "success": True}
        )

    def _send(self, request: BaseHTTPRequestHandler, code: int, value: dict) -> None:
        content = json.dumps(value).encode()
        request.send_response(code)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)


def _mode(path: str) -> str:
    return "lfs" if path.endswith(".safetensors") else "regular"


@contextmanager
def taking() -> Iterator[Hub]:
    """A running Hub; ended when the block is left."""
    hub = Hub()
    with running(hub.server):
        yield hub
        hub.let.set()
