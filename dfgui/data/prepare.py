"""The dataset as the trainer gets it: every row tokenised, some held out, nothing dropped in silence.

    prepared = prepare(config.data, tokenizer, max_length=1024, seed=42, settings=settings)
    prepared.train       datasets.Dataset of input_ids, labels
    prepared.eval        the same of the rows held out, or None
    prepared.left_out    [(17, "all that would be learned lies beyond max_length")]

A row that cannot be used stops the preparation, by number, unless `leave_out` names what is wrong with it; a row that
is cut until nothing is left to learn is left out and listed.
"""

import hashlib
import pickle
import random
import zlib
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dfgui.config import Data
from dfgui.data import rows
from dfgui.data.conversation import Conversation, RowError, fingerprint
from dfgui.data.held_out import HeldOut
from dfgui.data.rows import Neighbours, prints_elsewhere
from dfgui.data.sources import Source, dataset, open_source
from dfgui.data.tokens import IGNORED
from dfgui.errors import UserError
from dfgui.settings import Settings

EVERY = 100  # rows between two reports of progress
CUT_AWAY = "all that would be learned lies beyond max_length"

Progress = Callable[[int, int | None], None]  # rows done, of how many


@dataclass
class Prepared:
    train: Any  # datasets.Dataset of input_ids, labels
    numbers: list[int]  # of the rows of train, in its order
    eval: Any  # the same, or None when nothing is held out
    held_out: HeldOut  # what eval holds, as conversations
    test: HeldOut  # neither trained nor evaluated on
    rows: int  # in the dataset, an evaluation file not counted
    trained_tokens: int  # of train: learned
    total_tokens: int  # of train: read
    longest: int  # tokens of the longest row of train
    cut_rows: list[int]  # rows longer than max_length
    left_out: list[tuple[int, str]]  # row number, reason
    found: Counter[str]  # check -> rows that it found something in

    def digest(self) -> str:
        """A short text that is another one as soon as any token of train, or the order of its rows, is another."""
        hashed = hashlib.blake2b(digest_size=16)
        for column in ("input_ids", "labels"):
            for chunk in self.train.data.column(column).chunks:
                hashed.update(chunk.offsets.to_numpy(zero_copy_only=False).tobytes())
                hashed.update(chunk.values.to_numpy(zero_copy_only=False).tobytes())
        return hashed.hexdigest()


@dataclass
class _Rows:
    """The rows of one source by number, tokenised."""

    total: int = 0
    tokens: dict[int, tuple[array, array]] = field(default_factory=dict)  # input_ids, labels; of rows that can train
    prints: dict[int, bytes] = field(default_factory=dict)  # fingerprints; of every row but those asked to be left out
    packed: dict[int, bytes] = field(default_factory=dict)  # conversations, small; of the same rows
    found: Counter[str] = field(default_factory=Counter)  # check -> rows
    cut: list[int] = field(default_factory=list)
    left_out: list[tuple[int, str]] = field(default_factory=list)


def prepare(
    data: Data, tokenizer: Any, max_length: int, seed: int, settings: Settings, progress: Progress | None = None
) -> Prepared:
    """Train and evaluation rows as tokens. Raises UserError naming the first row that cannot be used."""
    source = dataset(data, settings)
    own = _tokenised(source, data, tokenizer, max_length, progress, Neighbours(prints_elsewhere(data, settings)))
    if data.eval_source:
        source = open_source(data.eval_source, settings, data.config, data.split)
        other = _tokenised(source, data, tokenizer, max_length, progress, Neighbours(), of=data.eval_source)
        train, held = list(own.prints), list(other.prints)
        train, _, test = split(train, 0, seed, own.prints, data.test_fraction)
    else:
        other = own
        train, held, test = split(list(own.prints), data.eval_fraction, seed, own.prints, data.test_fraction)
    train = [number for number in train if number in own.tokens]
    if len(train) < 2:
        raise _too_few(len(train), own, len(test) + (len(held) if other is own else 0), max_length)
    return Prepared(
        train=_dataset(own, train),
        numbers=train,
        eval=_dataset(other, [number for number in held if number in other.tokens]),
        held_out=[(number, _unpacked(other.packed[number])) for number in held],
        test=[(number, _unpacked(own.packed[number])) for number in test],
        rows=own.total,
        trained_tokens=sum(len(labels) - labels.count(IGNORED) for _, labels in map(own.tokens.__getitem__, train)),
        total_tokens=sum(len(ids) for ids, _ in map(own.tokens.__getitem__, train)),
        longest=max(len(own.tokens[number][0]) for number in train),
        cut_rows=own.cut,
        left_out=own.left_out if other is own else own.left_out + other.left_out,
        found=own.found,
    )


