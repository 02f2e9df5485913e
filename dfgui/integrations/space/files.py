"""Files on a volume: written whole or not at all, listed without what is still being written."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

MANIFEST = "files.json"  # in a copied checkpoint, written last: {name: bytes}
STATE = "volume.json"  # in a home with a volume: {writer, reason, copied_at, error, left}
WRITER = "writer.json"  # on a volume: {writer}


def put(source: Path, target: Path) -> None:
    """Copies a file so that `target` is always the old one or the new one, whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = _part(target)
    with source.open("rb") as reading, part.open("wb") as writing:
        shutil.copyfileobj(reading, writing, 1 << 20)
        _sync(writing)
    part.replace(target)


def put_json(value: dict[str, Any], target: Path) -> None:
    part = _part(target)
    with part.open("w", encoding="utf-8") as writing:
        json.dump(value, writing)
        _sync(writing)
    part.replace(target)


def read_json(file: Path) -> dict[str, Any]:
    """The object in a file; empty where there is none."""
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def note(home: Path, **changes: Any) -> None:
    """Lays `changes` over what the home remembers of its volume."""
    put_json({**read_json(home / STATE), **changes}, home / STATE)


def files(folder: Path) -> list[Path]:
    return [entry for entry in _entries(folder) if entry.is_file()]


def folders(folder: Path) -> list[Path]:
    return [entry for entry in _entries(folder) if entry.is_dir()]


def tree(folder: Path) -> dict[str, int]:
    """Every file below `folder`: its path from there, and its bytes."""
    return {
        file.relative_to(folder).as_posix(): file.stat().st_size for file in sorted(folder.rglob("*")) if file.is_file()
    }


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith(".") and not entry.is_symlink())


def _part(target: Path) -> Path:
    return target.with_name(f".{target.name}.part")


def _sync(writing: Any) -> None:
    writing.flush()
    os.fsync(writing.fileno())
