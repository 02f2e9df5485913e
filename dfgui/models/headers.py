"""Which files hold a model's weights, and what the header of each tells without reading them.

8 bytes: length of the header | {"model.norm.weight": {"dtype": "F32", "shape": [32], "data_offsets": [0, 128]}} | data
"""

import json
import struct
from functools import lru_cache
from pathlib import Path

from dfgui.errors import UserError

DTYPES = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}
WHOLE = "model.safetensors"
INDEX = f"{WHOLE}.index.json"
LIMIT = 100_000_000  # bytes of a header; the format's own limit


def files(folder: Path) -> list[Path]:
    """Those that transformers loads a model from: the whole one, else what the index names. [] where there is neither.

    A folder may hold more beside them: the same weights as their author keeps them (consolidated.safetensors), or in
    another cut. Raises UserError where the index cannot be understood.
    """
    return [folder / WHOLE] if (folder / WHOLE).is_file() else [folder / name for name in named_by_index(folder)]


def named_by_index(folder: Path, index: str = INDEX) -> list[str]:
    """The names of files in the index; [] where there is none. Raises UserError where it cannot be understood."""
    if not (folder / index).is_file():
        return []
    try:
        return sorted(set(json.loads((folder / index).read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what, do = f"The model in {folder} cannot be loaded.", "Copy or download it again, whole."
        raise UserError(
            what, f"{index} cannot be read: it is cut short, or no index.", do, field="model.name"
        ) from error


def is_whole(file: Path) -> bool:
    """Whether the header can be read and the file is as long as the header says."""
    try:
        now = file.stat()
    except OSError:
        return False
    return _is_whole(file, now.st_size, now.st_mtime_ns)


@lru_cache(maxsize=1024)  # each look at a form asks about every file of its model
def _is_whole(file: Path, size: int, changed: int) -> bool:
    found = tensors(file)
    if found is None:
        return False
    data = max((tensor["data_offsets"][1] for tensor in found.values()), default=0)
    with file.open("rb") as opened:
        return size == 8 + _length(opened.read(8)) + data


def dtypes(folder: Path) -> set[str]:
    """The dtypes of all weights in a folder, as torch names them: {"float32"}. Empty if there are none to read."""
    found = [tensors(file) or {} for file in files(folder)]
    return {DTYPES.get(tensor["dtype"], tensor["dtype"]) for each in found for tensor in each.values()}


def tensors(file: Path) -> dict[str, dict] | None:
    """Name -> {dtype, shape, data_offsets}, or None where there is no readable header."""
    try:
        with file.open("rb") as opened:
            found = json.loads(opened.read(min(_length(opened.read(8)), LIMIT)))
    except (OSError, ValueError, struct.error):
        return None
    if not isinstance(found, dict):
        return None
    found.pop("__metadata__", None)
    return found if all(isinstance(tensor, dict) and "data_offsets" in tensor for tensor in found.values()) else None


def data_begin(file: Path) -> int:
    """Where the data begins in a file, in bytes: what data_offsets count from."""
    with file.open("rb") as opened:
        return 8 + _length(opened.read(8))


def _length(first_bytes: bytes) -> int:
    return struct.unpack("<Q", first_bytes)[0]
