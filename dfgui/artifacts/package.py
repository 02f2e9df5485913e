"""A model folder as a zip that is made while it is sent: no copy on disk, and memory for one piece at a time.

    weather-lora/adapter_model.safetensors adapter_config.json tokenizer.json chat_template.jinja USAGE.md ...

Weights are stored as they are, since they do not shrink; text is deflated. Optimizer state and everything else that is
not on the lists below stays at home.
"""

import io
import re
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from dfgui.artifacts import checkpoints

ADAPTER = ["adapter_config.json", "adapter_model*.safetensors", "adapter_model*.safetensors.index.json"]
MODEL = ["config.json", "generation_config.json", "model*.safetensors", "model*.safetensors.index.json"]
TOKENIZER = [
    *("tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab*", "merges.txt", "*.model", "tekken.json"),
    *("chat_template.*", "additional_chat_templates/*.jinja", "preprocessor_config.json", "processor_config.json"),
]
WORDS = ["USAGE.md", "LICENSE*"]  # PEFT's README.md is an unfilled form that names folders of this machine

PACKED = (".safetensors", ".parquet", ".gguf")  # what does not shrink
PIECE = 1 << 20  # bytes read, and so about what one step of the stream holds
Files = Callable[[Path], list[Path]]  # what goes home from a folder
LIMIT = zipfile.ZIP64_LIMIT  # above it an entry needs the 64-bit form


def files_of(folder: Path, kind: checkpoints.Kind | None = None) -> list[Path]:
    """What goes home from a checkpoint or a merged model. `kind` None: looked up."""
    adapter = (kind or checkpoints.kind_of(folder)) == "adapter"
    return [
        *(_matching(folder, ADAPTER) if adapter else model_files(folder)),
        *tokenizer_files(folder),
        *_words(folder),
    ]


def model_files(folder: Path) -> list[Path]:
    return _matching(folder, MODEL)


def tokenizer_files(folder: Path) -> list[Path]:
    return _matching(folder, TOKENIZER)


def everything(folder: Path) -> list[Path]:
    """All files of a folder that was made to be taken home whole."""
    return sorted(file for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def stream(
    folder: Path, extra: dict[str, bytes] | None = None, name: str | None = None, files: Files = files_of
) -> Iterator[bytes]:
    """The zip, piece by piece. `extra` adds files, or replaces those of the same name; `name` is the folder inside."""
    outbox = Outbox()
    with zipfile.ZipFile(outbox, "w") as zipped:
        for info, source in _entries(folder, extra or {}, name, files):
            with source, zipped.open(info, "w") as entry:
                while piece := source.read(PIECE):
                    entry.write(piece)
                    yield outbox.take()
    yield outbox.take()


def zip_size(
    folder: Path, extra: dict[str, bytes] | None = None, name: str | None = None, files: Files = files_of
) -> int:
    """Bytes that `stream` will yield, so that a browser can show how much is left. Compresses the text to know."""
    position = directory = 0
    for info, source in _entries(folder, extra or {}, name, files):
        with source:
            stored = _stored_bytes(info, source)
        path = len(info.filename.encode())
        large, far = info.file_size > LIMIT, position > LIMIT
        wide = info.file_size * 1.05 > LIMIT  # zipfile is careful: compressing can make a file longer
        directory += 46 + path + (4 if large or far else 0) + (16 if large else 0) + (8 if far else 0)
        position += 30 + path + stored + (20 + 24 if wide else 16)  # header, name, data, sizes and checksum after it
    return position + directory + (22 if position <= LIMIT else 22 + 56 + 20)


class Outbox(io.RawIOBase):
    """What zipfile writes, until it is taken. It cannot seek, so zipfile writes sizes and checksums behind the data."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self.pieces = b"".join(self.pieces), []
        return taken


def _entries(
    folder: Path, extra: dict[str, bytes], name: str | None, files: Files
) -> Iterator[tuple[zipfile.ZipInfo, io.BufferedIOBase]]:
    top = re.sub(r"[^\w.-]+", "-", name or folder.name).strip("-.") or "model"
    for file in files(folder):
        inside = file.relative_to(folder).as_posix()
        if inside not in extra:
            info = zipfile.ZipInfo.from_file(file, f"{top}/{inside}", strict_timestamps=False)
            info.compress_type = zipfile.ZIP_STORED if file.suffix in PACKED else zipfile.ZIP_DEFLATED
            yield info, file.open("rb")
    for inside, content in extra.items():
        info = zipfile.ZipInfo(f"{top}/{inside}", time.localtime()[:6])
        info.compress_type, info.file_size, info.external_attr = zipfile.ZIP_DEFLATED, len(content), 0o644 << 16
        yield info, io.BytesIO(content)


def _stored_bytes(info: zipfile.ZipInfo, source: io.BufferedIOBase) -> int:
    if info.compress_type == zipfile.ZIP_STORED:
        return info.file_size
    deflate = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -15)  # as zipfile does
    return sum(len(deflate.compress(piece)) for piece in iter(lambda: source.read(PIECE), b"")) + len(deflate.flush())


def _words(folder: Path) -> list[Path]:
    return _matching(folder, WORDS)


def _matching(folder: Path, patterns: list[str]) -> list[Path]:
    found = {file for pattern in patterns for file in folder.glob(pattern)}
    return sorted(file for file in found if file.is_file() and not file.is_symlink())
