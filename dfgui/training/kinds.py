"""The kinds of trouble that end a run, each known by its words: what happened, why, and which settings mend it.

A kind is a function of the error and what is known of the run; it answers None for an error that is not its own. Errors
are known by their class's name and their words, so that nothing heavy is imported to explain one.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psutil

from dfgui.artifacts import folders
from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.training import remedies

LONGEST = 300  # characters of a library's own words
UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50}
SIZE = r"([\d.]+) (bytes|[KMGTP]iB)"


@dataclass(frozen=True)
class Run:
    """What is known of the run that ended; all of it may be missing."""

    config: RunConfig | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    log: str = ""  # its last lines


def _disk(error: BaseException, run: Run) -> UserError | None:
    if not folders.is_disk_full(error):
        return None
    kept = run.config.training.save_total_limit if run.config else 0
    fewer = {"training.save_total_limit": 2} if run.config and (kept == 0 or kept > 2) else {}
    keep = "keep fewer checkpoints (save_total_limit)"
    if run.config and fewer:
        keep = f"set save_total_limit to 2 (now {kept or '0: all are kept'})"
    elif run.config:
        keep = "choose another home with --home"
    return UserError(
        "The disk is full.",
        "A file could not be written to its end.",
        f"Free some space, {keep}, and start again.",
        field="training.save_total_limit",
        changes=fewer,
    )


def _memory(error: BaseException, run: Run) -> UserError | None:
    words = r"out of memory|can't allocate memory|Cannot allocate memory|Unable to allocate|ALLOC_FAILED"
    if not (isinstance(error, MemoryError) or "OutOfMemory" in _name(error) or re.search(words, str(error))):
        return None
    return out_of_memory(_asked_and_there(error), run, _was_evaluating(error))


def out_of_memory(why: str, run: Run, evaluating: bool = False) -> UserError:
    do = "Use a smaller batch with more accumulation, a shorter max_length, gradient checkpointing, or a smaller model."
    mended: dict[str, Any] = {}
    if run.config:
        found = remedies.memory(run.config, run.facts.get("longest"), evaluating)
        mended = remedies.changes(found)
        do = remedies.sentence(run.config, found) or "Use a smaller model, or a machine with more memory."
    first = next(iter(mended), "training.per_device_train_batch_size")
    return UserError("The memory ran out.", why, do, field=first, changes=mended)


def _asked_and_there(error: BaseException) -> str:
    """What was asked for and what there was, from the words of CUDA, torch or numpy."""
    text = str(error)
    asked = _bytes(rf"(?:[Tt]ried to allocate|Unable to allocate) {SIZE}", text)
    total, free = _bytes(rf"total capacity of {SIZE}", text), _bytes(rf"of which {SIZE} is free", text)
    which = "the GPU" if total else "this machine"
    if not total and "CUDA" not in text:
        memory = psutil.virtual_memory()
        total, free = memory.total, memory.available
    parts = [f"It asked for {size(asked)} more" if asked else ""]
    parts += [f"{which} has {size(total)}, of which {size(free)} were free" if total and free is not None else ""]
    told = "; ".join(part for part in parts if part)
    return f"{told[0].upper()}{told[1:]}." if told else said(error)


def _was_evaluating(error: BaseException) -> bool:
    trace, names = error.__traceback__, set()
    while trace:
        names.add(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    return "evaluation_loop" in names


def _not_a_number(error: BaseException, run: Run) -> UserError | None:
    if not isinstance(error, FloatingPointError):
        return None
    do, mended = "Use a smaller learning rate or some warm-up, and start again.", {}
    if run.config:
        found = remedies.divergence(run.config)
        do, mended = f"{remedies.sentence(run.config, found)} Then start again.", remedies.changes(found)
    return UserError("The training diverged.", said(error), do, field="training.learning_rate", changes=mended)


def _unknown_token(error: BaseException, run: Run) -> UserError | None:
    """A token id beyond the model's embeddings, as torch says it on a CPU. A GPU only says that something was off."""
    if not isinstance(error, IndexError) or "index out of range in self" not in str(error):
        return None
    return UserError(
        "The tokenizer knows tokens that the model does not.",
        "A row holds a token id for which the model has no embedding.",
        "Choose the tokenizer that belongs to the model: both in one folder, from one source.",
        field="model.name",
        details=run.log,
    )


def _fault(error: BaseException, run: Run) -> UserError | None:
    if not is_fault(error):
        return None
    do = "Start again; if it comes back, restart dfgui, and see the driver's log (dmesg)."
    if "device-side assert" in str(error):
        do = "Usually a token id that the model does not know: check that tokenizer and model belong together."
    return UserError("The GPU has failed this process.", said(error), do, details=run.log)


