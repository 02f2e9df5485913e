"""The memory of a run: what it takes at most, and what it leaves behind on the GPU, which is missing to the next one.

peak = Peak()      before the model is loaded
peak.taken()       {"allocated": 2290000000, "reserved": 2410000000} on a GPU, {"resident": 158000000} on a CPU
"""

import gc
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

PROCESS = Path("/proc/self")
NOTICED_BYTES = 64_000_000  # less than that is what libraries keep for themselves


def held() -> int:
    """Bytes of GPU memory that this process holds in tensors; 0 where there is no GPU or torch was not needed yet."""
    cuda = _cuda()
    return sum(cuda.memory_allocated(number) for number in range(cuda.device_count())) if cuda else 0


def left_since(before: int) -> str:
    """Gives back what is free and tells, in words, what is held beyond `before` bytes; "" when all is back."""
    gc.collect()
    if (cuda := _cuda()) is None:
        return ""
    cuda.empty_cache()
    more = held() - before
    if more < NOTICED_BYTES:
        return ""
    return f"{more / 1e9:.1f} GB of GPU memory are still held by this process; a restart of dfgui gives them back."


class Peak:
    """The most memory that was taken at once since this was made."""

    def __init__(self, device: str) -> None:
        self._cuda: Any = None
        if device == "cuda":
            import torch

            torch.cuda.init()
            self._cuda = torch.cuda
            self._before = self._cuda.memory_allocated()
            self._cuda.reset_peak_memory_stats()
        else:
            self._before = psutil.Process().memory_info().rss
            self._high = self._before
            with suppress(OSError):  # Linux then counts the highest anew: proc(5), clear_refs
                (PROCESS / "clear_refs").write_text("5")
            self._said = _highest()  # where that may not be, what was higher before says nothing

    def taken(self) -> dict[str, int]:
        """Bytes beyond those at the beginning: of tensors and of what torch holds for them, or of the process."""
        if self._cuda:
            allocated, reserved = self._cuda.max_memory_allocated(), self._cuda.max_memory_reserved()
            return {"allocated": allocated - self._before, "reserved": reserved}
        said = _highest()
        self._high = max(self._high, psutil.Process().memory_info().rss, said if said > self._said else 0)
        return {"resident": self._high - self._before}


def _highest() -> int:
    """The most that this process has held, in bytes; 0 where the system does not tell."""
    with suppress(OSError):
        for line in (PROCESS / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _cuda() -> Any | None:
    """torch.cuda where it is in use; None too while another thread has only begun to import torch."""
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    return cuda if cuda is not None and hasattr(cuda, "is_initialized") and cuda.is_initialized() else None
