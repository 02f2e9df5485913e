"""What a page sends: to an address of ours a small JSON object, to Gradio's not more than a page has to say.

A form of another site can send no JSON. Files alone are larger: they have an address of their own, and its limit.
"""

import json
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dfgui.errors import UserError

BODY_BYTES = 10_000
PAGE_BYTES = 16 * 1024**2  # the Train form with a long chat beside it has some 100 KB
UPLOAD = "/gradio_api/upload"


async def read(request: Request) -> dict[str, Any]:
    """The body of a request. Raises UserError where it is anything else."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            break
    is_json = request.headers.get("content-type", "").split(";")[0].strip() == "application/json"
    try:
        value = json.loads(body) if is_json and len(body) <= BODY_BYTES else None
    except (ValueError, RecursionError):  # no JSON, or nested without end
        value = None
    if not isinstance(value, dict):
        raise UserError("That is not what was asked.", "A small JSON object is wanted.", "Use the page.")
    return value


class BodyLimit:
    """ASGI middleware: a request that is not an upload ends at PAGE_BYTES, whether it has said its length or not."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            receive = _whole(receive) if scope["path"] == UPLOAD else _counted(scope, receive)
        await self.app(scope, receive, send)


def _whole(receive: Receive) -> Receive:
    """Receives an upload. One that breaks off is no upload: so told, Gradio deletes what has come of it."""

    async def whole() -> Message:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise MultiPartException("The upload broke off.")
        return message

    return whole


def _counted(scope: Scope, receive: Receive) -> Receive:
    """Receives the body. Raises HTTPException, which whoever reads it answers with, once it is too long."""
    taken = 0
    said = int(Headers(scope=scope).get("content-length", 0))

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if max(taken, said) > PAGE_BYTES:
            raise HTTPException(413, f"More than {PAGE_BYTES} bytes.")
        return message

    return counted
