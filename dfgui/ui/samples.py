"""One row of the chosen dataset, looked at in stages: as it stands, as a conversation, as what the model reads.

look = look_at(settings, {"model__name": "demo", "data__source": "rows.jsonl", "data__format": "auto", ...}, shape)
row = look.row(17)                                  Row(17, {"conversations": [...]})
look.conversation(row, "sharegpt")                  messages and tools; no tokenizer is needed for that
look.preview(row, "sharegpt")                       what the trainer makes of it; seconds, the first time
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dfgui import config, recipe
from dfgui.data import formats, rows, sources
from dfgui.data.checks import CHECKS, Problem
from dfgui.data.conversation import RowError
from dfgui.data.rows import Options
from dfgui.errors import UserError
from dfgui.models import imports
from dfgui.settings import Settings


@dataclass(frozen=True)
class Look:
    settings: Settings
    model: config.Model
    data: config.Data
    max_length: int

    def rows(self) -> sources.Source:
        if any(name.startswith(sources.HUB) for name in (self.data.source, *self.data.also)):
            return _hub_source(self.data.model_dump_json(), self.settings)
        return sources.dataset(self.data, self.settings)

    def head(self) -> tuple[list[sources.Row], sources.Broken | UserError | None]:
        """The rows that decide the format, and what is wrong among them. Raises UserError when there is none."""
        head, trouble = self.rows().head_with_trouble(formats.LOOKED_AT)
        if not head:
            raise UserError("The dataset has no rows.", "There is nothing to learn from.", "Choose another dataset.")
        return head, trouble

    def format(self, head: list[sources.Row] | None = None) -> str:
        return rows.format_in(head, self.data) if head else rows.format_of(self.rows(), self.data)

    def describe(self, head: list[sources.Row], format: str) -> str:
        """The format in words: "ShareGPT with tools"."""
        return formats.describe([row.raw for row in head], format)

    def row(self, number: int) -> sources.Row:
        return self.rows().row(number)

    def conversation(self, row: sources.Row, format: str) -> Any:
        """The row as it trains. Raises UserError naming the row."""
        how = rows.options(self.data, format, self.max_length)
        try:
            return how.shaped(how.conversation(row))
        except RowError as error:
            raise error.at(row.number) from error

    def preview(self, row: sources.Row, format: str) -> dict[str, Any]:
        """What the trainer makes of the row; see data/preview.py."""
        from dfgui.data import preview

        with imports.one_at_a_time:
            return preview.preview(row, self._how(format), self.tokenizer(format))

    def template_note(self, format: str) -> str:
        """Which chat template it is and what it can carry, in words."""
        from dfgui.models import chat_template

        with imports.one_at_a_time:
            return chat_template.note(self.tokenizer(format))

    def next_problem(self, after: int, format: str) -> sources.Row | sources.Broken | None:
        """The next row with an error or a warning, duplicates aside; None when there is none."""
        how, tokenizer = self._how(format), self.tokenizer(format)
        for row in rows.chosen(self.rows(), self.data):
            if row.number > after and any(map(_matters, rows.examine(row, how, tokenizer).problems)):
                return row
        return None

    def special(self, format: str) -> frozenset[int]:
        """Ids of the tokens that stand for no text."""
        return frozenset(self.tokenizer(format).added_tokens_decoder)

    def tokenizer(self, format: str) -> Any:
        spoken = rows.spoken(self.rows(), self._how(format))
        return _tokenizer(self.model.model_dump_json(), spoken, self.settings)

    def _how(self, format: str) -> Options:
        return rows.options(self.data, format, self.max_length)


def _matters(problem: Problem) -> bool:
    return CHECKS[problem.check].severity != "info"


def look_at(settings: Settings, chosen: dict[str, Any], shape: dict[str, Any]) -> Look:
    """`chosen`: the header's values by keyword; `shape`: see Selection. Raises UserError when one of them cannot be."""
    given = {name.partition("__")[2]: value for name, value in chosen.items() if name.startswith("data__")}
    data = {name: value for name, value in given.items() if value not in (None, "") or name == "source"}
    run = recipe.parse(
        {
            "model": {**shape["model"], "name": chosen["model__name"] or ""},
            "data": {**shape["data"], **data},
            "training": {"max_length": shape["max_length"]},
        }
    )
    return Look(settings, run.model, run.data, run.training.max_length)


@lru_cache(maxsize=4)
def _tokenizer(model: str, spoken: bool, settings: Settings) -> Any:
    """Loading one takes half a second; looking through rows should not take that each time."""
    from dfgui.models import load

    return load.tokenizer(config.Model.model_validate_json(model), settings, spoken)


@lru_cache(maxsize=4)
def _hub_source(data: str, settings: Settings) -> sources.Source:
    """A dataset of the Hub keeps its connection, so that the next row comes at once."""
    return sources.dataset(config.Data.model_validate_json(data), settings)
