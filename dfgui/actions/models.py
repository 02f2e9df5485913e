"""Picking a model: what there is to pick from, what one is, and whether a run with it fits here.

offered(settings)                                Offered(first=[...], here=[...], runs=[...], used=[...])
look(settings, "Qwen/Qwen3-0.6B", "main")        a Card
fits(settings, "Qwen/Qwen3-0.6B", None, {"training.max_length": 1024})      with what differs from the defaults
"""

from dataclasses import dataclass
from typing import Any

from dfgui import recipe
from dfgui.config import EARLIER, RunConfig
from dfgui.errors import UserError
from dfgui.models import cache, card, catalog, hardware, hub, load
from dfgui.models.cache import Cached
from dfgui.models.card import Card
from dfgui.models.catalog import Offer
from dfgui.models.download import Download, Downloads
from dfgui.settings import Settings
from dfgui.store import Store
from dfgui.training.preflight.fit import Fit, fit

SHOWN = 12  # of what earlier runs made, and of what they began from
LONGEST = 200  # characters of a search


@dataclass(frozen=True)
class Offered:
    """What can be picked without asking anybody, besides the demo."""

    first: list[Offer]
    here: list[Cached]
    runs: list[tuple[dict[str, Any], int]]  # an earlier run, and the step of a checkpoint of it
    used: list[str]  # models that earlier runs began from


def offered(settings: Settings) -> Offered:
    store = Store(settings.store_path)
    runs = {run["id"]: run for run in store.runs.all()}
    names = dict.fromkeys(run["config"]["model"]["name"] for run in runs.values())
    return Offered(
        first=catalog.good_first(hardware.has_4bit()),
        here=cache.all_of(),
        runs=[(runs[run], step) for run, step in made(store, runs)[:SHOWN]],
        used=[name for name in names if name != "demo" and not EARLIER.fullmatch(name)][:SHOWN],
    )


def made(store: Store, runs: dict[str, dict[str, Any]]) -> list[tuple[str, int]]:
    """(run, step) of the best checkpoint of each run, or else of its last; those without one are left out."""
    kept = store.overview.checkpoints()
    return [(run, kept[run]["last" if kept[run]["best"] is None else "best"]) for run in runs if run in kept]


def search(settings: Settings, text: str) -> list[hub.Found]:
    """Models of the Hub, the most downloaded first. Raises UserError where it gives no answer."""
    return hub.search(text.strip()[:LONGEST], settings)


def look(settings: Settings, name: str, revision: str | None = None) -> Card:
    """What a model is. Raises UserError where there is none of that name, or no such revision."""
    model = _run(name, revision, {}).model
    return card.look(model.name, model.revision, settings)


def fits(settings: Settings, name: str, revision: str | None, changes: dict[str, Any], begin: bool = True) -> Fit:
    """`begin`: whether to measure a model that nobody has measured yet, which takes seconds of a processor."""
    try:
        return fit(_run(name, revision, changes), settings, begin)
    except UserError:  # settings or rows that cannot be used: Train says which
        return Fit()


def is_training(settings: Settings) -> bool:
    return bool(Store(settings.store_path).runs.active())


def download(settings: Settings, downloads: Downloads, name: str, revision: str | None) -> Download:
    """Begins to fetch a model's weights, before any run needs them. Raises UserError where that cannot be."""
    model = _run(name, revision, {}).model
    if not hub.is_an_id(model.name) or load.is_folder(model.name):
        raise UserError(f"{name} is not of the Hub.", "There is nothing to download.", "Choose it as it is.")
    if settings.offline:
        raise hub.offline()
    return downloads.begin(model.name, model.revision, settings)


def _run(name: str, revision: str | None, changes: dict[str, Any]) -> RunConfig:
    """What is asked for, in blocks as they are written. Raises UserError."""
    return recipe.parse(recipe.nested({**changes, "model.name": name, "model.revision": revision}))
