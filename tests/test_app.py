"""`python app.py`, the real page: it is there, light, and as quick as Gradio lets it be (bench/startup.py measures)."""

import signal

import psutil
import pytest

from tests.server.processes import APP, free_port, served

HEAVY = ("torch", "transformers", "trl", "datasets", "peft", "unsloth")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with served("--port", str(free_port()), home=tmp_path_factory.mktemp("home"), command=APP) as serving:
        yield serving


def test_the_page_is_answered_and_named(app):
    assert app.get().status_code == 200
    assert app.get("/config").json()["title"] == "dfgui"


def test_the_idle_app_has_not_imported_torch(app):
    app.get()
    mapped = {mapping.path for mapping in psutil.Process(app.process.pid).memory_maps()}
    assert not [path for path in mapped if "libtorch" in path]


def test_nothing_heavy_is_imported_to_build_the_page(tmp_path):
    """In a process of its own, as pure Python leaves no trace in another's memory."""
    import subprocess
    import sys

    program = f"""
import sys
from dfgui import settings
from dfgui.server import main
from dfgui.ui import shell, theme
from dfgui.training import launcher
shell.build(settings.load(home=sys.argv[1])), theme.launch_options()
print([name for name in {HEAVY} if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"


def test_it_ends_when_asked(app):
    assert app.end(signal.SIGTERM) == 0
    assert "dfgui is stopping" in app.text()
    assert "Traceback" not in app.text()
