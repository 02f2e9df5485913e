"""Checkpoints brought home: how large they are, as a zip, as a folder that loads."""

import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dfgui.actions import gguf, scripts
from dfgui.actions.saved import Saved, saved
from dfgui.errors import UserError
from dfgui.models import base
from dfgui.settings import Settings
from dfgui.store import Store, owner

KINDS = ("adapter", "merged")
GGUF = {"gguf-float16": "float16", "gguf-q8_0": "q8_0"}  # kind of package -> dtype of its file
SCRIPT = "script"  # the run as a plain train.py with all that it reads


@dataclass(frozen=True)
class Package:
    """A zip that is made while it is sent. Whoever takes the chunks closes it at the end, whatever the end."""

    filename: str
    chunks: Iterator[bytes]
    size: int  # bytes that the chunks add up to
    folder: Path | None = None  # made for this package; goes with it
    let_go: Callable[[], None] | None = None  # of the checkpoint that the zip is made from

    def close(self) -> None:
        if self.let_go:
            self.let_go()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def weights(settings: Settings, run: str, step: int) -> dict[str, Path]:
    """The files of weights of a checkpoint by their names: what is worth a download of its own."""
    from dfgui.artifacts import package as packing

    files = packing.files_of(saved(settings, run, step).folder)
    return {file.name: file for file in files if file.suffix == ".safetensors"}


def home_sizes(settings: Settings, run: str, step: int) -> dict[str, int]:
    """Bytes of what can be brought home of a checkpoint: {"adapter": 31e6, "merged": 1.2e9}; 0 if nobody can know.

    Without "merged" where a person has to tell first where the base is (`name_base`).
    """
    from dfgui.artifacts import package as packing
    from dfgui.models import headers

    found = saved(settings, run, step)
    own = packing.zip_size(found.folder)
    if found.kind == "full":
        return {"merged": own}
    if base.unknown(found.run):
        return {"adapter": own}
    into = base.full_precision(found.run) or Path(found.base)
    weights = sum(file.stat().st_size for file in headers.files(into))
    if not weights:  # the base has left this machine, and is fetched again when it is needed
        return {"adapter": own, "merged": 0}
    return {"adapter": own, "merged": int(weights * _growth(into, found.dtype)) + 2_000_000}


def _growth(folder: Path, dtype: str) -> float:
    """How much larger a model's weights are in `dtype` than in their own files."""
    from dfgui.models import headers

    width = {"F32": 4, "float32": 4, "BF16": 2, "F16": 2, "bfloat16": 2, "float16": 2}
    stored = headers.dtypes(folder)
    return width[dtype] / max((width.get(name, 2) for name in stored), default=2)


def package(
    settings: Settings,
    run: str,
    step: int,
    kind: str,
    say: Callable[[str], None] | None = None,
    going: Callable[[], bool] | None = None,
) -> Package:
    """A checkpoint as a zip: its adapter, or merged with its base, or that as a GGUF file; or its run as a script.

    What was merged or written for it goes when the zip has been sent. A merge says how far it is, and ends once
    `going()` is False; without it, it happens in this process.
    """
    from dfgui.artifacts import export as exporting
    from dfgui.artifacts import package as packing

    found = saved(settings, run, step)
    if kind == SCRIPT:
        return _script(settings, found)
    title = f"{_file_name(found.run['name'])}-{step}"
    if kind in GGUF:
        return _gguf(settings, found, title, GGUF[kind], say, going)
    name = f"{title}-{_kind(kind, found)}"
    if kind == "adapter":
        extra = exporting.adapter_extras(found.folder, found.base_name, title)
        size = packing.zip_size(found.folder, extra, name)
        holds = Store(settings.store_path).holds
        let_go = partial(holds.release, holds.take(run, step))
        return Package(f"{name}.zip", packing.stream(found.folder, extra, name), size, let_go=let_go)
    out = settings.exports / owner.folder_name() / f"{run}-{step}-{secrets.token_hex(4)}"
    with_it = base.to_merge_into(found.run, settings)
    apart = going if found.kind == "adapter" else None  # a full checkpoint is linked, which takes nothing
    with Store(settings.store_path).holds.hold(run, step):
        exporting.export(found.folder, with_it, "merged", out, found.dtype, title, say, apart)
    return Package(f"{name}.zip", packing.stream(out, name=name), packing.zip_size(out, name=name), out)


def _gguf(
    settings: Settings,
    found: Saved,
    title: str,
    dtype: str,
    say: Callable[[str], None] | None,
    going: Callable[[], bool] | None,
) -> Package:
    from dfgui.artifacts import package as packing

    out = settings.exports / owner.folder_name() / f"{found.run['id']}-{found.step}-{secrets.token_hex(4)}"
    gguf.write(settings, found, out, dtype, title, say, going)
    name = f"{title}-{dtype}-gguf"
    size = packing.zip_size(out, name=name, files=packing.everything)
    return Package(f"{name}.zip", packing.stream(out, name=name, files=packing.everything), size, out)


def _script(settings: Settings, found: Saved) -> Package:
    """The folder of the run's train.py, written anew."""
    from dfgui.artifacts import package as packing

    run = found.run["id"]
    out = settings.exports / owner.folder_name() / f"{run}-script-{secrets.token_hex(4)}"
    scripts.script(settings, run, out)
    name = f"{_file_name(found.run['name'])}-script"
    size = packing.zip_size(out, name=name, files=packing.everything)
    return Package(f"{name}.zip", packing.stream(out, name=name, files=packing.everything), size, out)


def export(settings: Settings, run: str, step: int, kind: str, to: Path, dtype: str | None = None) -> dict[str, Any]:
    """Brings a checkpoint home as a folder that loads: adapter, merged or gguf. Returns {path, bytes, files}."""
    from dfgui.artifacts import export as exporting

    found = saved(settings, run, step)
    if kind == "gguf":
        return gguf.write(settings, found, to, dtype or "float16", f"{_file_name(found.run['name'])}-{step}")
    if dtype in GGUF.values() and dtype != "float16":
        raise UserError(f"Only a GGUF file is written in {dtype}.", "Others hold 16 bit or more.", "Export as gguf.")
    with_it = found.base_name if _kind(kind, found) == "adapter" else base.to_merge_into(found.run, settings)
    with Store(settings.store_path).holds.hold(run, step):
        return exporting.export(found.folder, with_it, kind, to, dtype or found.dtype, found.run["name"])  # type: ignore[arg-type]


def _kind(kind: str, found: Saved) -> str:
    if kind not in KINDS:
        raise UserError(f"{kind} is not something to download.", "A model comes as adapter or merged.", "Choose one.")
    if kind == "adapter" and found.kind == "full":
        raise UserError(
            "This run has no adapter.", "It trained the whole model.", "Download the merged model, which is all of it."
        )
    return kind


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "model"
