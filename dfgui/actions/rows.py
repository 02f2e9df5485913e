"""Rows of a dataset, looked at before anything is trained on them."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from dfgui import config
from dfgui.errors import UserError
from dfgui.settings import Settings

if TYPE_CHECKING:
    from dfgui.data.report import Report


def preview(settings: Settings, data: config.Data, model: config.Model, row: int, max_length: int) -> dict[str, Any]:
    """One row at every stage: raw, conversation, text, tokens, tool_arguments. Rows are numbered from 1."""
    from dfgui.data import preview as stages
    from dfgui.data import rows, sources
    from dfgui.models import load

    opened = sources.dataset(data, settings)
    how = rows.options(data, rows.format_of(opened, data), max_length)
    tokenizer = load.tokenizer(model, settings, spoken=rows.are_spoken(data, settings))
    return stages.preview(opened.row(row), how, tokenizer)


def check(settings: Settings, data: config.Data, model: config.Model, max_length: int) -> "Iterator[Report]":
    """Every row of a dataset looked at: reports of what is known so far, the last one of all. See data/report.py."""
    from dfgui.data import report, rows, template
    from dfgui.models import imports, load

    make = partial(load.tokenizer, model, settings, spoken=rows.are_spoken(data, settings))
    with imports.one_at_a_time, suppress(UserError):  # all that is imported on the way, before threads could meet there
        template.describe(make())
    return report.check(data, make, max_length, settings)
