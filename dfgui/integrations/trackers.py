"""Where a run is written down besides dfgui: TensorBoard files, W&B, Trackio, DeepFabric.

    trackers: [tensorboard, wandb]

The first three are SFTConfig's `report_to`: transformers brings a callback for each, and training/tracking.py stands
between it and the training. Here is what they need, and where to look at what they have written.
"""

import netrc
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from dfgui.config import RunConfig
from dfgui.settings import Settings

TITLES = {"tensorboard": "TensorBoard", "wandb": "W&B", "trackio": "Trackio", "deepfabric": "DeepFabric"}
PACKAGES = ("tensorboard", "wandb", "trackio")  # of the same names; DeepFabric needs none


@dataclass(frozen=True)
class Lack:
    """What a tracker wants and has not: `stop` keeps the run from starting, `warn` does not."""

    kind: Literal["stop", "warn"]
    what: str
    why: str
    do: str


def lacks(run: RunConfig, settings: Settings) -> Iterator[Lack]:
    """What keeps this run's trackers from working here."""
    for name in PACKAGES:
        if name in run.trackers and find_spec(name) is None:
            yield Lack(
                "stop",
                f"{TITLES[name]} is not installed.",
                f"trackers names {name}, and its package is missing.",
                f"Install it with `pip install {name}`, or leave {name} out of trackers.",
            )
    if "wandb" in run.trackers and not _wandb_lets_in(settings):
        yield Lack(
            "stop",
            "W&B has no key.",
            "It would ask for one, and nobody could answer.",
            "Set WANDB_API_KEY, give a key under Connections, or set WANDB_MODE=offline.",
        )
    if "deepfabric" in run.trackers and (missing := settings.deepfabric.missing):
        yield Lack(
            "warn",
            "DeepFabric is off.",
            f"It has no {missing}: the run's events wait in the store until there is one.",
            "Give what is missing under Connections, or set DEEPFABRIC_API_KEY and DEEPFABRIC_PIPELINE_ID.",
        )


def report_to(run: RunConfig, folder: Path) -> dict[str, Any]:
    """SFTConfig's arguments for the trackers of a run whose folder this is."""
    names = [name for name in PACKAGES if name in run.trackers]
    if "trackio" in names:  # it reads its folder when it is imported; one for all runs, so that they can be compared
        os.environ.setdefault("TRACKIO_DIR", str(_trackio_folder(folder)))
    # The id makes the name unlike any other: Trackio takes runs of one name for one run.
    return {"report_to": names, "run_name": f"{run.title()}-{folder.name}", "project": "dfgui"} if names else {}


def places(run: RunConfig, folder: Path, settings: Settings) -> dict[str, str]:
    """Where to look at what each tracker writes: {"TensorBoard": "tensorboard --logdir /home/.../tensorboard"}."""
    own = {
        "tensorboard": f"tensorboard --logdir {shlex.quote(str(folder / 'tensorboard'))}",
        "wandb": f"{folder / 'wandb'}" if settings.wandb.offline else "its page, named here once it is open",
        "trackio": f"TRACKIO_DIR={shlex.quote(os.environ.get('TRACKIO_DIR', ''))} trackio show --project dfgui",
        "deepfabric": f"{settings.deepfabric.url}, pipeline {settings.deepfabric.pipeline_id or 'not set'}",
    }
    return {title: own[name] for name, title in TITLES.items() if name in run.trackers}


def _trackio_folder(folder: Path) -> Path:
    return folder.parent.parent / "trackio"


def _wandb_lets_in(settings: Settings) -> bool:
    return settings.wandb.offline or bool(settings.wandb.key) or wandb_login(settings)


def wandb_login(settings: Settings) -> bool:
    """Whether `wandb login` has kept a key here."""
    try:
        known = netrc.netrc(os.environ.get("NETRC"))
        return known.authenticators(urlsplit(settings.wandb.url).hostname or "") is not None
    except (OSError, netrc.NetrcParseError):
        return False
