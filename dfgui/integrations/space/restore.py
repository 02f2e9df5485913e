"""Volume to home, at the start: unless this home was the last to write there, and so is as new or newer."""

import secrets
import shutil
import time
from pathlib import Path

from dfgui.errors import UserError
from dfgui.integrations.space.files import MANIFEST, STATE, WRITER, files, folders, note, put, put_json, read_json, tree
from dfgui.settings import Settings
from dfgui.store import backup


def restore(settings: Settings, volume: Path) -> None:
    """Raises UserError when what lies on the volume cannot be brought home; then nothing there is touched."""
    mine, last = read_json(settings.home / STATE).get("writer"), read_json(volume / WRITER).get("writer")
    if mine is None or mine != last or not settings.store_path.exists():
        try:
            _bring_home(settings, volume, ours=last is not None)
        except OSError as error:
            raise UserError(
                f"What lies on {volume} could not be brought home to {settings.home}.",
                f"{error.strerror or error}.",
                "Make room there, or choose another home with --home or DFGUI_HOME.",
            ) from error
    if mine is None or mine != last:
        mine = secrets.token_hex(8)
        note(settings.home, writer=mine)
        put_json({"writer": mine}, volume / WRITER)


def _bring_home(settings: Settings, volume: Path, ours: bool) -> None:
    """`ours`: whether the volume was written by a mirror; otherwise it was itself a home until now.

    Checkpoints that could not come, a file of theirs being out of sight, are noted as `left`: they stay where they are.
    """
    left = []
    for file in files(volume / "uploads"):
        put(file, settings.uploads / file.name)
    for run in folders(volume / "runs"):
        for file in files(run):
            put(file, settings.run_folder(run.name) / file.name)
        for checkpoint in folders(run):
            sizes = read_json(checkpoint / MANIFEST) or ({} if ours else _whole_checkpoint(checkpoint))
            if not _bring_checkpoint(checkpoint, settings.run_folder(run.name) / checkpoint.name, sizes):
                left.append(f"{run.name}/{checkpoint.name}")
    note(settings.home, left=left)
    _bring_store(settings, volume)


def _whole_checkpoint(folder: Path) -> dict[str, int]:
    """The files of a checkpoint as a trainer left it; empty when it was cut short."""
    from dfgui.artifacts import checkpoints

    return tree(folder) if checkpoints.describe(folder).complete else {}


def _bring_checkpoint(source: Path, target: Path, sizes: dict[str, int]) -> bool:
    """Whole or not at all: what is not listed, or listed with another size, does not count. True: it is at home."""
    if not sizes or not _has_all(source, sizes):
        return False
    if _has_all(target, sizes):
        return True
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    for name in sizes:
        put(source / name, part / name)
    shutil.rmtree(target, ignore_errors=True)
    part.replace(target)
    return True


def _bring_store(settings: Settings, volume: Path) -> None:
    copies = [volume / name for name in (settings.store_path.name, backup.PREVIOUS) if (volume / name).exists()]
    fetched = settings.home / ".dfgui.fetched.db"
    for copy in copies:
        put(copy, fetched)
        journal = copy.with_name(f"{copy.name}-wal")  # only beside a store that was in use there
        if journal.exists():
            put(journal, fetched.with_name(f"{fetched.name}-wal"))
        if backup.is_whole(fetched):
            backup.drop_missing_checkpoints(fetched, settings.runs)
            _set_aside(settings.store_path)
            fetched.replace(settings.store_path)
            return
    fetched.unlink(missing_ok=True)
    if copies:
        raise UserError(
            f"The copy of the store in {volume} is damaged.",
            "SQLite can read neither dfgui.db there nor the copy before it.",
            "Move the dfgui*.db files out of that folder to begin with an empty list of runs; the checkpoints stay.",
        )


def _set_aside(store: Path) -> None:
    """Another home wrote to the volume since, so this store is out of date: it is kept under another name."""
    for end in backup.BESIDE:
        file = store.with_name(store.name + end)
        if file.exists():
            file.replace(store.with_name(f"dfgui.{int(time.time())}.old.db{end}"))


def _has_all(folder: Path, sizes: dict[str, int]) -> bool:
    inside = all(not Path(name).is_absolute() and ".." not in Path(name).parts for name in sizes)
    return inside and all(
        (folder / name).is_file() and (folder / name).stat().st_size == size for name, size in sizes.items()
    )
