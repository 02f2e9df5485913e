"""A merge in a process of its own: the memory that it takes goes with it, and it can be ended at any moment.

    merge(Path("checkpoint-60"), base, out, "bfloat16", "weather", say=print, going=lambda: True)

`python -m dfgui.artifacts.apart` reads what to merge as JSON, and prints a line of JSON for each thing it says:
{"said": "merging part 3 of 16"}, and in the end {} or {"error": {what, why, do}}.
"""

import contextlib
import json
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from dfgui.errors import UserError
from dfgui.settings import environment

LOOK_SECONDS = 0.3  # how often it is asked whether anybody still waits
LAST_LINES = 3  # of what a process has said that ended without a word to us
CANCELLED = UserError("The merge was cancelled.", "Somebody asked for it.", "Ask for the download again when you want.")

Say = Callable[[str], None]


def merge(
    checkpoint: Path,
    base: str | Path | None,
    out: Path,
    dtype: str | None,
    name: str,
    say: Say,
    going: Callable[[], bool],
) -> None:
    """As merge.merge. Ends it, and leaves nothing behind, once `going()` is False; that is a UserError too."""
    asked = {"checkpoint": str(checkpoint), "base": str(base) if base else None, "out": str(out), "dtype": dtype}
    command = [sys.executable, "-m", "dfgui.artifacts.apart", json.dumps({**asked, "name": name})]
    with tempfile.TemporaryFile() as log:  # a pipe that nobody reads would fill up
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, bufsize=0, env=environment()) as process:
            try:
                told = _followed(process, say, going)
            except UserError:
                shutil.rmtree(out, ignore_errors=True)  # it may have been done just then
                raise
            finally:
                _end(process)
        if told is None:
            raise _silent(process.returncode, log)
    if "error" in told:
        raise UserError(**told["error"])


def _followed(process: "subprocess.Popen[bytes]", say: Say, going: Callable[[], bool]) -> dict[str, Any] | None:
    """The last thing that it tells; None where it ends without a word. Raises UserError when nobody waits any more."""
    for line in _lines(process.stdout, going):
        told = json.loads(line)
        if "said" not in told:
            return told
        say(told["said"])
    return None


def _lines(stream: IO[bytes] | None, going: Callable[[], bool]) -> Iterator[bytes]:
    assert stream
    while going():
        if select.select([stream], [], [], LOOK_SECONDS)[0]:
            if not (line := stream.readline()):
                return
            yield line
    raise CANCELLED


def _end(process: "subprocess.Popen[bytes]") -> None:
    """So that it leaves no half-written folder behind. (SIGINT would be ignored in what a shell has put aside.)"""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)


def _silent(code: int, log: IO[bytes]) -> UserError:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    why = "The system ends what takes too much memory." if code == -signal.SIGKILL else " ".join(lines[-LAST_LINES:])
    return UserError(
        f"The merge ended without a word ({code}).", why or "Its process is gone.", "Free memory, and try again."
    )


def main() -> None:
    from dfgui.artifacts import merge as merging

    signal.signal(signal.SIGTERM, lambda *told: sys.exit(1))  # by an exception: what was begun is cleaned up
    asked = json.loads(sys.argv[1])
    checkpoint, out = Path(asked["checkpoint"]), Path(asked["out"])
    try:
        merging.merge(
            checkpoint, asked["base"], out, asked["dtype"], lambda words: _tell({"said": words}), asked["name"]
        )
    except UserError as error:
        _tell({"error": {"what": error.what, "why": error.why, "do": error.do}})
    else:
        _tell({})


def _tell(told: dict[str, Any]) -> None:
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
