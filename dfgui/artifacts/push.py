"""A folder goes to the Hub: a repository of one's own, private unless asked otherwise.

push(Path("weather"), "me/weather-lora", token, private=True, ...)   ->  "https://huggingface.co/me/weather-lora"
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dfgui import words
from dfgui.errors import UserError

TOLD_SECONDS = 0.5  # between two words about how much has gone
COUNTED_TWICE = "New Data Upload"  # a second bar of the Hub's client for bytes that its first one counts

Say = Callable[[str], None]


def push(folder: Path, repo: str, token: str | None, private: bool, message: str, tell: Say | None = None) -> str:
    """Uploads all files of `folder`; makes the repository where there is none. Returns its address.

    An existing repository keeps its visibility. `tell` hears how much has gone. Raises UserError in words for what the
    Hub refuses.
    """
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError, OfflineModeIsEnabled

    hub = HfApi(token=token)
    try:
        address = hub.create_repo(repo, private=private, exist_ok=True)
        with _counted(folder, tell):
            hub.upload_folder(folder_path=folder, repo_id=address.repo_id, commit_message=message)
    except HFValidationError as error:
        raise UserError(
            f"{repo!r} is no name for a repository.", "It reads owner/name.", "Choose another name."
        ) from error
    except LocalTokenNotFoundError as error:
        raise _without_token() from error
    except (OfflineModeIsEnabled, httpx.TransportError) as error:
        why = "HF_HUB_OFFLINE is set." if isinstance(error, OfflineModeIsEnabled) else str(error)[:200]
        raise UserError("The Hub cannot be reached.", why, "Try again when it can.") from error
    except HfHubHTTPError as error:
        raise _refused(repo, error.response.status_code, token, error.server_message or str(error)) from error
    return str(address)


@contextmanager
def _counted(folder: Path, tell: Say | None) -> Iterator[None]:
    """Says how much has gone, by what moves the progress bars of the Hub's client, which has no other way to tell."""
    from huggingface_hub.utils import tqdm

    total = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    gone, over, before = [0], threading.Event(), tqdm.update

    def update(bar: Any, count: float | None = 1) -> Any:
        if getattr(bar, "unit", "") == "B" and not str(getattr(bar, "desc", "")).startswith(COUNTED_TWICE):
            gone[0] = min(gone[0] + int(count or 0), total)
        return before(bar, count)

    tqdm.update = update
    if tell:
        threading.Thread(target=_tell, args=(tell, gone, total, over), daemon=True).start()
    try:
        yield
    finally:
        over.set()
        tqdm.update = before


def _tell(tell: Say, gone: list[int], total: int, over: threading.Event) -> None:
    told = 0
    while not over.wait(TOLD_SECONDS):
        if gone[0] != told:
            told = gone[0]
            tell(f"uploading {words.size(told)} of {words.size(total)}")


def _refused(repo: str, status: int, token: str | None, said: str) -> UserError:
    if status == 401 and not token:
        return _without_token()
    if status in (401, 403):
        why = "Its token may be read-only, or the name may belong to somebody else."
        return UserError(
            f"The Hub did not let this account write {repo}.", why, "Use a token that may write, or your own name."
        )
    return UserError(
        f"The Hub did not take {repo}.",
        said.strip().splitlines()[0][:300] if said.strip() else f"It said {status}.",
        "Try again later.",
    )


def _without_token() -> UserError:
    return UserError(
        "The Hub has to know who you are.", "No token is set.", "Set HF_TOKEN to one that may write, and try again."
    )
