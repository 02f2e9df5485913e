"""Times, sizes and numbers as people say them: "6 min left", "31 MB", "2e-4".

Sizes are counted as disks count them: 1 MB is 1,000,000 bytes.
"""

import time
from collections.abc import Sequence
from typing import Any

NOTHING = "–"

STATUS = {  # status of a run -> what a newcomer reads
    "queued": "waiting",
    "preparing": "preparing",
    "running": "running",
    "stopping": "stopping",
    "finished": "finished",
    "stopped": "stopped",
    "failed": "failed",
    "interrupted": "interrupted",
}


def duration(seconds: float | None) -> str:
    """About how long: "8 s", "6 min", "2 h 10 min", "3 days 4 h"."""
    if seconds is None:
        return NOTHING
    if seconds < 99.5:
        return f"{max(round(seconds), 0)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} h" if hours else f"{days} days"


def clock(seconds: float | None) -> str:
    """Exactly how long: "0:06:12"."""
    if seconds is None:
        return NOTHING
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def ago(moment: float | None, now: float) -> str:
    """How long since: "just now", "6 min ago"."""
    if moment is None:
        return NOTHING
    return "just now" if now - moment < 10 else f"{duration(now - moment)} ago"


def moment(seconds: float | None) -> str:
    """A point in time in the server's own zone: "2026-11-22 14:03:10"."""
    return NOTHING if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def size(count: float | None) -> str:
    """Bytes as disks count them: "512 bytes", "31 MB", "1.2 GB"."""
    if count is None:
        return NOTHING
    if count < 1000:
        return f"{count:.0f} bytes"
    for unit in ("KB", "MB", "GB", "TB"):
        count /= 1000
        if count < 999.5 or unit == "TB":
            break
    return f"{count:.1f} {unit}" if count < 9.95 else f"{count:.0f} {unit}"


def memory(count: float) -> str:
    """Bytes of memory to a tenth of a GB, since what is needed and what is free may lie close together: "15.9 GB"."""
    if count >= 1e12:
        return f"{count / 1e9:,.0f} GB"
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def whole(count: int | None) -> str:
    """A count with thousands apart: "12,345"."""
    return NOTHING if count is None else f"{count:,}"


def short(count: float | None) -> str:
    """A count where there is little room: "940", "12k", "3.4M"."""
    if count is None:
        return NOTHING
    if abs(count) < 1000:
        return f"{count:g}"
    for unit in ("k", "M", "G"):
        count /= 1000
        if abs(count) < 999.5 or unit == "G":
            break
    return f"{count:.1f}{unit}" if abs(count) < 9.95 else f"{count:.0f}{unit}"


def number(value: float | None, digits: int = 3) -> str:
    """A measured value to `digits` significant digits: "0.713", "2.40", "2e-4"."""
    if value is None:
        return NOTHING
    if value == 0:
        return "0"
    if 1e-2 <= abs(value) < 1e5:
        decimals = max(digits - 1 - _magnitude(value), 0)
        return f"{value:,.{decimals}f}"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}"


def share(part: float | None) -> str:
    """A share of one: "87.4 %"."""
    return NOTHING if part is None else f"{100 * part:.1f} %"


def counted(count: int, one: str) -> str:
    """ "1 checkpoint", "4 checkpoints"."""
    return f"{whole(count)} {one}{'' if count == 1 else 's'}"


def listed(parts: Sequence[str]) -> str:
    """ "batch 1 x 16, adamw_8bit and checkpointing"; "" for none."""
    *most, last = parts or [""]
    return f"{', '.join(most)} and {last}" if most else last


def deleted(gone: list[dict[str, Any]]) -> str:
    """What was deleted: "weather-lora and its 4 checkpoints, 124 MB, are deleted"."""
    names = gone[0]["name"] if len(gone) == 1 else counted(len(gone), "run")
    kept = sum(one["checkpoints"] for one in gone)
    left = f" and {'its' if len(gone) == 1 else 'their'} {counted(kept, 'checkpoint')}" if kept else ""
    are = "are" if left or len(gone) > 1 else "is"
    return f"{names}{left}, {size(sum(one['bytes'] for one in gone))}, {are} deleted"


def ordinal(count: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = "th" if count % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"


def _magnitude(value: float) -> int:
    return int(f"{abs(value):e}".split("e")[1])
