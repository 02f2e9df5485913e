"""Where rows come from: the demo, a file, a folder of files, or the Hub. Read lazily, never whole to show ten rows.

    source = open_source("rows.jsonl", settings)
    source.head(3)    -> [Row(number=1, raw={"messages": [...]}), ...]
    source.row(212)   -> Row(number=212, raw={...})

Rows are numbered from 1, as a person counts: by line where a row is a line. The files of a folder are joined in the
order of their names, and counted on.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from dfgui.config import Data
from dfgui.data import files, formats
from dfgui.data.hub import HubRows
from dfgui.errors import UserError
from dfgui.settings import Settings

DEMO = Path(__file__).parents[1] / "models" / "demo" / "rows.jsonl"
HUB = "hf:"


@dataclass(frozen=True)
class Row:
    number: int
    raw: dict
    format: str | None = None  # its own, where datasets of several formats are joined


@dataclass(frozen=True)
class Broken:
    """What stands where a row should: a line that is no JSON, for example."""

    number: int
    error: UserError


class Source(ABC):
    """Rows by number. `name` is what people call it: "rows.jsonl", "owner/name", "demo"."""

    name: str

    @abstractmethod
    def scan(self) -> Iterator[Row | Broken]:
        """All rows in order, also what cannot be read. Raises UserError where nothing can be read any more."""

    def rows(self) -> Iterator[Row]:
        """All rows in order. Raises UserError at the first that cannot be read."""
        for row in self.scan():
            if isinstance(row, Broken):
                raise row.error
            yield row

    @abstractmethod
    def count(self) -> int:
        """How many rows there are; may read everything."""

    def size(self) -> int | None:
        """How many rows there are, if that can be told without asking for them all."""
        return self.count()

    def head(self, n: int) -> list[Row]:
        """Of the first n rows those that can be read. Raises UserError when none can."""
        return self.head_with_trouble(n)[0]

    def head_with_trouble(self, n: int) -> tuple[list[Row], Broken | UserError | None]:
        """`head`, and the first of these rows that cannot be read; a UserError where nothing can be read after them."""
        found: list[Row] = []
        troubles: list[Broken | UserError] = []
        try:
            for row in islice(self.scan(), n):
                if isinstance(row, Broken):
                    troubles.append(row)
                else:
                    found.append(row)
        except UserError as error:
            troubles.append(error)
        if troubles and not found:
            raise troubles[0].error if isinstance(troubles[0], Broken) else troubles[0]
        return found, next(iter(troubles), None)

    def row(self, number: int) -> Row:
        """One row. Raises UserError beyond the end, saying how many there are."""
        found = next((row for row in self.scan() if row.number == number), None)
        if isinstance(found, Broken):
            raise found.error
        return found or self._missing(number, self.count())

    def _missing(self, number: int, total: int) -> Row:
        raise UserError(
            f"There is no row {number}.",
            f"{self.name} has {total} {'row' if total == 1 else 'rows'}.",
            f"Ask for a row from 1 to {total}." if number < 1 or number > total else "That line is blank.",
        )


class FileSource(Source):
    def __init__(self, path: Path, name: str):
        self.name = name
        self.path = path
        self.kind = files.kind_of(path)

    def scan(self) -> Iterator[Row | Broken]:
        for number, row in files.scan(self.path, self.kind):
            yield Broken(number, row) if isinstance(row, UserError) else Row(number, row)

    def row(self, number: int) -> Row:
        if self.kind not in ("jsonl", "txt"):
            return super().row(number)
        raw = files.read_line(self.path, self.kind, number)
        return self._missing(number, self.count()) if raw is None else Row(number, raw)

    def count(self) -> int:
        return files.count(self.path, self.kind)


class Joined(Source):
    """Several sources, one after the other; rows are counted on."""

    def __init__(self, name: str, parts: Sequence[Source]):
        self.name = name
        self.parts = parts

    def scan(self) -> Iterator[Row | Broken]:
        before = last = 0
        for part in self.parts:
            for row in part.scan():
                last = before + row.number
                yield replace(row, number=last)
            before = last

    def count(self) -> int:
        return sum(part.count() for part in self.parts)

    def size(self) -> int | None:
        sizes = [part.size() for part in self.parts]
        return None if None in sizes else sum(filter(None, sizes))


class OfItsOwnFormat(Source):
    """A source whose rows say which format they have, as its first rows tell."""

    def __init__(self, source: Source):
        self.name = source.name
        self.source = source

    def scan(self) -> Iterator[Row | Broken]:
        head, _ = self.source.head_with_trouble(formats.LOOKED_AT)
        format = self._detected(head) if head else None
        return (replace(row, format=format) if isinstance(row, Row) else row for row in self.source.scan())

    def _detected(self, head: list[Row]) -> str:
        try:
            return formats.detect([row.raw for row in head])
        except UserError as error:
            raise UserError(f"{self.name} cannot be joined: {error.what}", error.why, error.do) from error

    def count(self) -> int:
        return self.source.count()

    def size(self) -> int | None:
        return self.source.size()


def folder_source(folder: Path, settings: Settings) -> Source:
    parts = [FileSource(settings.may_read(path), path.name) for path in files.inside(folder)]
    if not parts:
        raise UserError(
            f"{folder.name} is a folder without a dataset.",
            "None of the files in it is of a kind that dfgui reads.",
            "Name a folder with .jsonl, .json, .csv, .parquet or .txt files, or one file.",
        )
    return Joined(folder.name, parts)


class HubSource(Source):
    def __init__(self, name: str, config: str | None, split: str, token: str | None = None):
        self.name = name
        self.hub = HubRows(name, config, split, token)

    def scan(self) -> Iterator[Row | Broken]:
        return (Row(number, raw) for number, raw in self.hub.rows())

    def row(self, number: int) -> Row:
        last = 0  # rows of a stream are counted on the way
        for last, raw in self.hub.rows():
            if last == number:
                return Row(number, raw)
        return self._missing(number, last)

    def count(self) -> int:
        return self.hub.size() or sum(1 for _ in self.rows())

    def size(self) -> int | None:
        return self.hub.size()


def open_source(source: str, settings: Settings, config: str | None = None, split: str = "train") -> Source:
    """The rows of "demo", "hf:owner/name" or a path. Raises UserError when it cannot be opened, or may not be read."""
    if source == "demo":
        return FileSource(DEMO, "demo")
    if source.startswith(HUB):
        name = source.removeprefix(HUB)
        if settings.offline:
            raise UserError(
                f"{name} cannot be read while offline.",
                "HF_HUB_OFFLINE is set, so the Hub is not asked.",
                "Unset it, or download the dataset and name its file.",
            )
        return HubSource(name, config, split, settings.hub_token)
    path = settings.may_read(source)
    return folder_source(path, settings) if path.is_dir() else FileSource(path, path.name)


def dataset(data: Data, settings: Settings) -> Source:
    """All rows of a run: its dataset, and those that are joined to it. Raises UserError as open_source() does."""
    parts = [open_source(name, settings, data.config, data.split) for name in (data.source, *data.also)]
    if len(parts) == 1:
        return parts[0]
    name = f"{parts[0].name} and {len(parts) - 1} more"
    return Joined(name, [OfItsOwnFormat(part) for part in parts] if data.format == "auto" else parts)
