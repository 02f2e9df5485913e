"""Where the home and its volume are, and what a visitor should know about it."""

import hashlib
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from dfgui.errors import UserError
from dfgui.integrations.space.files import STATE, note, read_json
from dfgui.integrations.space.restore import restore
from dfgui.settings import Settings, make_folders
from dfgui.store import probe

SPACE_VOLUME = Path("/data")


def place(settings: Settings) -> Settings:
    """The settings to work with: a home on a disk that SQLite can live on, filled from the volume if there is one.

    Call it before the store is opened. Where there is no volume and the home is sound it changes nothing. Raises
    UserError when the volume cannot be written or what lies on it cannot be brought home.
    """
    volume = settings.volume or _volume_of_the_space(settings)
    reason = _why_not_here(settings.home, volume)
    if reason:
        volume = volume or settings.home
        settings = replace(settings, home=_local_home(settings.home))
        make_folders(settings)
    settings = replace(settings, volume=volume)
    if volume is not None:
        _require_writable(volume)
        note(settings.home, reason=reason, error=None)
        restore(settings, volume)
    return settings


def notice(settings: Settings) -> str | None:
    """What to tell a visitor: that nothing here is kept, where it is copied to, or that copying fails."""
    if settings.volume is None:
        return NOTHING_KEPT if settings.space_id else None
    state = read_json(settings.home / STATE)
    if state.get("error"):
        return f"The last copy to {settings.volume} failed: {state['error']} Download what you need."
    if state.get("reason"):
        return f"{state['reason']} So dfgui works in {settings.home} and copies to {settings.volume} every minute."
    return None


NOTHING_KEPT = (
    "This Space has no volume: its runs and models are lost when it restarts or sleeps. "
    "Download what you need, or mount storage at /data in the Space's settings."
)


def _volume_of_the_space(settings: Settings) -> Path | None:
    usable = settings.space_id and SPACE_VOLUME.is_dir() and os.access(SPACE_VOLUME, os.W_OK)
    return SPACE_VOLUME if usable else None


def _why_not_here(home: Path, volume: Path | None) -> str | None:
    """Why the store cannot live in this home, as a sentence, or None."""
    if volume is not None and home.is_relative_to(volume.resolve()):
        return f"The home {home} lies on the volume, where a database would be damaged."
    trouble = probe.trouble(home)
    return f"The disk of the home {home} {trouble}." if trouble else None


def _local_home(home: Path) -> Path:
    """A folder of this user alone on the machine's own disk, the same one for the same home each time."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    mark = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"dfgui-{user}-{mark}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and folder.stat().st_uid != user:
        raise UserError(f"{folder} belongs to somebody else.", "dfgui would work there.", "Remove it or set TMPDIR.")
    return folder


def _require_writable(volume: Path) -> None:
    file = volume / f".probe-{os.getpid()}"
    try:
        file.write_text("")
        file.unlink()
    except OSError as error:
        raise UserError(
            f"The volume {volume} cannot be written.",
            f"{error.strerror or error}.",
            "Mount it so that this user may write there, or set DFGUI_VOLUME to another folder.",
        ) from error