def _too_few(count: int, found: _Rows, held: int, max_length: int) -> UserError:
    cut = sum(CUT_AWAY in reason for _, reason in found.left_out)
    asked = len(found.left_out) - cut
    return UserError(
        f"{count or 'No'} row{'' if count == 1 else 's'} to train on.",
        f"Of {found.total}, {held} are held out for evaluation"
        + (f", {asked} are left out as you asked" if asked else "")
        + f" and {cut} are cut by max_length ({max_length}) until nothing is left to learn.",
        "Add rows, hold out fewer, or raise max_length.",
    )


def split(
    numbers: list[int],
    eval_fraction: float,
    seed: int,
    prints: dict[int, bytes] | None = None,
    test_fraction: float = 0,
) -> tuple[list[int], list[int], list[int]]:
    """(train, evaluation, test) row numbers, the same for the same seed. Equal fingerprints stay on one side.

    At least one row goes to each part whose share is above 0, unless all are duplicates of one another.
    """
    groups: dict[Any, list[int]] = {}
    for number in numbers:
        groups.setdefault(prints[number] if prints else number, []).append(number)
    shuffled = list(groups.values())
    random.Random(seed).shuffle(shuffled)
    held: set[int] = _taken(shuffled, len(numbers), eval_fraction)
    tested = _taken([group for group in shuffled if group[0] not in held], len(numbers), test_fraction)
    train = [number for number in numbers if number not in held and number not in tested]
    return train, [number for number in numbers if number in held], [number for number in numbers if number in tested]


def _taken(groups: list[list[int]], total: int, fraction: float) -> set[int]:
    """The first groups that make up this share of the rows."""
    wanted = max(1, round(total * fraction)) if fraction else 0
    taken: set[int] = set()
    for group in groups:
        if len(taken) + len(group) <= wanted:
            taken.update(group)
    return taken


def _tokenised(
    source: Source,
    data: Data,
    tokenizer: Any,
    max_length: int,
    progress: Progress | None,
    neighbours: Neighbours,
    of: str = "",
) -> _Rows:
    """Every row of the source; errors and reasons say `of` which, where it is not the dataset itself."""
    found = _Rows()
    troubles: list[UserError] = []
    how = rows.options(data, rows.format_of(source, data), max_length)
    wanted = source.scan() if of else rows.chosen(source, data)
    leave_out = set(data.leave_out)
    total = source.size() if progress else None
    for done, row in enumerate(wanted):
        if progress and done % EVERY == 0:
            progress(done, total)
        found.total += 1
        seen = rows.examine(row, how, tokenizer)
        print = fingerprint(seen.conversation) if seen.conversation else None
        problems = seen.problems + neighbours.problems(row.number, print)
        if unwanted := next((problem for problem in problems if problem.check in leave_out), None):
            found.left_out.append((row.number, _of(unwanted.detail, of)))
            continue
        if seen.trouble:
            troubles.append(seen.trouble.at(row.number, of) if isinstance(seen.trouble, RowError) else seen.trouble)
            continue
        assert seen.conversation and seen.tokens and print  # without trouble they are there
        found.found.update({problem.check for problem in problems})
        found.prints[row.number], found.packed[row.number] = print, _packed(how.asked(seen.conversation))
        if seen.tokens.cut:
            found.cut.append(row.number)
        if seen.tokens.trained:
            found.tokens[row.number] = array("i", seen.tokens.input_ids), array("i", seen.tokens.labels)
        else:
            found.left_out.append((row.number, _of(CUT_AWAY, of)))
    if troubles:
        raise _refusal(troubles)
    if progress:
        progress(found.total, total)
    return found


def _of(reason: str, file: str) -> str:
    return f"{reason} (of {file})" if file else reason


def _refusal(troubles: list[UserError]) -> UserError:
    """The first trouble, and how many there are."""
    first, others = troubles[0], len(troubles) - 1
    more = f" And {others} more row{' has' if others == 1 else 's have'} trouble of this kind." if others else ""
    return UserError(first.what, first.why + more, first.do)


def _packed(conversation: Conversation) -> bytes:
    """A tenth of the memory, so that a large dataset is read once."""
    return zlib.compress(pickle.dumps(conversation), level=1)


def _unpacked(packed: bytes) -> Conversation:
    return pickle.loads(zlib.decompress(packed))


def _dataset(found: _Rows, numbers: list[int]) -> Any:
    """A datasets.Dataset of these rows, laid out for Arrow without a Python number in between; None without rows."""
    if not numbers:
        return None
    from datasets import Dataset

    columns = zip(*(found.tokens[number] for number in numbers), strict=True)
    return Dataset.from_dict(dict(zip(("input_ids", "labels"), map(_arrow_lists, columns), strict=True)))


def _arrow_lists(lists: tuple[array, ...]) -> Any:
    import numpy
    import pyarrow

    offsets = numpy.cumsum([0, *map(len, lists)])
    values = pyarrow.array(numpy.concatenate([numpy.frombuffer(values, dtype=numpy.int32) for values in lists]))
    return pyarrow.LargeListArray.from_arrays(offsets, values).cast(pyarrow.list_(pyarrow.int32()))
