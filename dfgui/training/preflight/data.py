"""The rows of a run, before its start: the first ones are read and made conversations, without a tokenizer."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any

from dfgui import config
from dfgui.config import RunConfig
from dfgui.data import files, rows, sources
from dfgui.data.checks import CHECKS, Problem
from dfgui.data.conversation import RowError, fingerprint, require_answer
from dfgui.errors import UserError
from dfgui.settings import Settings
from dfgui.training.preflight.note import Note, concerning

LOOKED_AT = 2000  # rows read before the start; the rest is checked while tokenising
CHARACTERS = 4  # of a token, in English
HUB_SECONDS = 600  # how long what was seen of a Hub dataset is believed


def data(run: RunConfig, settings: Settings) -> Iterator[Note]:
    """Reads and converts the first rows, without a tokenizer."""
    asked = run.data
    for name in asked.also:
        with concerning("data.also"):
            sources.open_source(name, settings, asked.config, asked.split)
    with concerning("data.source"):
        looked = _rows(asked.source, asked, settings)
    if asked.eval_source:
        with concerning("data.eval_source"):
            _rows(asked.eval_source, asked, settings)
        held = "evaluated on a file of its own"
    else:
        held = f"{asked.eval_fraction * 100:g} % held out for evaluation" if asked.eval_fraction else "nothing held out"
    whole = looked.rows + looked.left_out < LOOKED_AT
    count = (
        f"{looked.rows:,} row{'' if looked.rows == 1 else 's'}"
        if whole
        else f"{looked.rows:,} of the first {LOOKED_AT:,} rows"
    )
    left = f", {looked.left_out:,} left out as you asked" if looked.left_out else ""
    yield Note("ok", "Data", f"{count} can be read{left}; {held}.")
    for check, found in looked.found.items():
        if CHECKS[check].severity == "warning":
            where = "" if whole else f" of the first {LOOKED_AT:,}"
            text = f"{found:,} row{'' if found == 1 else 's'}{where}."
            yield Note("warn", CHECKS[check].title, text, CHECKS[check].advice, "data.leave_out")
    if not asked.eval_fraction and not asked.eval_source:
        text = "Without held-out rows, overfitting stays unseen."
        yield Note("warn", "No evaluation", text, "Hold out a tenth of the rows.", "data.eval_fraction")


def counted(run: RunConfig, settings: Settings) -> int | None:
    """How many rows will be trained on; None where there are more than were looked at, or they cannot be read."""
    try:
        looked = _rows(run.data.source, run.data, settings)
    except UserError:
        return None
    if looked.rows + looked.left_out >= LOOKED_AT:
        return None
    held = 0 if run.data.eval_source else run.data.eval_fraction
    return round(looked.rows * (1 - held - run.data.test_fraction))


def lengths(run: RunConfig, settings: Settings) -> tuple[int, ...]:
    """How long the first rows are, in tokens of four characters; () where they cannot be read."""
    try:
        return _rows(run.data.source, run.data, settings).lengths
    except UserError:
        return ()


@dataclass(frozen=True)
class _Looked:
    """What the first rows of a dataset are like."""

    rows: int  # that can become conversations
    left_out: int
    found: Counter[str]  # check -> rows
    lengths: tuple[int, ...] = ()  # of those rows, in tokens of four characters


def _rows(source: str, data: config.Data, settings: Settings) -> _Looked:
    """The first rows; UserError names the first that cannot be a conversation and is not left out."""
    parts = (source, *data.also) if source == data.source else (source,)
    state = tuple(_state_of(part, settings) for part in parts)
    found = _looked_through(source, settings, data.model_dump_json(), state)
    if isinstance(found, UserError):
        raise found.with_traceback(None)
    return found


def _state_of(source: str, settings: Settings) -> Any:
    """What changes when the rows may have changed."""
    if source.startswith(sources.HUB):
        return int(time.time() // HUB_SECONDS)
    path = sources.DEMO if source == "demo" else settings.may_read(source)
    parts = files.inside(path) if path.is_dir() else [path]
    return tuple((part, part.stat().st_mtime_ns, part.stat().st_size) for part in parts)


@lru_cache(maxsize=16)
def _looked_through(source: str, settings: Settings, asked: str, state: Any) -> _Looked | UserError:
    """Remembered, because a page asks whenever a setting changes. What cannot be read at all is raised, and is not."""
    data = config.Data.model_validate_json(asked)
    own = source == data.source
    opened = sources.dataset(data, settings) if own else sources.open_source(source, settings, data.config, data.split)
    how = rows.options(data, rows.format_of(opened, data), None)
    neighbours = rows.Neighbours()
    sizes: list[int] = []
    left_out, found = 0, Counter[str]()
    for row in islice(rows.chosen(opened, data) if own else opened.scan(), LOOKED_AT):
        seen = _with_answer(rows.read(row, how), data)
        print = fingerprint(seen.conversation) if seen.conversation else None
        checks = {one.check for one in seen.problems + neighbours.problems(row.number, print)}
        if checks.intersection(data.leave_out):
            left_out += 1
        elif seen.trouble:
            return seen.trouble.at(row.number) if isinstance(seen.trouble, RowError) else seen.trouble
        else:
            sizes.append(_length(seen.conversation))
            found.update(checks)
    return _Looked(len(sizes), left_out, found, tuple(sizes))


def _length(conversation: Any) -> int:
    if conversation.segments is not None:
        return sum(len(text) for text, _ in conversation.segments) // CHARACTERS
    return sum(len(str(part)) for part in (*conversation.messages, *conversation.tools)) // CHARACTERS


def _with_answer(seen: rows.Examined, data: config.Data) -> rows.Examined:
    """The row, in trouble if an answer is to be learned and there is none."""
    if seen.conversation is None or data.train_on == "everything":
        return seen
    try:
        require_answer(seen.conversation)
    except RowError as error:
        return replace(seen, problems=[*seen.problems, Problem(error.check, error.said)], trouble=error)
    return seen
