"""The base of a run: the model that its adapter works on, where it lies now, and whether it is still the same one.

here(row, settings)                           its folder, fetched again if it has left this machine
to_merge_into(row, settings)                  the same, in full precision
unknown(row)                                  "moved" or "quantised": what a person has to tell first; else None
require_the_same(row, Path("/new/place"))      its fingerprint; raises UserError where another model lies there
fingerprint(Path("/new/place"))                "5c0d…": equal for equal weights, however they are cut into files
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from dfgui.config import EARLIER
from dfgui.errors import UserError
from dfgui.models import earlier, headers, load
from dfgui.settings import Settings

SAMPLE_BYTES = 64  # of each weight, at its begin and at its end
NO_NAME = "owner/name"  # of the Hub, where nothing tells one
QUANTISED_NAMES = ("-unsloth-bnb-4bit", "-bnb-4bit", "-bnb-8bit")  # how those are called that others have quantised


def here(row: dict[str, Any], settings: Settings) -> str:
    """The folder of a run's base, fetched again if it is gone: caches are emptied, Spaces forget theirs.

    Raises UserError where a folder that the run was given is no longer there.
    """
    folder = Path(row["facts"]["base"])
    if folder.is_dir() or row["config"]["method"] != "lora":
        return str(folder)
    if is_own_folder(row):
        raise _gone(row)
    return load.fetch(earlier.origin(row), replace(settings, jailed=False))


def to_merge_into(row: dict[str, Any], settings: Settings) -> str:
    """The folder of the model that a run's adapter is merged into: its base, in full precision.

    Raises UserError where the base is quantised and nobody has said which model it was made from.
    """
    if full := full_precision(row):
        return str(full)
    folder = here(row, settings)
    if row["config"]["method"] == "lora" and is_quantised(Path(folder)):
        raise UserError(
            f"The base of {row['name']} is quantised.",
            "What was learned is merged into the model in full precision that it was made from, so that no weight is "
            "rounded twice.",
            f"Name that model, as a folder or of the Hub ({_before_it_was_quantised(earlier.origin(row).name)}): on "
            f"Export, or with `dfgui runs base {row['id']} MODEL`.",
        )
    return folder


def unknown(row: dict[str, Any]) -> Literal["moved", "quantised"] | None:
    """What a person has to tell of a run's base before anything can be merged with it."""
    if row["config"]["method"] != "lora" or full_precision(row):
        return None
    folder = Path(row["facts"].get("base", ""))
    if not folder.is_dir():
        return "moved" if is_own_folder(row) else None
    return "quantised" if is_quantised(folder) else None


def full_precision(row: dict[str, Any]) -> Path | None:
    """The folder of the model that a quantised base was made from, once somebody has told and while it is there."""
    named = row["facts"].get("full_base")
    return Path(named) if named and Path(named).is_dir() else None


def guess(row: dict[str, Any]) -> str:
    """What a quantised base was made from, by its name: a name of the Hub, or a folder that is there; else ""."""
    name = earlier.origin(row).name
    before = _before_it_was_quantised(name)
    is_there = Path(before).is_dir() if load.is_folder(name) else "/" in name
    return before if before != NO_NAME and is_there else ""


def is_quantised(folder: Path) -> bool:
    """Whether a model's weights lie there in fewer than 16 bit, by its config.json."""
    file = folder / "config.json"
    return file.is_file() and bool(json.loads(file.read_text(encoding="utf-8")).get("quantization_config"))


def is_own_folder(row: dict[str, Any]) -> bool:
    """Whether a run was given its base as a folder, and not as a name of the Hub or of dfgui."""
    name = earlier.origin(row).name
    cached = Path(row["facts"].get("base", "")).parent.name == "snapshots"
    return not cached and name != "demo" and not EARLIER.fullmatch(name)


def _gone(row: dict[str, Any]) -> UserError:
    return UserError(
        f"The base of {row['name']} is not where it was.",
        f"{row['facts']['base']} was moved or deleted, and an adapter works on that model alone.",
        f"Say where it is now: on Export, or with `dfgui runs base {row['id']} FOLDER`.",
    )


def _before_it_was_quantised(name: str) -> str:
    """ "unsloth/Qwen3-0.6B" for "unsloth/Qwen3-0.6B-bnb-4bit"; "owner/name" where the name does not tell."""
    return next((name.removesuffix(end) for end in QUANTISED_NAMES if name.endswith(end)), NO_NAME)


def require_the_same(row: dict[str, Any], folder: Path) -> str:
    """The fingerprint of the model in `folder`. Raises UserError where the run began from another one.

    A run of before fingerprints were kept cannot know; what has other shapes is refused when it is merged or loaded.
    """
    kept, found = row["facts"].get("base_print"), fingerprint(folder)
    if kept and kept != found:
        why = "Its weights are other ones, though their shapes may be the same."
        raise UserError(
            f"{folder} is not the base of {row['name']}.", why, "Choose the folder of the model that it was trained on."
        )
    return found


def require_its_source(row: dict[str, Any], quantised: Path, full: Path) -> None:
    """Raises UserError where the quantised model cannot have been made from the one in `full`.

    Norms, and whatever else nobody quantises, have the same names and shapes in both, and are not all of other values.
    """
    left = {name: one for name, one in _sampled(quantised) if one[0] in headers.DTYPES}
    pairs = [(left[name], one) for name, one in _sampled(full) if name in left]
    same_shapes = all(ours[1] == theirs[1] for ours, theirs in pairs)
    exact = [ours == theirs for ours, theirs in pairs if ours[0] == theirs[0]]
    if left and not (pairs and same_shapes and (any(exact) or not exact)):
        raise UserError(
            f"{full} is not what the base of {row['name']} was made from.",
            "The weights that were not quantised are other ones there.",
            "Choose the model in full precision that the quantised one names as its origin.",
        )


def fingerprint(folder: Path) -> str:
    """A digest of all weights by name, type and shape, and of a few bytes of each. Reads no whole file."""
    digest = hashlib.sha256()
    for name, one in sorted(_sampled(folder)):
        digest.update(json.dumps([name, *one]).encode())
    return digest.hexdigest()[:32]


def _sampled(folder: Path) -> Iterator[tuple[str, list[Any]]]:
    for file in headers.files(folder):
        begin = headers.data_begin(file)
        with file.open("rb") as opened:
            for name, tensor in (headers.tensors(file) or {}).items():
                first, end = tensor["data_offsets"]
                opened.seek(begin + first)
                head = opened.read(min(SAMPLE_BYTES, end - first))
                opened.seek(begin + max(first, end - SAMPLE_BYTES))
                tail = opened.read(end - max(first, end - SAMPLE_BYTES))
                yield name, [tensor["dtype"], tensor["shape"], head.hex(), tail.hex()]
