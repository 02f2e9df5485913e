"""A checkpoint that a run has saved, with what is needed to bring it back to life."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dfgui.actions.runs import checked
from dfgui.config import EARLIER
from dfgui.errors import UserError
from dfgui.models import earlier
from dfgui.settings import Settings
from dfgui.store import Store


@dataclass(frozen=True)
class Saved:
    run: dict[str, Any]
    step: int
    folder: Path
    kind: str  # adapter or full
    base: str  # the folder of the model it was trained from
    dtype: str  # in which the run held its weights

    @property
    def base_name(self) -> str:
        return base_name(self.run)


def base_name(row: dict[str, Any]) -> str:
    """What to call a run's base elsewhere: its Hub id, or the folder it lies in here."""
    name = earlier.origin(row).name
    return row["facts"].get("base", name) if name == "demo" or EARLIER.fullmatch(name) else name


def saved(settings: Settings, run: str, step: int) -> Saved:
    """The checkpoint of a run at a step. Raises UserError when it is not there."""
    store = Store(settings.store_path)
    row = store.runs.get(checked(run))
    checkpoint = store.checkpoints.get(run, step)
    folder = settings.run_folder(run) / checkpoint["path"]
    if not folder.is_dir():
        raise UserError(
            f"Checkpoint {step} is no longer on the disk.",
            f"Its folder {folder.name} was moved or deleted.",
            "Choose another checkpoint.",
        )
    return Saved(row, step, folder, checkpoint["kind"], row["facts"]["base"], row["facts"]["dtype"])
