"""What stands before the server elsewhere: a proxy under a path, and Hugging Face with its TLS and its frame."""

import ssl
import subprocess
import threading
import time
from contextlib import contextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import HTMLResponse, StreamingResponse
from starlette.routing import Route

from tests.server.processes import free_port

METHODS = ["GET", "POST", "HEAD", "OPTIONS"]
PER_HOP = ("host", "connection", "keep-alive", "transfer-encoding", "content-length", "upgrade")
SPACE_PAGE = """<!doctype html><title>a/b - a Hugging Face Space</title>
<iframe id="space" src="https://a-b.hf.space" width="1200" height="800"
  sandbox="allow-downloads allow-forms allow-modals allow-popups allow-popups-to-escape-sandbox allow-same-origin
    allow-scripts allow-storage-access-by-user-activation"></iframe>"""


@contextmanager
def hugging_face(server_url, folder):
    """huggingface.co/spaces/a/b with a-b.hf.space in a frame, both over TLS; yields the port they listen on."""

    async def answer(request):
        if request.headers["host"].split(":")[0] == "huggingface.co":
            return HTMLResponse(SPACE_PAGE)
        headers = {"host": "a-b.hf.space", "x-forwarded-host": "a-b.hf.space", "x-forwarded-proto": "https"}
        return await forward(request, server_url + request.url.path, headers)

    with _listening([Route("/{path:path}", answer, methods=METHODS)], certificate(folder)) as port:
        yield port


@contextmanager
def proxy_under(path, server_url, keeps_host):
    """http://127.0.0.1:PORT/path/... for what the server answers at /...; it passes the Host on, or its own."""

    async def answer(request):
        target = server_url + "/" + request.path_params["rest"]
        headers = {"host": request.headers["host"]} if keeps_host else {}
        return await forward(request, target, headers)

    with _listening([Route(path + "/{rest:path}", answer, methods=METHODS)]) as port:
        yield f"http://127.0.0.1:{port}{path}/"


async def forward(request, url, headers):
    """The server's answer, streamed."""
    kept = {name: value for name, value in request.headers.items() if name not in PER_HOP}
    client = httpx.AsyncClient(timeout=60, verify=False)  # it speaks plain HTTP: no certificates to load
    asked = client.build_request(
        request.method, url, params=request.query_params, headers={**kept, **headers}, content=await request.body()
    )
    answer = await client.send(asked, stream=True)
    response = StreamingResponse(answer.aiter_raw(), answer.status_code, background=BackgroundTask(client.aclose))
    response.raw_headers = [(name.lower(), value) for name, value in answer.headers.raw if name.lower() not in HOP]
    return response


HOP = (b"connection", b"transfer-encoding")


def certificate(folder):
    """A key and a certificate that nobody trusts, as uvicorn wants them."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=test"]
    subprocess.run([*command, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return {"ssl_keyfile": key, "ssl_certfile": cert, "ssl_version": ssl.PROTOCOL_TLS_SERVER}


@contextmanager
def _listening(routes, tls=None):
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=routes), port=port, log_level="error", lifespan="off", **(tls or {}))
    )
    server.config.timeout_graceful_shutdown = 1
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield port
    server.should_exit = True
    thread.join(10)
