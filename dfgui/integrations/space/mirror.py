"""Home to volume: what is new is copied every minute and at the end, and what was deleted goes there too."""

import logging
import shutil
import threading
import time
from pathlib import Path

from dfgui.integrations.space.files import (
    MANIFEST,
    STATE,
    WRITER,
    files,
    folders,
    note,
    put,
    put_json,
    read_json,
    tree,
)
from dfgui.settings import Settings
from dfgui.store import Store, backup

logger = logging.getLogger("dfgui")

EVERY_SECONDS = 60
Stamp = tuple[int, int]  # bytes and time of change of a file


class Mirror:
    """`start` copies from time to time, `close` once more, `copy` now. Without a volume the first two do nothing."""

    def __init__(self, settings: Settings, every: float = EVERY_SECONDS):
        self.settings = settings
        self.every = every
        self.copied: dict[Path, list[Stamp]] = {}  # what each file was when it was copied
        self.turn = threading.Lock()
        self.stopped = threading.Event()

    def start(self) -> None:
        if self.settings.volume is not None:
            threading.Thread(target=self._run, name="dfgui-volume", daemon=True).start()

    def close(self) -> None:
        self.stopped.set()
        if self.settings.volume is not None:
            self._copy_or_say_why_not()

    def copy(self) -> None:
        """The store first: it is small, and whoever ends the process in a hurry leaves it whole."""
        home, volume = self.settings.home, self.settings.volume
        assert volume is not None
        with self.turn:
            _require_ours(home, volume)
            store = Store(self.settings.store_path)
            kept = {run["id"]: [row["path"] for row in store.checkpoints.of(run["id"])] for run in store.runs.all()}
            self._copy_store(volume)
            self._copy_files(home / "uploads", volume / "uploads")
            for run, checkpoints in kept.items():
                self._copy_files(home / "runs" / run, volume / "runs" / run)
                for name in checkpoints:
                    _copy_checkpoint(home / "runs" / run / name, volume / "runs" / run / name)
            _remove_deleted(home, volume, kept)

    def _run(self) -> None:
        while not self.stopped.wait(self.every):
            self._copy_or_say_why_not()

    def _copy_or_say_why_not(self) -> None:
        """A full or missing volume stops no training: it is logged, shown, and tried again."""
        try:
            self.copy()
            note(self.settings.home, copied_at=time.time(), error=None)
        except Exception as error:
            logger.exception("Copying to %s failed", self.settings.volume)
            note(self.settings.home, error=f"{getattr(error, 'strerror', None) or error}.")

    def _copy_store(self, volume: Path) -> None:
        path, target = self.settings.store_path, volume / self.settings.store_path.name
        stamps = [_stamp(path.with_name(path.name + end)) for end in ("", "-wal")]
        if self.copied.get(path) == stamps and target.exists():
            return
        copy = self.settings.home / ".dfgui.copy.db"
        backup.write(path, copy)
        if target.exists():
            target.replace(volume / backup.PREVIOUS)
        for end in backup.BESIDE[1:]:
            target.with_name(target.name + end).unlink(missing_ok=True)  # of a store that was once in use there
        put(copy, target)
        copy.unlink()
        self.copied[path] = stamps

    def _copy_files(self, source: Path, target: Path) -> None:
        for file in files(source):
            stamps = [_stamp(file)]
            if self.copied.get(file) != stamps:
                put(file, target / file.name)
                self.copied[file] = stamps


def _copy_checkpoint(source: Path, target: Path) -> None:
    """Files first, then the list of them: until it stands, the copy does not count. A checkpoint never changes."""
    if (target / MANIFEST).exists() or not source.is_dir():
        return
    try:
        sizes = tree(source)
        for name in sizes:
            put(source / name, target / name)
        put_json(sizes, target / MANIFEST)
    except FileNotFoundError:
        if source.is_dir():
            raise
        # rotation deleted it meanwhile; the next copy removes what was begun


def _require_ours(home: Path, volume: Path) -> None:
    """A home that came later has taken the volume over: what this one would copy there is older."""
    if read_json(volume / WRITER).get("writer") != read_json(home / STATE).get("writer"):
        raise OSError("another dfgui has taken this volume over")


def _remove_deleted(home: Path, volume: Path, kept: dict[str, list[str]]) -> None:
    """What came home at the start, or was copied since, and is neither in the store nor here any more was deleted."""
    left = set(read_json(home / STATE).get("left", []))
    for run in folders(volume / "runs"):
        if run.name not in kept and not (home / "runs" / run.name).exists():
            if not any(name.startswith(f"{run.name}/") for name in left):
                shutil.rmtree(run)
            continue
        for checkpoint in folders(run):
            here = home / "runs" / run.name / checkpoint.name
            gone = checkpoint.name not in kept.get(run.name, []) and not here.exists()
            here_once = (checkpoint / MANIFEST).exists() and f"{run.name}/{checkpoint.name}" not in left
            if gone and here_once:  # else it is not ours to judge
                (checkpoint / MANIFEST).unlink()
                shutil.rmtree(checkpoint)
    for file in files(volume / "uploads"):
        if not (home / "uploads" / file.name).exists():
            file.unlink()


def _stamp(file: Path) -> Stamp:
    if not file.exists():
        return (-1, -1)
    stat = file.stat()
    return (stat.st_size, stat.st_mtime_ns)
