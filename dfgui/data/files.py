"""Rows out of a file, one at a time: a gigabyte shows its first row at once.

    .jsonl  one object a line; a row's number is its line     .txt       {"text": line}; numbered by line
    .json   a list of objects, or {"data": [...]}             .csv .tsv  {column: text}; numbered without the header
    .parquet  row group by row group                          .gz        of any of them but parquet

Read here and not by `datasets`: Arrow would merge tool schemas that differ from row to row, and lose line numbers.
"""

import csv
import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from dfgui.data import json_list
from dfgui.errors import UserError

KINDS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "txt",
    ".parquet": "parquet",
}
BOM = b"\xef\xbb\xbf"

Numbered = Iterator[tuple[int, dict | UserError]]


def kind_of(path: Path) -> str:
    """Which reader a file wants: "jsonl", "json", "csv", "txt" or "parquet". Raises UserError if there is none."""
    if path.stat().st_size == 0:
        raise UserError(f"{path.name} is empty.", "The file has 0 bytes.", "Choose another file, or save it again.")
    kind = _kind_by_name(path)
    if kind is None:
        raise UserError(
            f"{path.name} is not a kind of file that dfgui reads.",
            f"Its name ends in {path.suffix or 'nothing'}.",
            "Use .jsonl, .json, .csv, .parquet or .txt; all but .parquet may be gzipped (.gz).",
        )
    return _kind_of_json(path, kind) if kind in ("json", "jsonl") else kind


def _kind_by_name(path: Path) -> str | None:
    plain = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    kind = KINDS.get(plain.suffix.lower())
    return None if kind == "parquet" and plain != path else kind


