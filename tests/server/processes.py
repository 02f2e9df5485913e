"""A server as a person starts it: a process of its own, its address read from what it prints, ended by its pid."""

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette

PROJECT = Path(__file__).parents[2]
STANDIN = [sys.executable, "-m", "tests.server.standin"]
APP = [sys.executable, str(PROJECT / "app.py")]
START_SECONDS = 60
OURS = ("DFGUI_", "SPACE_", "OAUTH_", "GRADIO_", "HF_")


@dataclass
class Served:
    process: subprocess.Popen
    lines: list[str] = field(default_factory=list)
    url: str = ""

    def get(self, path="/", **options):
        return httpx.get(self.url + path, timeout=20, **options)

    def post(self, path, **options):
        return httpx.post(self.url + path, timeout=20, **options)

    def text(self):
        return "".join(self.lines)

    def end(self, signal_number):
        """Its exit code."""
        self.process.send_signal(signal_number)
        return self.process.wait(40)


IS_ROOT = hasattr(os, "getuid") and os.getuid() == 0
READS_ALL = "+dac_read_search"  # the Python of these tests may lie in a folder of root's; it may write nowhere more


def as_container_user(command):
    """The command as user 1000, which is who runs a Space; without root, as the user of these tests."""
    if not IS_ROOT:
        return command
    user = ["--reuid=1000", "--regid=1000", "--clear-groups", f"--inh-caps={READS_ALL}", f"--ambient-caps={READS_ALL}"]
    return ["setpriv", *user, "--", *command]


@contextmanager
def served(*flags, home, command=STANDIN, env=None, **popen):
    """A server that has said where it is."""
    process = started(*flags, home=home, command=command, env=env, **popen)
    try:
        ready = threading.Event()
        serving = Served(process)
        threading.Thread(target=_read, args=(serving, ready), daemon=True).start()
        assert ready.wait(START_SECONDS), serving.text()
        assert serving.url, serving.text()
        yield serving
    finally:
        process.kill()
        process.wait(10)


def refused(*flags, home, command=STANDIN, env=None):
    """The exit code and the words of a server that does not start."""
    process = started(*flags, home=home, command=command, env=env)
    out, _ = process.communicate(timeout=START_SECONDS)
    return process.returncode, out


def started(*flags, home, command=STANDIN, env=None, **popen):
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return subprocess.Popen(
        [*command, *flags],
        env={**inherited, "DFGUI_HOME": str(home), "HF_HUB_OFFLINE": "1", **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **{"cwd": PROJECT, **popen},
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _read(serving, ready):
    for line in serving.process.stdout:
        serving.lines.append(line)
        if line.startswith("dfgui is at "):
            serving.url = line.split()[-1]
            ready.set()
    ready.set()


@contextmanager
def in_a_thread(routes):
    """The address of a server of these routes alone, on a real socket."""
    port = free_port()
    app = Starlette(routes=routes)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)
