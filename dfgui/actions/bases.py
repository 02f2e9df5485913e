"""Where the base of a run is now: told by a person, where a folder has moved or a quantised one is to be merged."""

from pathlib import Path
from typing import Any

from dfgui import config
from dfgui.actions.runs import checked
from dfgui.errors import UserError
from dfgui.models import base, load
from dfgui.settings import Settings
from dfgui.store import Store


def name_base(settings: Settings, run: str, model: str) -> dict[str, Any]:
    """Tells where the base of a run is, as a folder or of the Hub: {base, runs}, `runs` being all that use it there.

    Of a run whose base is quantised it is the model in full precision that its adapter is merged into. Every run that
    was trained from the same folder goes on with the new one. Raises UserError where another model lies there.
    """
    store = Store(settings.store_path)
    row = store.runs.get(checked(run))
    folder = load.fetch(config.Model(name=model), settings)
    before = row["facts"]["base"]
    if Path(before).is_dir() and base.is_quantised(Path(before)):
        if base.is_quantised(Path(folder)):
            why = f"What was learned by {row['name']} is merged into a model in full precision."
            raise UserError(f"{model} is quantised as well.", why, "Choose the model that it was made from.")
        base.require_its_source(row, Path(before), Path(folder))
        return {"base": folder, "runs": _told(store, before, {"full_base": folder})}
    base.require_the_same(row, Path(folder))
    return {"base": folder, "runs": _told(store, before, {"base": folder}, model)}


def _told(store: Store, before: str, facts: dict[str, Any], model: str | None = None) -> list[str]:
    """Lays `facts` over those of all runs whose base was at `before`; those that named a folder name `model` now."""
    told = []
    for row in store.runs.all():
        if row["facts"].get("base") != before:
            continue
        store.runs.lay(row["id"], "facts", facts)
        if model and base.is_own_folder(row):
            name = {"name": model, "revision": None}
            if "origin" in row["facts"]:  # what a run keeps of the earlier one whose adapter it trains on
                store.runs.lay(row["id"], "facts", {"origin": name})
            else:  # what a resume reads
                store.runs.lay(row["id"], "config", {"model": name})
        told.append(row["id"])
    return told
