"""A script of ours that runs before Gradio's own.

What `launch(head=...)` names is put into the page by Gradio's scripts, once they have begun; what has to be there
before them stands in the page as it is sent.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

GRADIO = b"window.gradio_config"  # its page, and no other of ours
HEAD = b"<head>"


class FirstScript:
    """ASGI middleware. `script` is JavaScript."""

    def __init__(self, app: ASGIApp, script: str):
        self.app, self.tag = app, f"<script>{script}</script>".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, self._adding(send) if scope["type"] == "http" else send)

    def _adding(self, send: Send) -> Send:
        held: list[Message] = []  # the start of a page, until its text has come

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(Headers(raw=message["headers"])):
                held.append(message)
                return
            if held:
                start = held.pop()
                message = self._with_script(start, message)
                await send(start)
            await send(message)

        return add

    def _with_script(self, start: Message, message: Message) -> Message:
        text = message.get("body", b"")
        if GRADIO not in text:
            return message
        longer = text.replace(HEAD, HEAD + self.tag, 1)
        headers = MutableHeaders(raw=start["headers"])
        if "content-length" in headers:
            headers["content-length"] = str(int(headers["content-length"]) + len(longer) - len(text))
        return {**message, "body": longer}


def _is_page(headers: Headers) -> bool:
    return headers.get("content-type", "").startswith("text/html")
