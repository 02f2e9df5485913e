"""The checkpoints of a run as they lie on disk, whole or torn.

    runs/RUN/checkpoint-20/  adapter_config.json adapter_model.safetensors ... optimizer.pt trainer_state.json

A trainer writes a checkpoint in place, file by file, so a killed run may leave half of one. Only file headers are read:
looking costs the same for every size of model, and needs no torch.
"""

import json
import os
import re
import shutil
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dfgui.errors import UserError
from dfgui.models import headers

Kind = Literal["adapter", "full"]
ASIDE = "set-aside"  # in a run's folder: checkpoints behind the one that it went on from


@dataclass(frozen=True)
class Checkpoint:
    step: int
    path: Path
    kind: Kind
    complete: bool
    bytes: int
    problem: str = ""  # what is missing or cut short, when it is not complete


def inside(run_folder: Path, save_only_model: bool = False) -> list[Checkpoint]:
    """Every checkpoint of a run by ascending step, incomplete ones marked."""
    found = [describe(folder, save_only_model) for folder in Path(run_folder).glob("checkpoint-*") if folder.is_dir()]
    return sorted(found, key=lambda checkpoint: checkpoint.step)


def describe(folder: Path, save_only_model: bool = False) -> Checkpoint:
    """What lies in one checkpoint folder. `save_only_model` says that it was asked for without optimizer state."""
    problem = _problem(folder, save_only_model)
    return Checkpoint(
        step=_step(folder),
        path=folder,
        kind=kind_of(folder),
        complete=not problem,
        bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        problem=problem,
    )


def usable(folder: Path) -> Checkpoint:
    """A checkpoint whose model can be read, resumable or not. Raises UserError when it is torn or not there."""
    found = describe(folder, save_only_model=True)
    if not found.complete:
        raise UserError(f"{folder} cannot be used.", f"{found.problem}.", "Choose another checkpoint.")
    return found


def sync(folder: Path) -> None:
    """Brings a folder's files to the disk, so that a power cut cannot leave a checkpoint half written."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    for path in files if os.name == "nt" else [*files, folder]:  # Windows opens no folder
        descriptor = os.open(path, os.O_RDONLY if path == folder else os.O_RDWR)  # and syncs what may be written
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove(folder: Path) -> None:
    """Deletes a checkpoint. Half of one, as a process that is killed meanwhile leaves, has no checkpoint's name."""
    going = folder.with_name(f".{folder.name}.deleted")
    shutil.rmtree(going, ignore_errors=True)
    with suppress(FileNotFoundError):
        folder.replace(going)
    shutil.rmtree(going, ignore_errors=True)


def set_aside(run_folder: Path, known: set[int], part: int) -> None:
    """Clears the way for a run that goes on: checkpoints that it does not know are kept in set-aside/PART, or deleted
    where they are torn, since it will write some of that name again."""
    for found in inside(run_folder):
        if found.step in known:
            continue
        if not found.complete:
            remove(found.path)
            continue
        aside = run_folder / ASIDE / str(part) / found.path.name
        aside.parent.mkdir(parents=True, exist_ok=True)
        found.path.replace(aside)


def kind_of(folder: Path) -> Kind:
    """An adapter needs its base model beside it; a full model works alone."""
    return "adapter" if (folder / "adapter_config.json").is_file() else "full"


def _step(folder: Path) -> int:
    named = re.fullmatch(r"checkpoint-(\d+)", folder.name)
    return int(named.group(1)) if named else int((_json(folder / "trainer_state.json") or {}).get("global_step", 0))


def _problem(folder: Path, save_only_model: bool) -> str:
    kind = kind_of(folder)
    config = "adapter_config.json" if kind == "adapter" else "config.json"
    if _json(folder / config) is None:
        return f"{config} is missing or cut short"
    if problem := _weights_problem(folder, "adapter_model" if kind == "adapter" else "model"):
        return problem
    if not save_only_model and not _has_optimizer(folder):
        return "optimizer.pt is missing or cut short"
    if _json(folder / "trainer_state.json") is None:  # the file that is written last
        return "trainer_state.json is missing or cut short"
    return ""


def _has_optimizer(folder: Path) -> bool:
    """torch.save writes a zip. FSDP and DeepSpeed keep the optimiser's state in files or folders of their own."""
    if (folder / "optimizer.pt").exists():
        return zipfile.is_zipfile(folder / "optimizer.pt")
    sharded = (folder / "optimizer_0").is_dir() or (folder / "latest").is_file()
    return sharded or zipfile.is_zipfile(folder / "optimizer.bin")


def _weights_problem(folder: Path, stem: str) -> str:
    """model.safetensors, or every shard that model.safetensors.index.json names."""
    index = f"{stem}.safetensors.index.json"
    try:
        names = headers.named_by_index(folder, index)
    except UserError as error:
        return error.why.rstrip(".")
    for name in names or [f"{stem}.safetensors"]:
        if Path(name).name != name:
            return f"{index} names a file outside the folder: {name}"
        if not headers.is_whole(folder / name):
            return f"{name} is missing or cut short"
    return ""


def _json(file: Path) -> dict | None:
    """The object in a file, or None. Python's json reads the bare NaN that a trainer may write."""
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
