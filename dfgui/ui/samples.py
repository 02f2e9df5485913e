"""One row of the chosen dataset, looked at in stages: as it stands, as a conversation, as what the model reads.

look = look_at(settings, {"model__name": "demo", "data__source": "rows.jsonl", "data__format": "auto", ...})
row = look.row(17)                                  Row(17, {"conversations": [...]})
look.conversation(row, "sharegpt")                  messages and tools; no tokenizer is needed for that
look.preview(row, "sharegpt", {"max_length": 1024, "train_on": "assistant", "tools": "all"})     seconds, the first time
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dfgui import config
from dfgui.data import formats, sources
from dfgui.data.conversation import RowError
from dfgui.errors import UserError
from dfgui.settings import Settings

LOOKED_AT = 50  # rows that decide the format


@dataclass(frozen=True)
class Look:
    settings: Settings
    model: str
    data: config.Data

    def rows(self) -> sources.Source:
        opened = _hub_source if self.data.source.startswith(sources.HUB) else sources.open_source
        return opened(self.data.source, self.settings, self.data.config, self.data.split)

    def head(self) -> list[sources.Row]:
        """The rows that decide the format. Raises UserError when there is none."""
        head = self.rows().head(LOOKED_AT)
        if not head:
            raise UserError("The dataset has no rows.", "There is nothing to learn from.", "Choose another dataset.")
        return head

    def format(self, head: list[sources.Row] | None = None) -> str:
        if self.data.format != "auto":
            return self.data.format
        return formats.detect([row.raw for row in (head or self.head())])

    def describe(self, head: list[sources.Row], format: str) -> str:
        """The format in words: "ShareGPT with tools"."""
        return formats.describe([row.raw for row in head], format)

    def row(self, number: int) -> sources.Row:
        return self.rows().row(number)

    def conversation(self, row: sources.Row, format: str) -> Any:
        """The row in the one shape. Raises UserError naming the row."""
        try:
            return formats.to_conversation(row.raw, format)
        except RowError as error:
            raise error.at(row.number) from error

    def preview(self, row: sources.Row, format: str, shape: dict[str, Any]) -> dict[str, Any]:
        """What the trainer makes of the row; see data/preview.py."""
        from dfgui.data import preview

        return preview.preview(row, format, self.tokenizer(), **shape)

    def template_note(self) -> str:
        """What the model's chat template can carry, in words."""
        from dfgui.data import template

        return template.describe(self.tokenizer()).note

    def tokenizer(self) -> Any:
        return _tokenizer(self.model, self.settings)


def look_at(settings: Settings, chosen: dict[str, Any]) -> Look:
    """`chosen`: the header's values by keyword. Raises UserError when one of them cannot be."""
    values = {name.partition("__")[2]: value for name, value in chosen.items() if name.startswith("data__")}
    run = config.parse({"model": {"name": chosen["model__name"] or ""}, "data": _without_gaps(values)})
    return Look(settings, run.model.name, run.data)


def _without_gaps(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "") or name == "source"}


@lru_cache(maxsize=4)
def _tokenizer(name: str, settings: Settings) -> Any:
    """Loading one takes half a second; looking through rows should not take that each time."""
    from dfgui.models import load

    return load.tokenizer(config.Model(name=name), settings)


@lru_cache(maxsize=4)
def _hub_source(source: str, settings: Settings, config: str | None, split: str) -> sources.Source:
    """A dataset of the Hub keeps its connection, so that the next row comes at once."""
    return sources.open_source(source, settings, config, split)
