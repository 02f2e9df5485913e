"""Whether the weights in a folder are what they say: whole, all there, and in this folder.

    files = require("me/model", folder, settings)

Raises UserError before anything of a model is loaded. What only loading shows (weights of another shape, code that a
model brings along, weights that are not there) is put in words by `refusal` and `require_all_there`.
"""

from pathlib import Path
from typing import Any

from dfgui.errors import UserError
from dfgui.models import headers
from dfgui.models.headers import INDEX
from dfgui.settings import Settings


def require(name: str, folder: Path, settings: Settings) -> list[Path]:
    """The files of its weights. For a visitor, what a link points to must be readable too."""
    for named in headers.named_by_index(folder):
        if Path(named).name != named:
            raise _refused(
                name, f"{INDEX} names {named!r}, which is no file of this folder.", "Use a folder you trust."
            )
        if not (folder / named).is_file():
            raise _refused(name, f"{named} is missing: {INDEX} names it.", "Copy or download the rest of it.")
    files = headers.files(folder)
    if not files:
        why = "It has no model.safetensors and no index of several; other formats can carry code and are not read."
        raise _refused(name, why, "Choose a model with safetensors weights, or convert it.")
    for file in files:
        if file.is_symlink() and not folder.is_relative_to(_cache()):
            settings.may_read(file.resolve())
        if not headers.is_whole(file):
            raise _refused(
                name, f"{file.name} is cut short or is no safetensors file.", "Copy or download it again, whole."
            )
    return files


def _cache() -> Path:
    """Where the Hub's own client keeps files, as links."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE).resolve()


def refusal(name: str, error: Exception) -> UserError | None:
    """What transformers said while it loaded a model, in words; None for what is not about its files."""
    said = str(error)
    if "custom code" in said or "trust_remote_code" in said:
        return _refused(
            name, "It brings code of its own, which is not run here.", "Choose a model that transformers knows."
        )
    if "ignore_mismatched_sizes" in said:
        why = "Its weights have other shapes than its config.json says."
        return _refused(name, why, "Use the config.json and the weights of one model.")
    return None


def require_all_there(name: str, found: dict[str, Any]) -> None:
    """Raises UserError where weights were not in the files: transformers would begin them at random, in silence."""
    if missing := sorted(found["missing_keys"]):
        few = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        raise _refused(name, f"Its files lack {few}.", "Copy or download the rest, or choose another model.")


def _refused(name: str, why: str, do: str) -> UserError:
    return UserError(f"The model {name} cannot be loaded.", why, do, field="model.name")
