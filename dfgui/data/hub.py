"""Rows of a dataset on the Hugging Face Hub, streamed: nothing is downloaded but what is looked at.

HubRows("owner/name", config=None, split="train").rows()

A dataset's card may name any file, and `datasets` would read it: one of this machine, or an address that only this
machine reaches. Here it may name its own, and a picture in it stays what was written of it.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from dfgui.errors import UserError

TIMEOUT = 15  # seconds until the Hub counts as out of reach
ON_THE_HUB = "hf://datasets/"
ELSEWHERE = re.compile(r"[/\\]|~|\w+:")  # how a path begins that is not of the repository


class HubRows:
    def __init__(self, name: str, config: str | None, split: str, token: str | None = None):
        self.name = name
        self.config = config
        self.split = split
        self.token = token
        self._loaded: Any = None

    def rows(self) -> Iterator[tuple[int, dict]]:
        """(number, row) of all rows in order. A later one is reached by passing over those before it."""
        rows = enumerate(self._dataset(), start=1)
        while (found := _asked(self.name, lambda: next(rows, None))) is not None:
            yield found

    def size(self) -> int | None:
        """How many rows there are, if the dataset's card says so."""
        splits = self._dataset().info.splits or {}
        return (splits[self.split].num_examples or None) if self.split in splits else None

    def _dataset(self) -> Any:
        if self._loaded is None:
            self._loaded = _asked(self.name, self._load)
        return self._loaded

    def _load(self) -> Any:
        from datasets import load_dataset_builder
        from huggingface_hub import HfApi

        told = HfApi(token=self.token).dataset_info(
            self.name, timeout=TIMEOUT
        )  # fails at once, where `datasets` would try for half a minute
        _refuse(self.name, [name for name in _named(told.card_data) if ELSEWHERE.match(name)])
        builder = load_dataset_builder(self.name, self.config, token=self.token)
        read = [file for files in (builder.config.data_files or {}).values() for file in files]
        _refuse(self.name, [file for file in read if not file.startswith(ON_THE_HUB)])
        rows = builder.as_streaming_dataset(split=self.split)
        columns = rows.features  # a copy
        return rows.cast(columns) if _closed(columns) else rows


def _named(card: Any) -> list[str]:
    """The files that a dataset's card names: data_files is a path, a list of them, or a list of {split, path}."""
    configs = (card.to_dict() if card else {}).get("configs")
    return list(_texts([one.get("data_files") for one in configs or [] if isinstance(one, dict)]))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


def _closed(feature: Any) -> bool:
    """Leaves pictures and sounds {path, bytes}, at any depth: to decode one is to open its path. Whether there are any.

    JSON is still decoded.
    """
    from datasets import Json

    inner = feature.values() if isinstance(feature, dict) else feature if isinstance(feature, list) else ()
    found = [_closed(one) for one in (*inner, *([feature.feature] if hasattr(feature, "feature") else []))]
    opens = hasattr(feature, "decode") and not isinstance(feature, Json)
    if opens:
        feature.decode = False
    return opens or any(found)


def _refuse(name: str, foreign: list[str]) -> None:
    if foreign:
        raise UserError(
            f"{name} is not read.",
            f"It names a file that is not its own: {foreign[0][:200]}.",
            "Choose another dataset; this one asks for what lies elsewhere.",
        )


def _asked(name: str, question: Callable[[], Any]) -> Any:
    """The answer of the Hub, or its refusal in words."""
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    try:
        return question()
    except UserError:
        raise
    except GatedRepoError as error:
        raise _gated(name) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise UserError(
            f"There is no dataset {name} on the Hub.",
            "It does not exist, or it is private.",
            "Check the spelling; for a private one, log in with `hf auth login` or HF_TOKEN.",
        ) from error
    except Exception as error:  # datasets raises whatever its readers meet: bad configs, splits, files, connections
        if "is a gated dataset" in str(error):  # the Hub tells of it, and keeps its files
            raise _gated(name) from error
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"{name} cannot be read from the Hub.",
            reason if reason.endswith(".") else f"{reason}.",
            "Check the configuration, the split and the connection.",
        ) from error


def _gated(name: str) -> UserError:
    return UserError(
        f"{name} is gated.",
        "Its owner wants to know who uses it.",
        "Ask for access on its page, and log in or give a token under Connections.",
    )