def inside(folder: Path) -> list[Path]:
    """The files of a folder that hold rows, by name; hidden ones and those in folders below are left alone."""
    found = (path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return sorted(path for path in found if _kind_by_name(path) and path.stat().st_size)


def scan(path: Path, kind: str) -> Numbered:
    """(number, row) for each row of the file; in place of a row that cannot be read, what is wrong with it.

    Raises UserError naming the place after which nothing can be read.
    """
    readers = {"jsonl": _read_jsonl, "json": _read_json, "csv": _read_csv, "txt": _read_txt, "parquet": _read_parquet}
    try:
        yield from readers[kind](path)
    except UnicodeDecodeError as error:
        raise _wrong_encoding(path) from error
    except (OSError, EOFError) as error:  # gzip's BadGzipFile is an OSError, a file cut short an EOFError
        raise _unreadable(path, error) from error


def read_line(path: Path, kind: str, number: int) -> dict | None:
    """The row on one line of a .jsonl or .txt file, without parsing those before it. None when there is none."""
    parse = {"jsonl": _json_line, "txt": _text_line}[kind]
    try:
        with _open(path) as file:
            line = next((line for at, line in enumerate(file, start=1) if at == number), b"")
    except (OSError, EOFError) as error:
        raise _unreadable(path, error) from error
    return parse(path, number, line) if line.strip() else None


def count(path: Path, kind: str) -> int:
    """How many rows there are, as cheaply as the kind of file allows."""
    if kind == "parquet":
        return _parquet(path).metadata.num_rows
    if kind not in ("jsonl", "txt"):
        return sum(1 for _ in scan(path, kind))
    try:
        with _open(path) as file:
            return sum(1 for line in file if line.strip())
    except (OSError, EOFError) as error:
        raise _unreadable(path, error) from error


def _kind_of_json(path: Path, kind: str) -> str:
    """Files are not always what their name says: .jsonl may hold one list, .json an object a line."""
    try:
        with _open(path) as file:
            start = file.read(4096).removeprefix(BOM).lstrip()[:1]
            file.seek(0)
            first = next((line for line in file if line.strip()), b"") if start == b"{" and kind == "json" else b""
    except (OSError, EOFError) as error:
        raise _unreadable(path, error) from error
    if start == b"[":
        return "json"
    if not first:
        return kind
    try:
        row = json.loads(first.removeprefix(BOM))
    except (ValueError, RecursionError):
        return "json"
    return "json" if isinstance(row.get("data"), list) else "jsonl"


def _read_json(path: Path) -> Numbered:
    with _open(path) as file:
        yield from enumerate(json_list.rows(file, path.name), start=1)


def _read_jsonl(path: Path) -> Numbered:
    with _open(path) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, _or_error(_json_line, path, number, line)


def _or_error(parse: Callable[..., dict], *line: Any) -> dict | UserError:
    try:
        return parse(*line)
    except UserError as error:
        return error.with_traceback(None)


def _json_line(path: Path, number: int, line: bytes) -> dict:
    try:
        row = json.loads(_decode(path, number, line))
    except (json.JSONDecodeError, RecursionError) as error:
        words = (
            f"{error.msg.removesuffix(' at')} at column {error.colno}"
            if isinstance(error, json.JSONDecodeError)
            else "nested too deeply"
        )
        raise UserError(
            f"Line {number} is not JSON.",
            f"In {path.name}: {words}.",
            "Correct or delete this line: each is one object.",
        ) from error
    if not isinstance(row, dict):
        raise UserError(
            f"Line {number} is not a row.",
            f"In {path.name} it reads {json.dumps(row)[:60]}.",
            "Each line is one object in braces.",
        )
    return row


def _read_txt(path: Path) -> Numbered:
    with _open(path) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, _or_error(_text_line, path, number, line)


def _text_line(path: Path, number: int, line: bytes) -> dict:
    return {"text": _decode(path, number, line).rstrip("\r\n")}


def _read_csv(path: Path) -> Numbered:
    csv.field_size_limit(1 << 30)  # the default refuses a field above 128 KB
    with _open(path) as file:
        lines = (_decode(path, number, line) for number, line in enumerate(file, start=1))
        header = next((line for line in lines if line.strip()), "")
        columns = next(csv.reader([header], delimiter=_delimiter(header)), [])
        fields_of_rows = filter(None, _fields(path, csv.reader(lines, delimiter=_delimiter(header))))
        for number, fields in enumerate(fields_of_rows, start=1):
            if len(fields) <= len(columns):
                yield number, dict(zip(columns, fields, strict=False))
            else:
                yield (
                    number,
                    UserError(
                        f"Row {number} has {len(fields)} fields, the header {len(columns)}.",
                        f"In {path.name} some text with a comma or a line break may lack its quotes.",
                        "Put such text in double quotes.",
                    ),
                )


def _fields(path: Path, reader: Any) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise UserError(
            f"{path.name} is not CSV after line {reader.line_num}.", f"{error}.", "Correct it there, or save it again."
        ) from error


def _delimiter(header: str) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    return max(",;\t|", key=bare.count)


def _read_parquet(path: Path) -> Numbered:
    from pyarrow import ArrowException

    try:
        batches = _parquet(path).iter_batches(batch_size=256)
        yield from enumerate((row for batch in batches for row in batch.to_pylist()), start=1)
    except ArrowException as error:
        raise _not_parquet(path, error) from error


def _parquet(path: Path) -> Any:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        return ParquetFile(path)
    except ArrowException as error:
        raise _not_parquet(path, error) from error


def _not_parquet(path: Path, error: Exception) -> UserError:
    return UserError(f"{path.name} is not Parquet.", f"{error}", "Check the file, or save it again.")


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def _decode(path: Path, number: int, line: bytes) -> str:
    if number == 1:
        line = line.removeprefix(BOM)
    if b"\0" in line:
        raise _wrong_encoding(path)
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _wrong_encoding(path, f" in line {number}") from error


def _wrong_encoding(path: Path, where: str = "") -> UserError:
    return UserError(
        f"{path.name} is not text in UTF-8{where}.",
        "It may be a binary file, or saved in another encoding.",
        "Save it as UTF-8.",
    )


def _unreadable(path: Path, error: Exception) -> UserError:
    return UserError(f"{path.name} cannot be read.", f"{error}.", "Check the file and its permissions.")
