"""GET /files/RUN/STEP/NAME: the weights of a checkpoint file by file, as they lie on the disk.

With their size and with ranges, so that a download that broke off goes on where it stopped. RUN and STEP are looked up,
and NAME is one of the files that the checkpoint has.
"""

import re
from pathlib import Path

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from dfgui.errors import UserError
from dfgui.server import pages
from dfgui.server.login import wants_html
from dfgui.settings import Settings

ADDRESS = re.compile(r"(?P<run>[a-z0-9]{8,32})/(?P<step>\d{1,9})/(?P<name>[\w.-]{1,200})", re.ASCII)
NO_SUCH_FILE = UserError(
    "There is no such file.", "The checkpoint has none of that name.", "Follow the link on the Export page."
)


def routes(settings: Settings) -> list[Route]:
    async def send(request: Request) -> Response:
        asked = ADDRESS.fullmatch(request.path_params["address"])
        try:
            if asked is None:
                raise NO_SUCH_FILE
            found = await to_thread.run_sync(_files, settings, asked["run"], int(asked["step"]))
            if asked["name"] not in found:
                raise NO_SUCH_FILE
        except UserError as error:
            return pages.refusal(error, 404, wants_html(request))
        file = found[asked["name"]]
        return FileResponse(file, filename=file.name, media_type="application/octet-stream")

    return [Route("/files/{address:path}", send, methods=["GET"])]


def _files(settings: Settings, run: str, step: int) -> dict[str, Path]:
    from dfgui import actions

    return actions.weights(settings, run, step)
