"""What the Hub says of models: a search by name, and what it knows of one before anything of it is fetched.

    search("qwen3", settings)                     [Found("Qwen/Qwen3-0.6B", parameters=751632384, ...), ...]
    look("Qwen/Qwen3-0.6B", "main", settings)     the same of one, with its commit and the sizes of its files

The token is the visitor's own, where there is one. Both raise UserError: offline, out of reach, not there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from dfgui.errors import UserError
from dfgui.settings import Settings

SECONDS = 8  # that an answer may take
MOST = 20  # models found at once
TASK = "text-generation"
ASKED = ["downloads", "gated", "private", "pipeline_tag", "safetensors", "cardData", "tags"]
ID = re.compile(r"[A-Za-z0-9_][\w.-]*/[A-Za-z0-9_][\w.-]*", re.ASCII)
MODEL_FILES = ["*.safetensors", "*.json", "*.jinja", "*.txt", "*.model", "tokenizer*"]  # what is fetched
NOT_LOADED = ["consolidated*", "original/*", "metal/*", "onnx/*"]  # the same weights, as others read them
# Bytes of a weight, by the names of safetensors.
SIZES = {
    **dict.fromkeys(["F64", "I64", "U64"], 8),
    **dict.fromkeys(["F32", "I32", "U32"], 4),
    **dict.fromkeys(["F16", "BF16", "I16", "U16"], 2),
    **dict.fromkeys(["F8_E4M3", "F8_E5M2", "I8", "U8", "BOOL"], 1),
}


class Silence(UserError):
    """The Hub was not asked, or gave no answer: what is on this machine can be chosen all the same."""


@dataclass(frozen=True)
class Found:
    id: str
    task: str = ""
    parameters: int | None = None  # None where the Hub has not counted them
    bytes: int | None = None  # of the weights
    licence: str = ""
    gated: bool = False
    private: bool = False
    downloads: int | None = None  # in the last month
    safetensors: bool = False
    commit: str = ""  # what the revision stands for now; "" in a search
    files: Mapping[str, int] | None = None  # bytes by name; None in a search


def search(text: str, settings: Settings) -> list[Found]:
    """Models that write text and have `text` in their name, the most downloaded first; at most MOST."""
    asked = {"search": text, "pipeline_tag": TASK, "sort": "downloads", "limit": MOST, "expand": ASKED}
    return [_found(one) for one in _answer("", asked, settings)][:MOST]


def look(name: str, revision: str | None, settings: Settings) -> Found:
    """A model at a branch, tag or commit; None is its main branch."""
    at = f"/revision/{quote(revision, safe='')}" if revision else ""
    return _found(_answer(f"/{name}{at}", {"blobs": True}, settings, name, revision))


def _answer(path: str, asked: dict[str, Any], settings: Settings, name: str = "", revision: str | None = None) -> Any:
    """The Hub's JSON: about a model where one is named, else about a search."""
    from httpx import TransportError
    from huggingface_hub import errors
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

    if settings.offline:
        raise offline()
    address, headers = f"{settings.hub_url}/api/models{path}", build_hf_headers(token=settings.hub_token)
    try:
        answer = get_session().get(address, params=asked, headers=headers, timeout=SECONDS)
        hf_raise_for_status(answer)
        return answer.json()
    except errors.RevisionNotFoundError as error:
        raise no_revision(name, revision) from error
    except errors.RepositoryNotFoundError as error:
        raise not_there(name) from error
    except (TransportError, errors.OfflineModeIsEnabled) as error:
        raise unreached() from error
    except (errors.HfHubHTTPError, ValueError) as error:
        raise _refused(error) from error


def _refused(error: Exception) -> UserError:
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if status in (401, 403):
        return UserError(
            "The Hub does not take the token.", f"It answered {status}.", "Give another under Connections."
        )
    said = f"It answered {status}." if status else "Its answer cannot be read."
    return UserError("The Hub has no answer now.", said, "Try again later.")


def _found(told: dict[str, Any]) -> Found:
    """From the Hub's JSON, of which any part may be missing."""
    counted = told.get("safetensors") or {}
    files = told.get("siblings")
    sizes = {one["rfilename"]: int(one.get("size") or 0) for one in files} if files is not None else None
    names = sizes or {}
    return Found(
        id=told.get("id") or told.get("modelId") or "",
        task=told.get("pipeline_tag") or "",
        parameters=counted.get("total"),
        bytes=_bytes(counted.get("parameters") or {}),
        licence=_licence(told),
        gated=bool(told.get("gated")),
        private=bool(told.get("private")),
        downloads=told.get("downloads"),
        safetensors=bool(counted) or "safetensors" in (told.get("tags") or []) or any(map(_is_weights, names)),
        commit=told.get("sha") or "",
        files=sizes,
    )


def _is_weights(name: str) -> bool:
    """As they are loaded: in the top folder."""
    return name.endswith(".safetensors") and "/" not in name


def _bytes(counts: dict[str, int]) -> int | None:
    """None where nothing is counted, or not all of it has a size that is known here."""
    if not counts or not counts.keys() <= SIZES.keys():
        return None
    return sum(count * SIZES[dtype] for dtype, count in counts.items())


def _licence(told: dict[str, Any]) -> str:
    named = (told.get("cardData") or {}).get("license") or next(
        (tag.removeprefix("license:") for tag in told.get("tags") or [] if tag.startswith("license:")), ""
    )
    return ", ".join(named) if isinstance(named, list) else str(named)


def offline() -> Silence:
    return Silence(
        "The Hub is not asked.",
        "dfgui was started offline (HF_HUB_OFFLINE).",
        "Choose a model that is on this machine, or start dfgui online.",
    )


def unreached() -> Silence:
    return Silence(
        "The Hub cannot be reached.",
        "It did not answer in time, or there is no connection.",
        "Choose a model that is on this machine, or try again later.",
    )


def gated(name: str) -> UserError:
    return UserError(
        f"{name} is gated or private.",
        "The Hub did not let this account read it.",
        "Accept its terms on the Hub, and give a token under Connections or set HF_TOKEN; then start again.",
    )


def not_there(name: str) -> UserError:
    return UserError(
        f"{name} is not on the Hub.",
        "No model of that name is there, or it is private.",
        "Check the spelling; for a private one give a token under Connections.",
        field="model.name",
    )


def no_revision(name: str, revision: str | None) -> UserError:
    return UserError(
        f"{name} has no revision {revision}.",
        "There is no branch, tag or commit of that name on the Hub.",
        "Check the spelling, or leave Revision empty for its main branch.",
        field="model.revision",
    )


def is_an_id(name: str) -> bool:
    """Whether a model's name is written as the Hub writes them, owner/name; a folder here may be called so too."""
    return bool(ID.fullmatch(name))
