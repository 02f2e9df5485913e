"""A model's weights fetched into the Hub client's own folder, going on where an earlier attempt broke off.

It may be ended at any moment. The Hub's own client (1.33) begins a file anew each time; here what came stays in
blobs/HASH.incomplete, and the next attempt asks for the rest alone. So weights come by plain HTTP, not by Xet.
"""

import errno
import hashlib
import shutil
import time
from collections.abc import Callable
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from dfgui import config, words
from dfgui.errors import UserError
from dfgui.models import cache, hub
from dfgui.settings import Settings

ATTEMPTS = 3  # in which nothing came, one after the other
PAUSE_SECONDS = 1.0
SPARE_BYTES = 50_000_000  # that a disk keeps free
WEIGHTS = "*.safetensors"

Progress = Callable[[int, int], None]  # bytes done, bytes in all


def weights(model: config.Model, settings: Settings, progress: Progress) -> None:
    """The weights alone, as blobs; the client finds them there. Raises UserError; what has come by then stays."""
    found = hub.look(model.name, model.revision, settings)
    sizes = {name: size for name, size in (found.files or {}).items() if _is_loaded(name)}
    if not sizes:
        raise UserError(
            f"{model.name} has no weights that can be loaded.",
            "There is no *.safetensors file in it; other formats can carry code and are not read.",
            "Choose a model with safetensors weights.",
            field="model.name",
        )
    before, total = 0, sum(sizes.values())
    for name, size in sizes.items():
        File(model.name, name, found.commit, settings).fetch(partial(_beyond, progress, before, total))
        before += size


def _is_loaded(name: str) -> bool:
    return fnmatch(name, WEIGHTS) and "/" not in name and not any(fnmatch(name, one) for one in hub.NOT_LOADED)


def _beyond(progress: Progress, before: int, total: int, done: int) -> None:
    progress(before + done, total)


class File:
    """One file of a commit, on its way into the client's folder."""

    def __init__(self, repo: str, name: str, commit: str, settings: Settings):
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers

        self.repo, self.name = repo, name
        self.url = hf_hub_url(repo, name, revision=commit, endpoint=settings.hub_url)
        self.headers = build_hf_headers(token=settings.hub_token)
        self.settings = settings

    def fetch(self, told: Callable[[int], None]) -> None:
        """Blobs are named by their hash, so that a file which lies there under its own is whole."""
        from huggingface_hub.utils import WeakFileLock

        size, etag = self._look()
        blob = cache.place(self.repo) / "blobs" / etag
        lock = cache.root() / ".locks" / cache.place(self.repo).name / f"{etag}.lock"  # the client's own
        for folder in (blob.parent, lock.parent):
            folder.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(lock):
            if not blob.exists():
                self._into(blob, size, told)
        told(size)

    def _look(self) -> tuple[int, str]:
        """(bytes, hash) of the file."""
        from httpx import TransportError
        from huggingface_hub import errors, get_hf_file_metadata

        try:
            known = get_hf_file_metadata(self.url, token=self.settings.hub_token, timeout=hub.SECONDS)
        except errors.GatedRepoError as error:
            raise hub.gated(self.repo) from error
        except (TransportError, errors.OfflineModeIsEnabled, errors.HfHubHTTPError) as error:
            raise hub.unreached() from error
        assert known.size is not None and known.etag
        return known.size, known.etag

    def _into(self, blob: Path, size: int, told: Callable[[int], None]) -> None:
        part = blob.with_name(f"{blob.name}{cache.UNFINISHED}")
        begun = part.stat().st_size if part.exists() else 0
        if begun > size:
            part.unlink()
            begun = 0
        free = shutil.disk_usage(part.parent).free
        if free < size - begun + SPARE_BYTES:
            raise self._full(size - begun, free)
        try:
            self._rest(part, size, told)
        except OSError as error:
            raise (self._full(size - _length(part), 0) if error.errno == errno.ENOSPC else error) from error
        if begun and len(blob.name) == 64 and _sha256(part) != blob.name:
            part.unlink()
            raise UserError(
                f"{self.name} is not what the Hub has.",
                "What had come earlier does not fit to the rest.",
                "Download it again: it begins anew.",
            )
        part.replace(blob)

    def _rest(self, part: Path, size: int, told: Callable[[int], None]) -> None:
        """Asks for what is missing until all is there; gives up after several attempts in which nothing came."""
        from httpx import TransportError
        from huggingface_hub import errors

        vain = 0
        while (begun := _length(part)) < size:
            told(begun)
            try:
                self._more(part, begun, told)
            except (TransportError, errors.HfHubHTTPError) as error:
                vain = vain + 1 if _length(part) == begun else 0
                if vain == ATTEMPTS:
                    raise self._broken(_length(part), size) from error
                time.sleep(PAUSE_SECONDS)

    def _more(self, part: Path, begun: int, told: Callable[[int], None]) -> None:
        from huggingface_hub import constants
        from huggingface_hub.utils import get_session, hf_raise_for_status

        wanted = {"Range": f"bytes={begun}-"} if begun else {}
        headers = {**self.headers, **wanted, "Accept-Encoding": "identity"}
        with get_session().stream(
            "GET", self.url, headers=headers, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT
        ) as answer:
            hf_raise_for_status(answer)
            with part.open("ab", buffering=0) as file:  # what has come is on the disk, whenever this ends
                if begun and answer.status_code != 206:  # the whole file comes all the same
                    file.truncate(0)
                    begun = 0
                for chunk in answer.iter_raw():
                    file.write(chunk)
                    begun += len(chunk)
                    told(begun)

    def _full(self, missing: int, free: int) -> UserError:
        return UserError(
            "The disk is too full for this download.",
            f"{words.size(missing)} are missing, and {words.size(free)} are free at {cache.root()}.",
            "Free some space, then download it again: it goes on where it stopped.",
        )

    def _broken(self, done: int, size: int) -> UserError:
        return UserError(
            "The connection broke off.",
            f"{words.size(done)} of the {words.size(size)} of {self.name} have come, and are kept.",
            "Download it again when there is a connection: it goes on where it stopped.",
        )


def _length(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
