"""What ended a run, as a reason and a remedy, from whatever a library raised or a dead process left behind.

    explain(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. ..."), config)
    UserError("The memory ran out.", "It asked for 2.1 GB more; the GPU has 84.9 GB, of which 1.3 GB were free.",
              "Set per_device_train_batch_size to 2 (now 4; still 16 rows per step), ...", changes={...})

kinds.py knows the kinds. What nobody foresaw is told as it is, with the last lines of the run's log; the traceback is
in the log.
"""

import os
import re
import signal
from collections.abc import Callable, Iterator
from typing import Any

import psutil

from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.models import fastest
from dfgui.training.kinds import KINDS, Run, is_fault, out_of_memory, said, size

LINES = 20  # of the log
BATCH = "It happened in a batch of"  # how a note begins that names rows; batches.py adds it to what a step raises
SECRET = re.compile(r"TOKEN|KEY|SECRET|PASSWORD", re.IGNORECASE)  # in the name of an environment variable


def explain(
    error: BaseException, config: RunConfig | None = None, facts: dict[str, Any] | None = None, log: str = ""
) -> UserError:
    """The error in words. Libraries wrap what happened: the outermost error that is understood explains it."""
    facts = facts or {}
    settled = fastest.settled(config, facts.get("chosen", {})) if config else None
    run = Run(settled, facts, _without_secrets(log))
    told = _explained(error, run)
    if (batch := _batch(error)) and told is not error and batch not in told.why:
        told.why = f"{told.why} {batch}"
    return told


def killed(code: int, last_lines: str = "", config: RunConfig | None = None) -> UserError:
    """Why a process that trained is gone. `code`: its exit code, negative or above 128 for a signal."""
    number = -code if code < 0 else code - 128 if code > 128 else 0
    run = Run(config, log=_without_secrets("\n".join(last_lines.splitlines()[-LINES:])))
    if not number and (told := _by_its_last_words(run)):
        return told
    name = signal.Signals(number).name if number in set(signal.Signals) else f"exit code {code}"
    why, do, mended = SIGNALS.get(name, _unknown)(run)
    return UserError(f"The process that trained it has ended ({name}).", why, do, changes=mended, details=run.log)


def is_cuda_fault(error: BaseException) -> bool:
    """Whether the GPU has failed this process: whatever it does there from now on fails too."""
    return any(is_fault(link) for link in _chain(error))


def _explained(error: BaseException, run: Run) -> UserError:
    for link in _chain(error):
        if isinstance(link, UserError):
            return link
        for recognise in KINDS:
            if told := recognise(link, run):
                return told
    what = f"The run ended in {type(error).__name__}."
    return UserError(what, said(error), "The log holds the traceback.", details=run.log)


def _by_its_last_words(run: Run) -> UserError | None:
    """A traceback ends in the error: "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate ..." """
    last = next((line for line in reversed(run.log.splitlines()) if line.strip()), "")
    kind, _, words = last.partition(": ")
    if not re.fullmatch(r"[\w.]+(Error|Exception)", kind):
        return None
    made = type(kind.rpartition(".")[2], (ImportError if "Import" in kind or "Module" in kind else RuntimeError,), {})
    told = _explained(made(words), run)
    told.details = run.log
    return told


Told = tuple[str, str, dict[str, Any]]  # why, what to do, changes


def _unknown(run: Run) -> Told:
    return "It said no more than its log.", "See the log, and resume from the last checkpoint.", {}


def _sigkill(run: Run) -> Told:
    memory = psutil.virtual_memory()
    why = f"The system kills what takes too much memory: this machine has {size(memory.total)}."
    told = out_of_memory("", run)
    return why, f"If nobody killed it: {told.do[0].lower()}{told.do[1:]}", told.changes


def _crash(run: Run) -> Told:
    why = "A library crashed outside of Python: a faulty or mismatched build, a driver, or bad memory."
    return why, "See the log for which; update torch and the GPU's driver, and resume from the last checkpoint.", {}


def _sigbus(run: Run) -> Told:
    why = "Memory that stands for a file could not be used: a full disk, a full /dev/shm, or a file cut short."
    return why, "Free some space (Docker: --shm-size 8g), and resume from the last checkpoint.", {}


def _sigterm(run: Run) -> Told:
    return "Somebody, or the system as it went down, asked it to end.", "Resume from the last checkpoint.", {}


def _sigill(run: Run) -> Told:
    why = "A library uses instructions that this processor does not have."
    return why, "Install a build of torch that is made for this machine.", {}


SIGNALS: dict[str, Callable[[Run], Told]] = {
    "SIGKILL": _sigkill,
    "SIGBUS": _sigbus,
    "SIGILL": _sigill,
    **dict.fromkeys(("SIGSEGV", "SIGABRT", "SIGFPE"), _crash),
    **dict.fromkeys(("SIGTERM", "SIGINT", "SIGHUP"), _sigterm),
}


def _batch(error: BaseException) -> str:
    """Which rows it happened with, if that was noted."""
    notes = [note for link in _chain(error) for note in getattr(link, "__notes__", [])]
    return next((note for note in notes if note.startswith(BATCH)), "")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it was raised from."""
    seen: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in seen:
        seen.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return iter(seen)


def _without_secrets(text: str) -> str:
    """The text without what the environment keeps secret: it goes into the store."""
    for name, value in os.environ.items():
        if SECRET.search(name) and len(value) >= 8:
            text = text.replace(value, "...")
    return text
