"""What Gradio serves and dfgui has no use for: these addresses are closed, whoever asks.

They fetch addresses that a visitor names, keep files that nobody asked for, write what a page shows to the disk, or
start ffmpeg. Our routes stand before Gradio's, so what is named here is answered here.
"""

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.responses import PlainTextResponse
from starlette.routing import Route

CLOSED = PlainTextResponse("dfgui has no use for this address of Gradio's.\n", 404)
ADDRESSES = """
/gradio_api/proxy={rest:path} /gradio_api/file={rest:elsewhere} /gradio_api/file/{rest:path}
/gradio_api/process_recording /gradio_api/stream/{rest:path} /gradio_api/custom_component/{rest:path}
/gradio_api/dev/reload /gradio_api/deep_link
""".split()


class Elsewhere(StringConvertor):
    """https://host/file: what Gradio would fetch, and not a file of this machine."""

    regex = "(?i:https?:).*"


def routes() -> list[Route]:
    register_url_convertor("elsewhere", Elsewhere())
    return [Route(address, CLOSED) for address in ADDRESSES]
