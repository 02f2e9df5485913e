"""The first visit: three cards, one of them primary, and a line on what this machine has."""

from pathlib import Path

import gradio as gr
import psutil

from dfgui.models import hardware
from dfgui.ui.context import Context
from dfgui.views import welcome

HERE = Path(__file__).parent
WANTED = "() => [JSON.stringify({ preset: 'cpu', at: Date.now() }), dfgui.view.to('data')]"  # the demo's own settings


def build(context: Context) -> None:
    def machine(_: dict) -> str:
        return welcome.machine(hardware.describe(hardware.look()), *_room(context.settings.home))

    page = gr.HTML(
        "",
        html_template=(HERE / "welcome.html").read_text(encoding="utf-8"),
        js_on_load="dfgui.welcome.boot(element, server, trigger)",
        server_functions=[machine],
        apply_default_css=False,
        elem_id="welcome",
    )
    page.click(None, None, [context.fill, context.tabs], js=WANTED)


def _room(home: Path) -> tuple[int, int]:
    """Free bytes of memory, and of the disk that holds the home."""
    return psutil.virtual_memory().available, psutil.disk_usage(str(home)).free
