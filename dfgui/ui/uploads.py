"""Files that visitors upload: kept in the home under names of ours, shown under the names they came with.

What Gradio took in lies in home/cache; it is linked rather than copied, so that a file is on the disk once.

uploads/weather-rows-3f9a2c1b.jsonl         the rows
uploads/weather-rows-3f9a2c1b.jsonl.name    "Weather rows.jsonl"
"""

import os
import re
import secrets
import shutil
from pathlib import Path

from dfgui import words
from dfgui.errors import UserError
from dfgui.settings import Settings

KINDS = [".jsonl", ".json", ".csv", ".parquet", ".txt"]
LABEL = ".name"
MARK = re.compile(r"-[0-9a-f]{8}(?=\.(?:jsonl|json|csv|parquet|txt)\b)")  # what makes a kept name unlike any other


def keep(path: str, settings: Settings) -> Path:
    """Keeps an uploaded file in the home, and returns where. Nothing of its name is trusted but a known ending."""
    given = Path(path)
    ending = _ending(given.name)
    stem = re.sub(r"[^a-z0-9]+", "-", given.name.removesuffix(ending).lower()).strip("-")[:40] or "rows"
    kept = settings.uploads / f"{stem}-{secrets.token_hex(4)}{ending}"
    try:
        os.link(given, kept)
    except OSError:  # another disk, or one that knows no links
        shutil.copyfile(given, kept)
    kept.with_name(kept.name + LABEL).write_text(given.name[:200], encoding="utf-8")
    return kept


def shown(path: Path) -> str:
    """The name that an upload had where it came from."""
    label = path.with_name(path.name + LABEL)
    return label.read_text(encoding="utf-8") if label.is_file() else path.name


def unmarked(text: str) -> str:
    """A sentence about an upload with its name much as it came: "rows-3f9a2c1b.jsonl is empty" as "rows.jsonl ..."."""
    return MARK.sub("", text)


def came_at(path: Path) -> float:
    """When an upload came; the file itself may be linked, and as old as the same content is."""
    return path.with_name(path.name + LABEL).stat().st_mtime


def all_of(settings: Settings) -> list[Path]:
    """What was uploaded so far, newest first."""
    kept = [path for path in settings.uploads.iterdir() if path.with_name(path.name + LABEL).is_file()]
    return sorted(kept, key=came_at, reverse=True)


def told_apart(paths: list[Path]) -> dict[str, str]:
    """Uploads, newest first, by path: what each is called in a list. Of one name, older ones say when they came."""
    names: dict[str, str] = {}
    for path in paths:
        name = shown(path)
        names[str(path)] = f"{name}, {words.moment(came_at(path))}" if name in names.values() else name
    return names


def _ending(name: str) -> str:
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    ending = "".join(suffixes[-2:]) if suffixes[-1:] == [".gz"] else "".join(suffixes[-1:])
    if ending.removesuffix(".gz") not in KINDS:
        raise UserError(
            f"{name} is not a kind of file that dfgui reads.",
            f"Its name ends in {ending or 'nothing'}.",
            f"Use {', '.join(KINDS)}; all but .parquet may be gzipped (.gz).",
        )
    return ending
