"""Rows logged one after another with a training's work between them, each noted in a file outside of what is timed.

    7 1790000000.1230 0.000011          step, when it was logged, seconds that the caller waited

Imports nothing of dfgui, since Trackio's interpreter runs it as well (bench/peer.py).
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy

WIDE = 512  # so that a product takes milliseconds, and its matrices push everything else out of the caches


def each_row(rows: int, pause: float, seen: Path, call: Callable[[int], object]) -> None:
    """Calls `call(step)` for 1..rows, at least `pause` seconds apart, and computes in between as a trainer does."""
    matrix = numpy.ones((WIDE, WIDE), dtype=numpy.float32)
    file = os.open(seen, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for step in range(1, rows + 1):
        until = time.perf_counter() + pause
        while time.perf_counter() < until:
            matrix @ matrix
        at, began = time.time(), time.perf_counter()
        call(step)
        waited = time.perf_counter() - began
        os.write(file, f"{step} {at:.4f} {waited:.9f}\n".encode())  # in the system's hands, also if we are killed now
    os.close(file)


def noted(seen: Path) -> list[tuple[int, float, float]]:
    """(step, when, seconds waited) of each row."""
    lines = seen.read_text().splitlines() if seen.exists() else []
    return [(int(step), float(at), float(waited)) for step, at, waited in (line.split() for line in lines)]
