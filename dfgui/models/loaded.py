"""Models kept ready to answer: the last two, so that base and tuned can speak side by side.

Training comes first: `release()` gives their memory back before a run loads its own model.
"""

import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

from dfgui.models import hardware, load

_loading = threading.Lock()  # two visitors asking for the same model load it once


def ready(base: str, checkpoint: str | None, dtype: str, words: str | None = None) -> tuple[Any, Any]:
    """(model, tokenizer) of a checkpoint on its base folder, or of the base alone, in evaluation mode.

    `words` is the folder of another tokenizer than that of the checkpoint or the base.
    """
    with _loading:
        return _load(base, checkpoint, dtype, words)


def release() -> None:
    _load.cache_clear()


@lru_cache(maxsize=2)
def _load(base: str, checkpoint: str | None, dtype: str, words: str | None) -> tuple[Any, Any]:
    place = Path(words) if words else None
    return load.trained(Path(checkpoint or base), base, dtype, hardware.measure().device, place)
