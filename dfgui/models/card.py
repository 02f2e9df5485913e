"""What a model is, before it is chosen: how large, how long its context, whether it chats, and whether it can be used.

    card = look("Qwen/Qwen3-0.6B", None, settings)
    card.parameters, card.context     751632384, 40960
    card.template, card.tools         True, True

Of a model of the Hub only its config and its chat template are fetched, which are small. What is on this machine is
looked at here, also when the Hub cannot be reached: `card.silence` says why it was not asked.
"""

import json
import re
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import cache as remembered
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any, Literal

from dfgui.errors import UserError
from dfgui.models import cache, demo, earlier, headers, hub, load
from dfgui.settings import Settings

CONFIG = "config.json"
TEMPLATES = ("tokenizer_config.json", "chat_template.jinja", "chat_template.json")
LENGTHS = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length")  # of a config, in tokens
TOOLS = re.compile(r"\btools\b")


@dataclass(frozen=True)
class Card:
    name: str
    kind: Literal["demo", "folder", "run", "hub"]
    revision: str | None = None  # as it was asked for
    commit: str = ""  # what that stands for now; "" for what is not of the Hub
    here: bool = False  # its weights are on this machine
    begun: int = 0  # bytes of a download that broke off
    safetensors: bool = False
    parameters: int | None = None
    bytes: int | None = None  # on the disk where it is here, else of the download
    context: int | None = None  # tokens
    template: bool | None = None  # whether it has a chat template; None where that is not known
    tools: bool = False  # whether the template speaks of tools
    licence: str = ""
    gated: bool = False  # its terms have to be accepted
    closed: bool = False  # the Hub did not let this visitor read it
    private: bool = False
    code: Literal["", "unused", "needed"] = ""  # that it brings along
    writes_text: bool | None = None
    page: str = ""  # on the Hub
    title: str = ""  # of an earlier run
    silence: UserError | None = None  # why the Hub was not asked

    @property
    def usable(self) -> bool:
        return self.safetensors and not self.closed and self.code != "needed" and self.writes_text is not False


def look(name: str, revision: str | None, settings: Settings) -> Card:
    """Raises UserError where there is no such model, or no such revision of it."""
    if name == "demo":
        return _of_folder(Card("demo", "demo", licence="apache-2.0"), demo.BASE)
    if found := earlier.find(name, settings):
        return _of_run(Card(name, "run", title=found.title), found, settings)
    place = load.locate(name, settings)
    if load.is_folder(name):
        return _of_folder(Card(name, "folder"), Path(place))
    return _of_hub(Card(name, "hub", revision, page=f"{settings.hub_url}/{name}"), settings)


def _of_run(card: Card, found: earlier.Earlier, settings: Settings) -> Card:
    """A checkpoint of an adapter is as large and as long as the model it works on, and speaks as it was trained to."""
    if found.kind == "full":
        return _of_folder(card, found.folder)
    base = found.base if found.base.is_dir() else None
    if base is None:
        origin = look(found.origin.name, found.origin.revision, settings)
        card = replace(origin, name=card.name, kind="run", title=card.title)
    else:
        card = _of_folder(card, base)
    return replace(card, **_spoken(found.folder))


def _of_folder(card: Card, folder: Path) -> Card:
    """A model that lies in a folder, with its weights."""
    here = cache.whole(folder)
    read = [one for one in (headers.tensors(file) for file in headers.files(folder)) if one] if here else []
    return replace(
        card,
        here=here,
        safetensors=bool(read),
        parameters=sum(prod(tensor["shape"]) for one in read for tensor in one.values()) if read else None,
        bytes=cache.weights_bytes(folder) if read else None,
        **_configured(cache.config(folder)),
        **_spoken(folder),
    )


def _of_hub(card: Card, settings: Settings) -> Card:
    try:
        found = hub.look(card.name, card.revision, settings)
    except hub.Silence as error:
        return _of_cache(replace(card, silence=error), error)
    card = replace(
        card,
        commit=found.commit,
        begun=cache.begun(card.name),
        safetensors=found.safetensors,
        parameters=found.parameters,
        bytes=_download(found),
        licence=found.licence,
        gated=found.gated,
        private=found.private,
    )
    folder = _small_files(card, found, settings)
    if folder is None:
        return replace(card, closed=True)
    if cache.whole(folder):
        card = replace(_of_folder(card, folder), begun=0)
    return replace(card, **_configured(cache.config(folder)), **_spoken(folder))


def _of_cache(card: Card, error: UserError) -> Card:
    folder = cache.folder(card.name, card.revision)
    if folder is None:
        raise error
    return replace(_of_folder(card, folder), commit=folder.name, begun=cache.begun(card.name))


def _download(found: hub.Found) -> int | None:
    """Bytes of the files that a run fetches."""
    if not found.files:
        return found.bytes
    return sum(size for name, size in found.files.items() if any(fnmatch(name, kind) for kind in hub.MODEL_FILES))


def _small_files(card: Card, found: hub.Found, settings: Settings) -> Path | None:
    """The folder with the config and the chat template of a commit; None where the Hub keeps them from this visitor."""
    from httpx import TransportError
    from huggingface_hub import errors, hf_hub_download

    wanted = [name for name in (CONFIG, *TEMPLATES) if name in (found.files or {})]
    asked: dict[str, Any] = {"revision": card.revision, "token": settings.hub_token, "endpoint": settings.hub_url}
    try:
        got = [Path(hf_hub_download(card.name, name, **asked)) for name in wanted]
    except (errors.GatedRepoError, errors.RepositoryNotFoundError):
        return None
    except (OSError, TransportError, errors.HfHubHTTPError) as error:
        raise hub.unreached() from error
    if not got:
        raise UserError(
            f"{card.name} is no model that can be trained here.", "It has no config.json.", "Choose another model."
        )
    return got[0].parent


def _configured(config: dict[str, Any]) -> dict[str, Any]:
    """What config.json tells."""
    parts = [config, config.get("text_config") or {}]
    lengths = [part[name] for part in parts for name in LENGTHS if isinstance(part.get(name), int)]
    own_code = bool(config.get("auto_map"))
    known = str(config.get("model_type")) in _kinds()
    return {
        "context": lengths[0] if lengths else None,
        "code": "" if not own_code else "unused" if known else "needed",
        "writes_text": cache.writes_text(config) if config.get("architectures") else None,
    }


def _spoken(folder: Path) -> dict[str, Any]:
    """Whether a chat template lies in a folder, and whether it speaks of tools."""
    text = _template(folder)
    return {"template": bool(text), "tools": bool(TOOLS.search(text))}


def _template(folder: Path) -> str:
    """The text of a chat template, wherever it is kept; "" where there is none."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8", errors="replace")
    for name in ("chat_template.json", "tokenizer_config.json"):
        try:
            kept = json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if template := kept.get("chat_template") if isinstance(kept, dict) else None:
            return template if isinstance(template, str) else json.dumps(template)  # several have names
    return ""


@remembered
def _kinds() -> frozenset[str]:
    """The model types that transformers knows by itself, read from its list without importing it."""
    spec = find_spec("transformers")
    assert spec and spec.origin
    auto = Path(spec.origin).parent / "models" / "auto"
    lists = [auto / name for name in ("auto_mappings.py", "configuration_auto.py")]
    text = "".join(file.read_text(encoding="utf-8") for file in lists if file.is_file())
    return frozenset(re.findall(r'\("([\w-]+)", "\w+Config"\)', text))
