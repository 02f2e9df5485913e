"""What ended a run, as a reason and a remedy, from whatever a library raised.

    explain(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. ..."))
    UserError("The memory ran out.", "CUDA out of memory. Tried to allocate 2.00 GiB.", "Use a smaller batch ...")

Errors are known by their class's name and their words, so that nothing heavy is imported to explain one. What nobody
foresaw is told as it is; the traceback is in the run's log.
"""

import re
from collections.abc import Callable, Iterator

from dfgui.artifacts import folders
from dfgui.errors import UserError

LONGEST = 300  # characters of a library's own words


def explain(error: BaseException) -> UserError:
    """The error in words. Libraries wrap what happened: the outermost error that is understood explains it."""
    for link in _chain(error):
        if isinstance(link, UserError):
            return link
        for recognise in KINDS:
            if told := recognise(link):
                return told
    return UserError(f"The run ended in {type(error).__name__}.", _said(error), "The log holds the traceback.")


def is_cuda_fault(error: BaseException) -> bool:
    """Whether the GPU has failed in a way after which this process can use it no more; being full is not one."""
    words = r"CUDA error|device-side assert|illegal memory access|cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"
    return any(re.search(words, str(link)) and not _memory(link) for link in _chain(error))


def _disk(error: BaseException) -> UserError | None:
    if not folders.is_disk_full(error):
        return None
    return UserError(
        "The disk is full.",
        "A file could not be written to its end.",
        "Free some space, keep fewer checkpoints (save_total_limit), and start again.",
        field="training.save_total_limit",
    )


def _memory(error: BaseException) -> UserError | None:
    words = r"out of memory|can't allocate memory|Cannot allocate memory|Unable to allocate"
    if not (isinstance(error, MemoryError) or "OutOfMemory" in _name(error) or re.search(words, str(error))):
        return None
    return UserError(
        "The memory ran out.",
        _said(error) if str(error) else "The machine has none left to give.",
        "Use a smaller batch with more accumulation, a shorter max_length, gradient checkpointing, or a smaller model.",
        field="training.per_device_train_batch_size",
    )


def _not_a_number(error: BaseException) -> UserError | None:
    if not isinstance(error, FloatingPointError):
        return None
    return UserError(
        "The training diverged.",
        _said(error),
        "Use a smaller learning rate or some warm-up, and start again.",
        field="training.learning_rate",
    )


def _gated(error: BaseException) -> UserError | None:
    if "Gated" not in _name(error) and not re.search(
        r"\b40[13] Client Error|gated repo|Access to model .* is restr", str(error)
    ):
        return None
    return UserError(
        "The Hub did not let this account read the model.",
        "It is gated or private, or the token is missing or wrong.",
        "Accept its terms on the Hub, set HF_TOKEN, and start again.",
        field="model.name",
    )


def _offline(error: BaseException) -> UserError | None:
    names = ("OfflineModeIsEnabled", "LocalEntryNotFoundError", "ConnectionError", "ConnectError", "ConnectTimeout")
    if _name(error) not in names and "couldn't connect to 'http" not in str(error):
        return None
    return UserError(
        "Something this run needs is not on this machine.",
        "The Hub cannot be reached, or HF_HUB_OFFLINE is set.",
        "Go online, or choose demo or a folder that is here.",
        field="model.name",
    )


def _not_on_the_hub(error: BaseException) -> UserError | None:
    if _name(error) not in ("RepositoryNotFoundError", "RevisionNotFoundError", "DatasetNotFoundError"):
        return None
    return UserError(
        "The Hub knows nothing of that name.",
        _said(error),
        "Check the spelling; a private one needs HF_TOKEN.",
        field="model.name",
    )


def _package(error: BaseException) -> UserError | None:
    wanted = re.search(r"pip install (?:-U |--upgrade )?[`'\"]?([\w.-]+)|No module named '([\w-]+)", str(error))
    if not wanted or not isinstance(error, (ImportError, RuntimeError)):
        return None
    name = wanted.group(1) or wanted.group(2)
    return UserError(
        f"{name} is not installed.", _said(error), f"Install it (pip install {name}), or choose settings without it."
    )


def _weights(error: BaseException) -> UserError | None:
    if not re.search(r"no file named .*(safetensors|pytorch_model)", str(error)):
        return None
    return UserError(
        "The model has no weights that can be loaded.",
        _said(error),
        "Choose a folder that holds *.safetensors, or download the model again.",
        field="model.name",
    )


def _damaged(error: BaseException) -> UserError | None:
    if _name(error) != "SafetensorError":
        return None
    return UserError(
        "A weights file is damaged.",
        _said(error),
        "Download the model again, or choose another checkpoint.",
        field="model.name",
    )


KINDS: list[Callable[[BaseException], UserError | None]] = [
    *(_disk, _memory, _not_a_number, _gated, _offline, _not_on_the_hub, _package, _weights, _damaged),
]


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it was raised from."""
    seen: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in seen:
        seen.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return iter(seen)


def _name(error: BaseException) -> str:
    return type(error).__name__


def _said(error: BaseException) -> str:
    """The first line of the library's own words, as a sentence."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), "It said nothing more.")
    line = line if len(line) <= LONGEST else f"{line[:LONGEST]}..."
    return line if line.endswith((".", "!", "?", ":")) else f"{line}."
