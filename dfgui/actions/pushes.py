"""A checkpoint goes to the Hub, with a card that says what it was made of."""

import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dfgui import recipe
from dfgui.actions.saved import Saved, saved
from dfgui.config import RunConfig
from dfgui.models import base, earlier
from dfgui.settings import Settings
from dfgui.store import Store, owner
from dfgui.training.script.known import is_on_the_hub


def push(
    settings: Settings,
    run: str,
    step: int,
    kind: str,
    repo: str,
    private: bool = True,
    say: Callable[[str], None] | None = None,
    out: Path | None = None,
    tell: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Brings a checkpoint to the Hub as adapter or merged: {url, repo, files, bytes}. Raises UserError.

    `repo`: owner/name, made where it is not there yet: private unless `private` is False. `out`: where the folder that
    goes is made; `tell` hears how much of it has gone.
    """
    from dfgui.artifacts import card, export
    from dfgui.artifacts import push as pushing

    say = say or (lambda words: None)
    found = saved(settings, run, step)
    out = out or settings.exports / owner.folder_name() / f"{run}-{step}-{secrets.token_hex(4)}"
    name = repo.rpartition("/")[2]
    with_it = found.base_name if kind == "adapter" else base.to_merge_into(found.run, settings)
    try:
        with Store(settings.store_path).holds.hold(run, step):
            made = export.export(found.folder, with_it, kind, out, found.dtype, name, say)  # type: ignore[arg-type]
        (out / card.NAME).write_text(card.text(_about(settings, found, kind, name)), encoding="utf-8")
        say("uploading")
        message = f"Checkpoint {step} of {found.run['name']}"
        address = pushing.push(out, repo, settings.hub_token, private, message, tell)
    finally:
        shutil.rmtree(out, ignore_errors=True)
    return {"url": address, "repo": repo, "files": [*made["files"], card.NAME], "bytes": made["bytes"]}


def _about(settings: Settings, found: Saved, kind: str, name: str) -> Any:
    from dfgui.artifacts import card

    store, run = Store(settings.store_path), found.run
    origin = earlier.origin(run)
    on_hub = is_on_the_hub(origin)
    config = RunConfig.model_validate(run["config"])
    scores = [one for one in store.scores.of(run["id"]) if one["state"] == "done" and one["step"] in (0, found.step)]
    return card.About(
        name=name,
        kind=kind,  # type: ignore[arg-type]
        step=found.step,
        base=origin.name if on_hub else Path(origin.name).name,
        base_on_hub=on_hub,
        revision=origin.revision,
        data=_named(config.data.source),
        method=config.method,
        rows=run["facts"].get("train_rows"),
        settings=recipe.to_short_yaml(_without_paths(config)),
        licence=card.licence_of(Path(found.base)),
        losses=[point for point in store.metrics.points(run["id"], "loss") if point[0] <= found.step],
        evaluations=[point for point in store.metrics.points(run["id"], "eval_loss") if point[0] <= found.step],
        scores=scores,
        engine=run["facts"].get("engine", ""),
    )


def _is_path(name: str) -> bool:
    return name.startswith(("/", ".", "~")) or "\\" in name


def _without_paths(config: RunConfig) -> RunConfig:
    """The config with files by their names alone: where they lie here is nobody's business."""
    data, model = config.data, config.model
    plain = {
        "source": _named(data.source),
        "eval_source": _named(data.eval_source) if data.eval_source else data.eval_source,
        "also": [_named(one) for one in data.also],
    }
    return config.model_copy(
        update={"data": data.model_copy(update=plain), "model": model.model_copy(update={"name": _named(model.name)})}
    )


def _named(place: str) -> str:
    return Path(place).name if _is_path(place) else place
