"""A process of our own for long work: the memory that it takes goes with it, and it can be ended at any moment.

    answer = run("dfgui.artifacts.apart", asked, say=print, going=lambda: True, cancelled=CANCELLED, what="The merge")

It is asked by a line of JSON on its stdin, where no list of processes shows it, and prints a line of JSON for each
thing it says: {"said": "merging part 3 of 16"}, and in the end {...} or {"error": {what, why, do}}. It goes when
whoever began it is gone, since its stdin is closed then.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

from dfgui.errors import UserError
from dfgui.settings import environment

LOOK_SECONDS = 0.3  # how often it is asked whether anybody still waits
TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")  # of the environment: they may be somebody else's
GRACE_SECONDS = 3.0  # for one that is ended to put away what it has begun
LAST_LINES, LONGEST = 3, 300  # of what a process has said that ended without a word to us; letters of it

Say = Callable[[Any], None]  # words for people, or what else JSON can hold
Work = Callable[[dict[str, Any], Say], dict[str, Any]]


def run(
    module: str,
    asked: dict[str, Any],
    say: Say,
    going: Callable[[], bool],
    cancelled: UserError,
    what: str,
    without: tuple[str, ...] = (),
    more: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What the module answers, in a process of its own. Raises its UserError, or `cancelled` once `going()` is False.

    `what`: what it is called in an error; `without`: names of the environment that it is not given; `more`: others.
    """
    env = {name: value for name, value in environment(**(more or {})).items() if name not in without}
    command, pipe = [sys.executable, "-m", module], subprocess.PIPE
    with tempfile.TemporaryFile() as log:  # a pipe that nobody reads would fill up
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, bufsize=0, env=env) as process:
            try:
                _ask(process, asked)
                told = _followed(process, say, going, cancelled)
            finally:
                _end(process)
        if told is None:
            raise _silent(what, process.returncode, log)
    if "error" in told:
        raise UserError(**told["error"])
    return told


def serve(work: Work, at_once: bool = False) -> None:
    """The other side: does what it is asked, and says so. `at_once`: it ends without putting away what it has begun."""
    if not at_once:
        signal.signal(signal.SIGTERM, lambda *told: sys.exit(1))  # by an exception: what was begun is cleaned up
    asked = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    out, sys.stdout = sys.stdout, sys.stderr  # libraries print what they like
    one_by_one = threading.Lock()

    def tell(told: dict[str, Any]) -> None:
        with one_by_one:
            print(json.dumps(told), file=out, flush=True)

    try:
        answer = work(asked, lambda words: tell({"said": words}))
    except UserError as error:
        answer = {"error": {"what": error.what, "why": error.why, "do": error.do}}
    tell(answer)


def _ask(process: "subprocess.Popen[bytes]", asked: dict[str, Any]) -> None:
    assert process.stdin
    with contextlib.suppress(BrokenPipeError):  # it is gone already; why is told below
        process.stdin.write(json.dumps(asked).encode() + b"\n")


def _followed(
    process: "subprocess.Popen[bytes]", say: Say, going: Callable[[], bool], cancelled: UserError
) -> dict[str, Any] | None:
    """The last thing that it tells; None where it ends without a word. Raises when nobody waits any more."""
    for line in _lines(process.stdout, going, cancelled):
        told = json.loads(line)
        if "said" not in told:
            return told
        say(told["said"])
    return None


def _lines(stream: IO[bytes] | None, going: Callable[[], bool], cancelled: UserError) -> Iterator[bytes]:
    assert stream
    while going():
        if select.select([stream], [], [], LOOK_SECONDS)[0]:
            if not (line := stream.readline()):
                return
            yield line
    raise cancelled


def _end(process: "subprocess.Popen[bytes]") -> None:
    """So that it leaves no half-written folder behind. (SIGINT would be ignored in what a shell has put aside.)"""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:  # its threads go on
        process.kill()


def _silent(what: str, code: int, log: IO[bytes]) -> UserError:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    why = "The system ends what takes too much memory." if code == -signal.SIGKILL else " ".join(lines[-LAST_LINES:])
    do = "Free memory, and try again." if code == -signal.SIGKILL else "Try again."
    return UserError(f"{what} ended without a word ({code}).", why[-LONGEST:] or "Its process is gone.", do)


def _end_with_stdin() -> None:
    sys.stdin.buffer.read()  # until it is closed
    os.kill(os.getpid(), signal.SIGTERM)
