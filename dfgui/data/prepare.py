"""The dataset as the trainer gets it: every row tokenised, some held out, nothing dropped in silence.

    prepared = prepare(config.data, tokenizer, max_length=1024, seed=42, settings=settings)
    prepared.train       datasets.Dataset of input_ids, labels
    prepared.eval        the same of the rows held out, or None
    prepared.left_out    [(17, "all that would be learned lies beyond max_length")]

A row that cannot be used stops the preparation, by number; a row that is cut until nothing is left to learn is left out
and listed. The split depends on the rows and the seed alone, so that evaluation finds the same held-out rows again.
"""

import json
import random
import zlib
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from dfgui.config import Data
from dfgui.data import formats
from dfgui.data.conversation import Conversation, RowError, with_used_tools
from dfgui.data.sources import Source, open_source
from dfgui.data.tokens import IGNORED, tokenize
from dfgui.errors import UserError
from dfgui.settings import Settings

EVERY = 100  # rows between two reports of progress
CUT_AWAY = "all that would be learned lies beyond max_length"

Progress = Callable[[int, int | None], None]  # rows done, of how many


@dataclass
class Prepared:
    train: Any  # datasets.Dataset of input_ids, labels
    eval: Any  # the same, or None when nothing is held out
    held_out: list[tuple[int, Conversation]]  # row number, conversation
    rows: int  # in the dataset, an evaluation file not counted
    trained_tokens: int  # of train: learned
    total_tokens: int  # of train: read
    cut_rows: list[int]  # rows longer than max_length
    left_out: list[tuple[int, str]]  # row number, reason


@dataclass
class _Rows:
    """The rows of one source by number, tokenised."""

    tokens: dict[int, tuple[array, array]] = field(default_factory=dict)  # input_ids, labels; of rows that can train
    prints: dict[int, bytes] = field(default_factory=dict)  # fingerprints; of every row
    packed: dict[int, bytes] = field(default_factory=dict)  # conversations, small; of every row
    cut: list[int] = field(default_factory=list)
    left_out: list[tuple[int, str]] = field(default_factory=list)


def prepare(
    data: Data, tokenizer: Any, max_length: int, seed: int, settings: Settings, progress: Progress | None = None
) -> Prepared:
    """Train and evaluation rows as tokens. Raises UserError naming the first row that cannot be used."""
    rows = _tokenised(_open(data, settings), data, tokenizer, max_length, progress)
    if data.eval_source:
        eval_rows = _tokenised(_held(data, settings), data, tokenizer, max_length, progress, of=data.eval_source)
        train, held = list(rows.prints), list(eval_rows.prints)
    else:
        eval_rows = rows
        train, held = split(list(rows.prints), data.eval_fraction, seed, rows.prints)
    train = [number for number in train if number in rows.tokens]
    if len(train) < 2:
        raise UserError(
            f"{len(train) or 'No'} row{'' if len(train) == 1 else 's'} to train on.",
            f"Of {len(rows.prints)}, {len(held) if eval_rows is rows else 0} are held out for evaluation and "
            f"{len(rows.left_out)} are cut by max_length ({max_length}) until nothing is left to learn.",
            "Add rows, hold out fewer, or raise max_length.",
        )
    return Prepared(
        train=_dataset(rows, train),
        eval=_dataset(eval_rows, [number for number in held if number in eval_rows.tokens]),
        held_out=[(number, _unpacked(eval_rows.packed[number])) for number in held],
        rows=len(rows.prints),
        trained_tokens=sum(len(labels) - labels.count(IGNORED) for _, labels in map(rows.tokens.__getitem__, train)),
        total_tokens=sum(len(ids) for ids, _ in map(rows.tokens.__getitem__, train)),
        cut_rows=rows.cut,
        left_out=rows.left_out if eval_rows is rows else rows.left_out + eval_rows.left_out,
    )


def split(
    numbers: list[int], eval_fraction: float, seed: int, prints: dict[int, bytes] | None = None
) -> tuple[list[int], list[int]]:
    """(train, held out) row numbers, the same for the same seed. Rows with equal fingerprints stay on one side.

    At least one row is held out if eval_fraction is above 0, unless all are duplicates of one another.
    """
    wanted = max(1, round(len(numbers) * eval_fraction)) if eval_fraction else 0
    groups: dict[Any, list[int]] = {}
    for number in numbers:
        groups.setdefault(prints[number] if prints else number, []).append(number)
    shuffled = list(groups.values())
    random.Random(seed).shuffle(shuffled)
    held: set[int] = set()
    for group in shuffled:
        if len(held) + len(group) <= wanted:
            held.update(group)
    return [number for number in numbers if number not in held], [number for number in numbers if number in held]


