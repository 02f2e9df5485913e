"""Downloads of models that somebody asked for, each in a process of its own: it can be ended, and goes on later.

    downloads = Downloads()
    downloads.begin("Qwen/Qwen3-0.6B", None, settings)
    downloads.of("Qwen/Qwen3-0.6B", None)       Download(state="running", done=..., total=...), or None
    downloads.cancel("Qwen/Qwen3-0.6B", None)

They belong to the server and not to a tab: whoever looks sees how far they are. What has come stays on the disk
(fetching.py), so that the next one goes on from there. They end with this process.
"""

import atexit
import json
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, replace
from typing import IO, Literal

from dfgui.errors import UserError
from dfgui.settings import Settings, environment

END_SECONDS = 3  # that a process may take to end when it is asked to
LAST_LINES = 3  # of what a process has said that ended without a word to us

Key = tuple[str, str | None]  # the model's name and its revision


@dataclass(frozen=True)
class Download:
    name: str
    revision: str | None
    state: Literal["running", "done", "cancelled", "failed"] = "running"
    done: int = 0  # bytes of its weights
    total: int = 0  # 0: not known yet
    error: UserError | None = None


class Downloads:
    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._known: dict[Key, Download] = {}
        self._processes: dict[Key, subprocess.Popen[str]] = {}
        atexit.register(self.end)

    def of(self, name: str, revision: str | None) -> Download | None:
        with self._changing:
            return self._known.get((name, revision))

    def all(self) -> list[Download]:
        with self._changing:
            return list(self._known.values())

    def begin(self, name: str, revision: str | None, settings: Settings) -> Download:
        """Begins it, where it is not under way already."""
        key = (name, revision)
        with self._changing:
            if key in self._processes:
                return self._known[key]
            log = tempfile.TemporaryFile("w+")  # noqa: SIM115  whoever follows closes it; a pipe would fill up
            process = _started(name, revision, settings, log)
            self._processes[key] = process
            self._known[key] = Download(name, revision)
            told = (key, process, log)
            threading.Thread(target=self._follow, args=told, name="dfgui-download", daemon=True).start()
            return self._known[key]

    def cancel(self, name: str, revision: str | None) -> None:
        """Ends it; what has come by then is kept."""
        with self._changing:
            process = self._processes.pop((name, revision), None)
            if process:
                self._known[name, revision] = replace(self._known[name, revision], state="cancelled")
        if process:
            _end(process)

    def end(self) -> None:
        with self._changing:
            processes = list(self._processes.values())
            self._processes.clear()
        for process in processes:
            _end(process)

    def _follow(self, key: Key, process: "subprocess.Popen[str]", log: IO[str]) -> None:
        with log, process:
            assert process.stdout
            last: dict | None = None
            for line in process.stdout:
                last = json.loads(line)
                if "done" in last:
                    self._change(key, process, done=last["done"], total=last["total"])
            process.wait()
            if last == {}:
                self._change(key, process, state="done")
            else:
                told = UserError(**last["error"]) if last and "error" in last else _silent(process.returncode, log)
                self._change(key, process, state="failed", error=told)
        with self._changing:
            if self._processes.get(key) is process:
                del self._processes[key]

    def _change(self, key: Key, process: "subprocess.Popen[str]", **changes: object) -> None:
        """What a process tells that was ended is no news any more."""
        with self._changing:
            if self._processes.get(key) is process:
                self._known[key] = replace(self._known[key], **changes)  # type: ignore[arg-type]


def _started(name: str, revision: str | None, settings: Settings, log: IO[str]) -> "subprocess.Popen[str]":
    """The token goes by the environment: what stands on a command line can be read by everybody on the machine."""
    token = {"HF_TOKEN": settings.hub_token} if settings.hub_token else {}
    env = environment(HF_ENDPOINT=settings.hub_url, **token)
    asked = {"name": name, "revision": revision, "home": str(settings.home)}
    command = [sys.executable, "-m", "dfgui.models.fetching", json.dumps(asked)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=env)


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _silent(code: int, log: IO[str]) -> UserError:
    log.seek(0)
    lines = " ".join(log.read().strip().splitlines()[-LAST_LINES:])[-300:]
    return UserError(
        f"The download ended without a word ({code}).",
        lines or "Its process is gone.",
        "Download it again: it goes on where it stopped.",
    )
