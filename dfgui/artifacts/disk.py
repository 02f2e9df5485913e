"""What runs take on the disk: bytes by run, and in all, where a file that two of them share counts once.

    usage = Usage(settings.runs)
    usage.look(["7h2kq0x1zz"])  ->  {"7h2kq0x1zz": 124000000}
    usage.total                 ->  bytes of all that was looked at

A folder is walked again only when something came into it or went: looking at runs that have ended costs a few stats.
"""

import os
from collections.abc import Iterable
from pathlib import Path

File = tuple[int, int]  # device and number: hard links to one file share them
State = tuple[tuple[str, int], ...]  # when the folder and each folder in it changed


class Usage:
    def __init__(self, runs: Path):
        self.runs = runs
        self._seen: dict[str, tuple[State, dict[File, int]]] = {}

    def look(self, runs: Iterable[str]) -> dict[str, int]:
        """Bytes of each run's folder; 0 where there is none. Runs that are not named are forgotten."""
        self._seen = {run: self._of(run) for run in runs}
        return {run: sum(files.values()) for run, (_, files) in self._seen.items()}

    @property
    def total(self) -> int:
        together: dict[File, int] = {}
        for _, files in self._seen.values():
            together |= files
        return sum(together.values())

    def _of(self, run: str) -> tuple[State, dict[File, int]]:
        state = _state(self.runs / run)
        known = self._seen.get(run)
        return known if known and known[0] == state else (state, files(self.runs / run))


def files(folder: Path) -> dict[File, int]:
    """The files below a folder with their bytes, each once however many names it has."""
    found: dict[File, int] = {}
    for at, _, names in os.walk(folder):
        for name in names:
            try:
                stat = Path(at, name).lstat()
            except OSError:  # it went while we looked
                continue
            found[stat.st_dev, stat.st_ino] = stat.st_size
    return found


def _state(folder: Path) -> State:
    try:
        inside = [entry for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
        own = folder.stat().st_mtime_ns
        return ((".", own), *sorted((entry.name, entry.stat(follow_symlinks=False).st_mtime_ns) for entry in inside))
    except OSError:
        return ()
