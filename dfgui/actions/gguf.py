"""A checkpoint as a GGUF file: whether it can be had here, how large it is, as a zip, as a folder."""

from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

from dfgui.actions.saved import Saved, saved
from dfgui.artifacts import gguf
from dfgui.errors import UserError
from dfgui.models import base, headers
from dfgui.settings import Settings
from dfgui.store import Store


def can_convert(settings: Settings) -> bool:
    return gguf.find(settings.llama_cpp) is not None


def gguf_sizes(settings: Settings, run: str, step: int) -> dict[str, int]:
    """Bytes by dtype, about; {} where nobody can know before the base is fetched again."""
    checkpoint = saved(settings, run, step)
    own = checkpoint.kind == "full"
    folder = checkpoint.folder if own else base.full_precision(checkpoint.run) or Path(checkpoint.base)
    found = [headers.tensors(file) or {} for file in headers.files(folder)]
    shapes = [one["shape"] for each in found for one in each.values()]
    numbers, tokens = sum(map(prod, shapes)), max((shape[0] for shape in shapes if len(shape) == 2), default=0)
    return {dtype: gguf.size(numbers, tokens, dtype) for dtype in gguf.TYPES} if numbers else {}


def write(
    settings: Settings,
    found: Saved,
    to: Path,
    dtype: str,
    name: str,
    say: Callable[[str], None] | None = None,
    going: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Writes a saved checkpoint as the folder `to`: {path, bytes, files}. Raises UserError where it cannot be had."""
    if dtype not in gguf.TYPES:
        raise UserError(
            f"A GGUF file is not written in {dtype} here.", "It comes in 16 bit or in 8.", "Choose float16 or q8_0."
        )
    converter = gguf.require(settings.llama_cpp)
    with_it = base.to_merge_into(found.run, settings)
    with Store(settings.store_path).holds.hold(found.run["id"], found.step):
        return gguf.export_gguf(found.folder, with_it, to, dtype, converter, found.dtype, name, say, going)
