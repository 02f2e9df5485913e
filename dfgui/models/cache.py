"""Models that the Hub's own client keeps on this machine, looked at without asking the Hub.

all_of()                                [Cached("Qwen/Qwen3-0.6B", folder, 1503300328)]
folder("Qwen/Qwen3-0.6B", "main")       .../models--Qwen--Qwen3-0.6B/snapshots/COMMIT, or None
begun("Qwen/Qwen3-0.6B")                bytes of weights whose download broke off

models--Qwen--Qwen3-0.6B/refs/main          the commit that a branch stood for when it was asked
                         snapshots/COMMIT/  links by the names of the files
                         blobs/             the files, and those that are not whole yet (*.incomplete)
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dfgui.errors import UserError
from dfgui.models import headers

UNFINISHED = ".incomplete"  # after the hash; the client's own, which nobody goes on with, have a word between


@dataclass(frozen=True)
class Cached:
    id: str
    folder: Path  # of the commit
    bytes: int  # of its weights


def root() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def place(repo: str) -> Path:
    """Where everything of a repository lies, whether there is anything or not."""
    return root() / f"models--{repo.replace('/', '--')}"


def all_of() -> list[Cached]:
    """Every model here that writes text and whose weights are whole safetensors, by name."""
    folders = root().glob("models--*--*") if root().is_dir() else []
    found = (_cached(folder) for folder in sorted(folders, key=lambda one: one.name.lower()))
    return [one for one in found if one]


def _cached(place: Path) -> Cached | None:
    """At its main branch: no other commit is found again by the model's name alone."""
    repo = place.name.removeprefix("models--").replace("--", "/", 1)
    here = folder(repo)
    if here is None or not writes_text(config(here)) or not whole(here):
        return None
    return Cached(repo, here, weights_bytes(here))


def folder(repo: str, revision: str | None = None) -> Path | None:
    """The folder of a commit, or of what a branch or tag stood for when it was last asked; None if it is not here."""
    from huggingface_hub import try_to_load_from_cache

    file = try_to_load_from_cache(repo, "config.json", revision=revision)
    return Path(file).parent if isinstance(file, str) else None


def whole(folder: Path) -> bool:
    """Whether there are weights in a folder, and all that its index names."""
    with suppress(UserError):  # an index that cannot be understood
        named = [folder / name for name in headers.named_by_index(folder)]
        return bool(headers.files(folder)) and all(file.is_file() for file in named)
    return False


def weights_bytes(folder: Path) -> int:
    """Of a folder that is `whole`."""
    return sum(file.stat().st_size for file in headers.files(folder))


def begun(repo: str) -> int:
    """Bytes of a download that broke off, which the next one goes on from."""
    parts = (place(repo) / "blobs").glob(f"*{UNFINISHED}")
    return sum(part.stat().st_size for part in parts if "." not in part.name.removesuffix(UNFINISHED))


def config(folder: Path) -> dict[str, Any]:
    """config.json; {} where there is none to read."""
    return _object(folder / "config.json")


def writes_text(config: dict[str, Any]) -> bool:
    """Whether a config is of a model that writes text word by word."""
    named = config.get("architectures")
    return isinstance(named, list) and any(str(one).endswith(("ForCausalLM", "LMHeadModel")) for one in named)


def _object(file: Path) -> dict[str, Any]:
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}
