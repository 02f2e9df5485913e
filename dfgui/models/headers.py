"""What the header of a .safetensors file tells without reading its weights.

8 bytes: length of the header | {"model.norm.weight": {"dtype": "F32", "shape": [32], "data_offsets": [0, 128]}} | data
"""

import json
import struct
from pathlib import Path

DTYPES = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}
LIMIT = 100_000_000  # bytes of a header; the format's own limit


def is_whole(file: Path) -> bool:
    """Whether the header can be read and the file is as long as the header says."""
    found = tensors(file)
    if found is None:
        return False
    data = max((tensor["data_offsets"][1] for tensor in found.values()), default=0)
    with file.open("rb") as opened:
        return file.stat().st_size == 8 + _length(opened.read(8)) + data


def dtypes(folder: Path) -> set[str]:
    """The dtypes of all weights in a folder, as torch names them: {"float32"}. Empty if there are none to read."""
    found = [tensors(file) or {} for file in folder.glob("*.safetensors")]
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


def _length(first_bytes: bytes) -> int:
    return struct.unpack("<Q", first_bytes)[0]
