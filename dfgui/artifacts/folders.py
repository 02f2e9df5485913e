"""A folder that appears whole or not at all.

    with new_folder(Path("exports/weather")) as part:
        (part / "config.json").write_text("{}")      # part is exports/.weather-k3f9.part until the block ends well

On failure nothing is left behind, and a full disk is said in words.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dfgui.errors import UserError

REFUSED = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # no space, no quota, or no file of this size
LOCKED = (errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)  # read-only, not ours, or broken
# safetensors passes the system's words on; torch.save says only that its zip is shorter than it should be.
WORDS = (*(os.strerror(number) for number in REFUSED), "inline_container.cc")


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A temporary folder that becomes `out` in the end. Raises UserError if `out` is taken or the disk is full."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(
            f"{out} is not empty.", "What is there would be overwritten.", "Choose another folder, or remove it."
        )
    part = _beside(out)
    try:
        yield part
        part.chmod(0o755)  # mkdtemp makes a folder that only its owner can read
        part.replace(out)
    except Exception as error:
        raise (disk_full(out) if is_disk_full(error) else error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _beside(out: Path) -> Path:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f".{out.name}-", suffix=".part", dir=out.parent))
    except OSError as error:
        raise UserError(
            f"{out} cannot be written.", f"{error.strerror or error}.", "Choose a folder that you may write to."
        ) from error


def require_space(out: Path, needed: int) -> None:
    """Raises UserError when `needed` bytes do not fit where `out` will be."""
    free = shutil.disk_usage(out.parent).free
    if needed > free:
        raise disk_full(out, f"It needs {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free.")


def is_disk_full(error: BaseException) -> bool:
    """Whether a write failed for want of space, however the library that wrote has wrapped it."""
    return getattr(error, "errno", None) in REFUSED or any(words in str(error) for words in WORDS)


def why_not_written(error: BaseException) -> str:
    """Why the disk took a write no more: "the disk is full"; "" for every other error."""
    if is_disk_full(error):
        return "the disk is full"
    words = [os.strerror(number) for number in LOCKED]
    if getattr(error, "errno", None) in LOCKED or any(word in str(error) for word in words):
        return f"the disk cannot be written ({getattr(error, 'strerror', None) or str(error)[:80]})"
    return ""


def disk_full(path: Path, why: str = "It has no space left, or allows no file of this size.") -> UserError:
    return UserError(f"The disk of {path} is full.", why, "Free some space there, or choose a folder on another disk.")
