"""The GPU's memory before a run and after it: what a run leaves behind is missing to the next one."""

import gc
import sys
from typing import Any

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


def _cuda() -> Any | None:
    """torch.cuda where it is in use; None too while another thread has only begun to import torch."""
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    return cuda if cuda is not None and hasattr(cuda, "is_initialized") and cuda.is_initialized() else None
