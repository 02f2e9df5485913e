"""A run as a script in plain TRL: its source to look at, or a folder that runs alone.

A run is named by its id, or given as its settings where it has not been started.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from dfgui import recipe
from dfgui.actions.runs import checked, settled
from dfgui.config import RunConfig
from dfgui.models import fastest
from dfgui.settings import Settings
from dfgui.store import Store

Asked = str | RunConfig | dict[str, Any]  # the id of a run, or settings


def source(settings: Settings, asked: Asked) -> str:
    """The train.py of a run, as text. Imports nothing heavy. Raises UserError."""
    from dfgui.training import script as scripting

    config, facts, run, settings = _found(settings, asked)
    return scripting.text(config, scripting.known(config, settings, facts, run))


def script(settings: Settings, asked: Asked, to: Path) -> dict[str, Any]:
    """Writes a folder with train.py and all that it needs: {path, files, bytes}. Raises UserError."""
    from dfgui.training import script as scripting

    config, facts, run, settings = _found(settings, asked)
    path = scripting.write(config, settings, Path(to), facts, run)
    files = sorted(file for file in path.parent.rglob("*") if file.is_file())
    return {
        "path": str(path),
        "files": [file.relative_to(path.parent).as_posix() for file in files],
        "bytes": sum(file.stat().st_size for file in files),
    }


def _found(settings: Settings, asked: Asked) -> tuple[RunConfig, dict[str, Any], str, Settings]:
    """(config, facts, id, settings): a run that was started may read again what it has read.

    What the config leaves open is as the run has chosen it, else as one of it would be here.
    """
    from dfgui.training.preflight import speed

    if not isinstance(asked, str):
        config = asked if isinstance(asked, RunConfig) else recipe.parse(asked)
        config = settled(settings, config)
        return speed.settled(config, settings), {}, "", settings
    row = Store(settings.store_path).runs.get(checked(asked))
    config = fastest.settled(RunConfig.model_validate(row["config"]), row["facts"].get("chosen", {}))
    settings = replace(settings, jailed=False)
    return speed.settled(config, settings), row["facts"], row["id"], settings