def is_fault(error: BaseException) -> bool:
    text = str(error)
    if "out of memory" in text or "ALLOC_FAILED" in text:
        return False
    return "AcceleratorError" in _name(error) or bool(
        re.search(r"CUDA error: |CUDA driver error: |CUBLAS_STATUS_|CUDNN_STATUS_|cuDNN error|HIP error: ", text)
    )


def _gated(error: BaseException, run: Run) -> UserError | None:
    if "Gated" not in _name(error) and not re.search(
        r"\b40[13] Client Error|gated repo|Access to model .* is restr", str(error)
    ):
        return None
    name = run.config.model.name if run.config else ""
    page = f" at https://huggingface.co/{name}" if name.count("/") == 1 and not name.startswith((".", "/")) else ""
    token = bool(os.environ.get("HF_TOKEN"))
    return UserError(
        f"The Hub did not let this account read {name or 'the model'}.",
        "It is gated or private, and HF_TOKEN is of an account without access to it."
        if token
        else "It is gated or private, or the token is missing or wrong: HF_TOKEN is not set.",
        f"Accept its terms{page}, set HF_TOKEN{' to a token of that account' if token else ''}, and start again.",
        field="model.name",
    )


def _offline(error: BaseException, run: Run) -> UserError | None:
    names = ("OfflineModeIsEnabled", "LocalEntryNotFoundError", "ConnectionError", "ConnectError", "ConnectTimeout")
    if _name(error) not in names and "couldn't connect to 'http" not in str(error):
        return None
    return UserError(
        "Something this run needs is not on this machine.",
        "The Hub cannot be reached, or HF_HUB_OFFLINE is set.",
        "Go online, or choose demo or a folder that is here.",
        field="model.name",
    )


def _not_on_the_hub(error: BaseException, run: Run) -> UserError | None:
    if _name(error) not in ("RepositoryNotFoundError", "RevisionNotFoundError", "DatasetNotFoundError"):
        return None
    return UserError(
        "The Hub knows nothing of that name.",
        said(error),
        "Check the spelling; a private one needs HF_TOKEN.",
        field="model.name",
    )


def _package(error: BaseException, run: Run) -> UserError | None:
    wanted = re.search(r"pip install (?:-U |--upgrade )?[`'\"]?([\w.-]+)|No module named '([\w-]+)", str(error))
    if not wanted or not isinstance(error, (ImportError, RuntimeError)):
        return None
    name = wanted.group(1) or wanted.group(2)
    instead, mended = "choose settings without it", {}
    if name == "bitsandbytes" and run.config and "8bit" in run.config.training.optim:
        mended = {"training.optim": "adamw_torch_fused"}
        instead = f"set optim to adamw_torch_fused (now {run.config.training.optim})"
    return UserError(
        f"{name} is not installed.",
        said(error),
        f"Install it (pip install {name}), or {instead}.",
        field=next(iter(mended), None),
        changes=mended,
    )


def _weights(error: BaseException, run: Run) -> UserError | None:
    if not re.search(r"no file named .*(safetensors|pytorch_model)", str(error)):
        return None
    return UserError(
        "The model has no weights that can be loaded.",
        said(error),
        "Choose a folder that holds *.safetensors, or download the model again.",
        field="model.name",
    )


def _damaged(error: BaseException, run: Run) -> UserError | None:
    if _name(error) != "SafetensorError":
        return None
    return UserError(
        "A weights file is damaged.",
        said(error),
        "Download the model again, or choose another checkpoint.",
        field="model.name",
    )


KINDS: list[Callable[[BaseException, Run], UserError | None]] = [
    *(_disk, _memory, _not_a_number, _unknown_token, _fault, _gated, _offline, _not_on_the_hub),
    *(_package, _weights, _damaged),
]


def said(error: BaseException) -> str:
    """The first line of a library's own words, as a sentence."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), "It said nothing more.")
    line = line if len(line) <= LONGEST else f"{line[:LONGEST]}..."
    return line if line.endswith((".", "!", "?", ":")) else f"{line}."


def _bytes(pattern: str, text: str) -> int | None:
    found = re.search(pattern, text)
    return int(float(found.group(1).rstrip(".")) * UNITS[found.group(2)]) if found else None


def size(count: int) -> str:
    """In the units that disks and cards are sold in."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _name(error: BaseException) -> str:
    return type(error).__name__
