"""How long `python app.py` takes until GET / answers, beside a bare Gradio page in the same run.

    python bench/startup.py --runs 7 --json startup.json

Whole processes, alternating, on loopback, each ended by its pid; one of each goes first and is not counted. Then the
resident memory of both once idle, and whether the app has torch in it. Target: at most 1.3 times the bare page.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

PROJECT = Path(__file__).parents[1]
TARGET = 1.3
ANSWER_SECONDS = 120
IDLE_SECONDS = 3.0
BARE_PAGE = """
import sys
import gradio as gr
with gr.Blocks() as demo:
    name, greeting = gr.Textbox(), gr.Textbox()
    gr.Button("Greet").click(lambda name: f"Hello {name}", name, greeting)
demo.launch(server_port=int(sys.argv[1]), quiet=True)
"""


@dataclass
class Answering:
    process: psutil.Process
    port: int
    seconds: float  # from its start to its answer to GET /


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=7, help="of each, after one that is not counted")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write all that was measured")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        app, bare = our_app(Path(home)), [sys.executable, "-c", BARE_PAGE]
        pairs = [(seconds_to_answer(app), seconds_to_answer(bare)) for _ in range(asked.runs + 1)][1:]
        found = {"pairs": pairs, "idle_mb": [idle_megabytes(app), idle_megabytes(bare)], "torch": has_torch(app)}
    told(found)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))


def told(found: dict) -> None:
    pairs, (app_mb, bare_mb) = found["pairs"], found["idle_mb"]
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"python app.py    {ours:6.2f} s   {app_mb:6.0f} MB idle")
    print(f"bare Gradio page {theirs:6.2f} s   {bare_mb:6.0f} MB idle")
    print(
        f"ratio {ratio:.2f} (median of {len(pairs)} pairs; target {TARGET})   {'met' if ratio <= TARGET else 'MISSED'}"
    )
    print(f"torch in the idle app: {'yes' if found['torch'] else 'no'}")


def our_app(home: Path) -> list[str]:
    """The command of an app of this home; its port comes last."""
    return [sys.executable, str(PROJECT / "app.py"), "--no-browser", "--home", str(home), "--port"]


def seconds_to_answer(command: list[str]) -> float:
    with page(command) as there:
        return there.seconds


def idle_megabytes(command: list[str]) -> float:
    with page(command) as there:
        time.sleep(IDLE_SECONDS)
        return there.process.memory_info().rss / 1e6


def has_torch(command: list[str]) -> bool:
    with page(command) as there:
        time.sleep(IDLE_SECONDS)
        return any("libtorch" in mapped.path for mapped in there.process.memory_maps())


@contextmanager
def page(command: list[str]) -> Iterator[Answering]:
    """A server that has answered GET /. Its port is added to the command."""
    port = free_port()
    environment = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}
    began = time.perf_counter()
    process = subprocess.Popen([*command, str(port)], env=environment, stdout=subprocess.DEVNULL)
    try:
        while not answers(port):
            if process.poll() is not None or time.perf_counter() - began > ANSWER_SECONDS:
                raise SystemExit(f"{command} did not answer")
            time.sleep(0.01)
        yield Answering(psutil.Process(process.pid), port, time.perf_counter() - began)
    finally:
        process.terminate()
        process.wait(60)


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return connection.recv(12) == b"HTTP/1.1 200"
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
