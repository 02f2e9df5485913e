"""GET /download/RUN/STEP/KIND: a checkpoint as a zip, streamed while it is made.

KIND is adapter, merged, gguf-float16 or gguf-q8_0, or script: the run as a plain train.py. RUN and STEP are
looked up, never used as paths.
Nothing is written to Gradio's cache, and whoever hangs up ends the work. With ?ready nothing is sent: the answer is 204
once the zip can start, 202 and {"said": how far it is} while it is still being made (ask again), or why it cannot be
had. DELETE ends the making.
"""

import re
from collections.abc import Callable
from typing import Any

import anyio
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from dfgui.errors import UserError
from dfgui.integrations.connections import Connections, visitor_of
from dfgui.server import pages
from dfgui.server.login import wants_html
from dfgui.server.packages import Packages
from dfgui.settings import Settings

ADDRESS = re.compile(
    r"(?P<run>[a-z0-9]{8,32})/(?P<step>\d{1,9})/(?P<kind>adapter|merged|gguf-float16|gguf-q8_0|script)", re.ASCII
)
NO_SUCH_ADDRESS = UserError(
    "There is no such download.",
    "Its address is not /download/RUN/STEP/adapter, merged, gguf-float16, gguf-q8_0 or script.",
    "Follow the link on the page of the run.",
)


def routes(settings: Settings, connections: Connections) -> list[Route]:
    """A base that has left this machine is fetched again with the token of whoever asks for the merged model."""
    packages = Packages(lambda key, job: _package(job.given, *key, job.say, job.going))

    async def download(request: Request) -> Response:
        asked = ADDRESS.fullmatch(request.path_params["address"])
        if asked is None:
            return pages.refusal(NO_SUCH_ADDRESS, 404, wants_html(request))
        run, step, kind = asked["run"], int(asked["step"]), asked["kind"]
        try:
            await to_thread.run_sync(_look_up, settings, run, step)
        except UserError as error:
            return pages.refusal(error, 404, wants_html(request))
        if request.method == "HEAD":
            return Response(media_type="application/zip")
        key, theirs = (run, step, kind), settings.with_secrets(connections.secrets(visitor_of(request)))
        if request.method == "DELETE":
            packages.cancel(key)
            return Response(status_code=204)
        try:
            if "ready" in request.query_params:
                made = await packages.ready(key, theirs)
                return Response(status_code=204) if made else JSONResponse({"said": packages.said(key)}, 202)
            package = await packages.take(key, theirs)
        except UserError as error:
            return pages.refusal(error, 409, wants_html(request))
        return ZipResponse(package)

    return [Route("/download/{address:path}", download, methods=["GET", "DELETE"])]


class ZipResponse(StreamingResponse):
    """Sends a Package's chunks as they come, each made in a worker thread; closes it however the request ends."""

    def __init__(self, package: Any):
        plain = re.sub(r"[^\w. -]", "_", package.filename, flags=re.ASCII)
        super().__init__(
            package.chunks,
            media_type="application/zip",
            headers={
                "content-disposition": f'attachment; filename="{plain}"',
                "content-length": str(package.size),
                "cache-control": "no-store",
            },
        )
        self.package = package

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(_close, self.package)


def _close(package: Any) -> None:
    if close := getattr(package.chunks, "close", None):
        close()
    package.close()


def _look_up(settings: Settings, run: str, step: int) -> None:
    """Raises UserError when there is no such run or checkpoint."""
    from dfgui.store import Store

    store = Store(settings.store_path)
    store.runs.get(run)
    store.checkpoints.get(run, step)


def _package(
    settings: Settings, run: str, step: int, kind: str, say: Callable[[str], None], going: Callable[[], bool]
) -> Any:
    from dfgui import actions

    return actions.package(settings, run, step, kind, say, going)
