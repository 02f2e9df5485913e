"""What a page sends to an address of ours: a small JSON object, which no form of another site can send."""

import json
from typing import Any

from starlette.requests import Request

from dfgui.errors import UserError

BODY_BYTES = 10_000


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
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise UserError("That is not what was asked.", "A small JSON object is wanted.", "Use the page.")
    return value
