"""Rows of a dataset on the Hugging Face Hub, streamed: nothing is downloaded but what is looked at.

HubRows("owner/name", config=None, split="train").rows()
"""

from collections.abc import Callable, Iterator
from typing import Any

from dfgui.errors import UserError

TIMEOUT = 15  # seconds until the Hub counts as out of reach


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
        from datasets import load_dataset
        from huggingface_hub import HfApi

        HfApi(token=self.token).dataset_info(
            self.name, timeout=TIMEOUT
        )  # fails at once, where load_dataset would try for half a minute
        return load_dataset(self.name, self.config, split=self.split, streaming=True, token=self.token)


def _asked(name: str, question: Callable[[], Any]) -> Any:
    """The answer of the Hub, or its refusal in words."""
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    try:
        return question()
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
