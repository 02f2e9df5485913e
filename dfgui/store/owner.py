"""Who runs a run: a host, a process and when that process started, so that a reused pid never looks alive."""

import os
import re
import socket
import time
from functools import lru_cache
from typing import Any

import psutil

SILENT_SECONDS = 60  # an owner on another host is taken for dead after this long without a heartbeat


def me() -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid(), "started_at": _started(os.getpid())}


def alive(owner: dict[str, Any] | None, heartbeat_at: float | None) -> bool:
    """Whether the owner still runs. Another host cannot be asked: there the heartbeat decides.

    It decides too where another process's start seems to have moved: that is a new process, or the clock was set.
    """
    if owner is None:
        return False
    beats = heartbeat_at is not None and time.time() - heartbeat_at < SILENT_SECONDS
    if owner["host"] != socket.gethostname():
        return beats
    if owner["pid"] == os.getpid():
        return abs(_started(os.getpid()) - owner["started_at"]) < 1.0
    try:
        process = psutil.Process(owner["pid"])
        if process.status() == psutil.STATUS_ZOMBIE:  # it has ended; nobody has asked how
            return False
        return abs(process.create_time() - owner["started_at"]) < 1.0 or beats
    except psutil.Error:
        return False


def is_here(owner: dict[str, Any] | None) -> bool:
    """Whether the owner is a living process of this host other than this one, and so can be signalled."""
    if owner is None or owner["host"] != socket.gethostname() or owner["pid"] == os.getpid():
        return False
    return alive(owner, None)


def folder_name() -> str:
    """The name of a folder that only this process writes to: "host.1234.1790000000"."""
    return f"{socket.gethostname()}.{os.getpid()}.{_started(os.getpid()):.0f}"


def left_behind(name: str) -> bool:
    """Whether a folder has such a name, of a process of this host that is gone."""
    found = re.fullmatch(re.escape(socket.gethostname()) + r"\.(\d+)\.(\d+)", name)
    if not found:
        return False
    pid, started_at = map(int, found.groups())
    return not alive({"host": socket.gethostname(), "pid": pid, "started_at": started_at}, None)


@lru_cache(maxsize=1)
def _started(pid: int) -> float:
    """When this process started, asked once: psutil counts from the boot time, which moves when the clock is set."""
    return psutil.Process(pid).create_time()