def load_held_out(data: Data, seed: int, settings: Settings) -> list[tuple[int, Conversation]]:
    """The rows held out, as conversations with all their tools: the same rows as `prepare` holds out."""
    if data.eval_source:
        return list(_conversations(_held(data, settings), data))
    prints, packed = {}, {}
    for number, conversation in _conversations(_open(data, settings), data):
        prints[number], packed[number] = fingerprint(conversation), _packed(conversation)
    held = split(list(prints), data.eval_fraction, seed, prints)[1]
    return [(number, _unpacked(packed[number])) for number in held]


def digest(held_out: list[tuple[int, Conversation]]) -> str:
    """The same for the same held-out rows: a run remembers it, to notice a dataset that was changed since."""
    whole = blake2b(digest_size=16)
    for number, conversation in held_out:
        whole.update(f"{number}:".encode() + fingerprint(conversation))
    return whole.hexdigest()


def fingerprint(conversation: Conversation) -> bytes:
    """Equal for conversations that are equal in every word, however their rows were written."""
    return blake2b(json.dumps(_parts(conversation), sort_keys=True).encode(), digest_size=16).digest()


def _tokenised(
    source: Source, data: Data, tokenizer: Any, max_length: int, progress: Progress | None, of: str = ""
) -> _Rows:
    """Every row of the source; errors and reasons say `of` which, where it is not the dataset itself."""
    rows = _Rows()
    troubles: list[UserError] = []
    format = _format(source, data)
    total = source.size() if progress else None
    for done, row in enumerate(source.rows()):
        if progress and done % EVERY == 0:
            progress(done, total)
        try:
            conversation = formats.to_conversation(row.raw, format)
            shown = with_used_tools(conversation) if data.tools == "used" else conversation
            tokens = tokenize(shown, tokenizer, max_length, data.train_on, roles=False)
        except RowError as error:
            troubles.append(error.at(row.number, of))
            continue
        rows.prints[row.number], rows.packed[row.number] = fingerprint(conversation), _packed(conversation)
        if tokens.cut:
            rows.cut.append(row.number)
        if tokens.trained:
            rows.tokens[row.number] = array("i", tokens.input_ids), array("i", tokens.labels)
        else:
            rows.left_out.append((row.number, f"{CUT_AWAY} (of {of})" if of else CUT_AWAY))
    if troubles:
        raise _refusal(troubles)
    if progress:
        progress(len(rows.prints), total)
    return rows


def _refusal(troubles: list[UserError]) -> UserError:
    """The first trouble, and how many there are."""
    first, others = troubles[0], len(troubles) - 1
    more = f" And {others} more row{' has' if others == 1 else 's have'} trouble of this kind." if others else ""
    return UserError(first.what, first.why + more, first.do)


def _conversations(source: Source, data: Data) -> Iterator[tuple[int, Conversation]]:
    format = _format(source, data)
    for row in source.rows():
        try:
            yield row.number, formats.to_conversation(row.raw, format)
        except RowError as error:
            raise error.at(row.number) from error


def _parts(conversation: Conversation) -> list:
    return [conversation.messages, conversation.tools, conversation.segments, conversation.train_from]


def _packed(conversation: Conversation) -> bytes:
    """A tenth of the memory, so that a large dataset is read once."""
    return zlib.compress(json.dumps(_parts(conversation)).encode(), level=1)


def _unpacked(packed: bytes) -> Conversation:
    messages, tools, segments, train_from = json.loads(zlib.decompress(packed))
    return Conversation(messages, tools, segments and [(text, learned) for text, learned in segments], train_from)


def _format(source: Source, data: Data) -> str:
    return formats.chosen(data.format, [row.raw for row in source.head(formats.LOOKED_AT)])


def _open(data: Data, settings: Settings) -> Source:
    return open_source(data.source, settings, data.config, data.split)


def _held(data: Data, settings: Settings) -> Source:
    return open_source(data.eval_source or "", settings, data.config, data.split)


def _dataset(rows: _Rows, numbers: list[int]) -> Any:
    """A datasets.Dataset of these rows, laid out for Arrow without a Python number in between; None without rows."""
    if not numbers:
        return None
    from datasets import Dataset

    columns = zip(*(rows.tokens[number] for number in numbers), strict=True)
    return Dataset.from_dict(dict(zip(("input_ids", "labels"), map(_arrow_lists, columns), strict=True)))


def _arrow_lists(lists: tuple[array, ...]) -> Any:
    import numpy
    import pyarrow

    offsets = numpy.cumsum([0, *map(len, lists)])
    values = pyarrow.array(numpy.concatenate([numpy.frombuffer(values, dtype=numpy.int32) for values in lists]))
    return pyarrow.LargeListArray.from_arrays(offsets, values).cast(pyarrow.list_(pyarrow.int32()))
