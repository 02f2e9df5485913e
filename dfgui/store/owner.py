"""Who runs a run: a host, a process and when that process started, so that a reused pid never looks alive."""

import os
import socket
import time
from typing import Any

import psutil

SILENT_SECONDS = 60  # an owner on another host is taken for dead after this long without a heartbeat


def me() -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid(), "started_at": psutil.Process().create_time()}


def alive(owner: dict[str, Any] | None, heartbeat_at: float | None) -> bool:
    """Whether the owner still runs. Another host cannot be asked: there the heartbeat decides."""
    if owner is None:
        return False
    if owner["host"] != socket.gethostname():
        return heartbeat_at is not None and time.time() - heartbeat_at < SILENT_SECONDS
    try:
        return abs(psutil.Process(owner["pid"]).create_time() - owner["started_at"]) < 1.0
    except psutil.Error:
        return False
