"""The GPU's memory before a run and after it: what a run leaves behind is missing to the next one."""

import gc
import sys

NOTICED_BYTES = 64_000_000  # less than that is what libraries keep for themselves


def held() -> int:
    """Bytes of GPU memory that this process holds in tensors; 0 where there is no GPU or torch was not needed yet."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return 0
    return sum(torch.cuda.memory_allocated(number) for number in range(torch.cuda.device_count()))


def left_since(before: int) -> str:
    """Gives back what is free and tells, in words, what is held beyond `before` bytes; "" when all is back."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return ""
    torch.cuda.empty_cache()
    more = held() - before
    if more < NOTICED_BYTES:
        return ""
    return f"{more / 1e9:.1f} GB of GPU memory are still held by this process; a restart of dfgui gives them back."
