"""A checkpoint becomes a folder that loads, with the words that say how.

    export(run_folder / "checkpoint-60", base="Qwen/Qwen3-0.6B", kind="merged", to=Path("weather"))
    {"path": "weather", "bytes": 1192135096, "files": ["config.json", "model.safetensors", ..., "USAGE.md"]}

An adapter also streams from where it lies: package.stream(checkpoint, adapter_extras(checkpoint, base, name), name).
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from dfgui.artifacts import apart, checkpoints, package, usage
from dfgui.artifacts.folders import new_folder, require_space
from dfgui.artifacts.merge import merge
from dfgui.errors import UserError


def export(
    checkpoint: Path,
    base: str | Path | None,
    kind: Literal["adapter", "merged"],
    to: Path,
    dtype: str | None = None,
    name: str | None = None,
    progress: Callable[[str], None] | None = None,
    going: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Writes the folder `to`; `name` is the run's, for USAGE.md. Raises UserError, and then leaves nothing behind.

    `base` is where a merge finds the base, or what an adapter shall name as its base. None: as the adapter says.
    `going`: merges in a process of its own, for as long as it answers True.
    """
    to = Path(to)
    if kind == "adapter":
        copy_adapter(Path(checkpoint), base, to, name or to.name)
    elif going:
        apart.merge(Path(checkpoint), base, to, dtype, name or to.name, progress or (lambda said: None), going)
    else:
        merge(checkpoint, base, to, dtype, progress, name)
    files = package.files_of(to)
    return {
        "path": str(to),
        "bytes": sum(file.stat().st_size for file in files),
        "files": [file.relative_to(to).as_posix() for file in files],
    }


def copy_adapter(checkpoint: Path, base: str | Path | None, to: Path, name: str) -> None:
    found = checkpoints.usable(checkpoint)
    if found.kind != "adapter":
        raise UserError(
            f"{checkpoint.name} is a whole model.", "It has no adapter to take off.", "Export it as merged instead."
        )
    files = package.files_of(checkpoint)
    with new_folder(to) as part:
        require_space(part, sum(file.stat().st_size for file in files))
        for file in files:
            (part / file.relative_to(checkpoint)).parent.mkdir(exist_ok=True)
            shutil.copy2(file, part / file.relative_to(checkpoint))
        for inside, content in adapter_extras(checkpoint, base, name).items():
            (part / inside).write_bytes(content)


def adapter_extras(checkpoint: Path, base: str | Path | None, name: str) -> dict[str, bytes]:
    """What goes with an adapter: USAGE.md, and its config naming the base as it is known today."""
    config = json.loads((checkpoint / "adapter_config.json").read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = str(base or config["base_model_name_or_path"])
    page = usage.text(checkpoint, "adapter", config["base_model_name_or_path"], name)
    return {"adapter_config.json": json.dumps(config, indent=2).encode(), usage.NAME: page.encode()}
