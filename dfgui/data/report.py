"""A whole dataset looked at before it is trained on: every row, what is wrong with it, and how long rows are.

    for report in check(data, load, max_length=1024, settings=settings): ...      # so far; the last one is complete
    report.findings    [Finding(check="cut", severity="info", count=12, rows=[3, 17, ...], advice="...", ...)]
    report.lengths     see statistics.py

Rows are read once, in order, and examined by several processes where there are many. Of each row a few numbers and a
fingerprint are kept, so that memory does not grow with what stands in them.
"""

import itertools
import json
import multiprocessing
import os
import threading
import time
from array import array
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from typing import Any

from dfgui.config import Data
from dfgui.data import rows, statistics, template
from dfgui.data.checks import CHECKS, Problem
from dfgui.data.conversation import called, fingerprint
from dfgui.data.cures import Cure, Cures
from dfgui.data.rows import Examined, Neighbours, Options, prints_elsewhere
from dfgui.data.shape import with_used_tools
from dfgui.data.sources import Broken, Row, Source, dataset
from dfgui.errors import UserError
from dfgui.settings import Settings

AT_ONCE = 64  # rows handed to a process
ALONE = 4.0  # seconds for which this process looks at rows by itself: others take as long to start
AHEAD = 4  # chunks waiting for each process, so that memory stays bounded
EVERY = 0.5  # seconds between two reports, at least
REST = 10  # times as long as a report took to make, until the next: most of the time is for rows
EXAMPLES = 5  # details kept of each finding
NICE = 10  # of the other processes: a training beside them goes first
MOST = 8  # processes; each holds a tokenizer, a quarter of a gigabyte in all


@dataclass(frozen=True)
class Finding:
    check: str
    severity: str
    title: str
    count: int
    rows: list[int]
    advice: str
    examples: list[str]  # of the first rows: "row 17: turn 2 calls ..."
    cures: list[Cure]


@dataclass(frozen=True)
class Report:
    """What is known so far. `total` is None where nobody knows how many rows there are before they are read."""

    source: str
    format: str
    complete: bool
    rows: int
    total: int | None
    trainable_rows: int  # that would be trained on, or held out, as things stand
    left_out: dict[str, int]  # check -> rows that `leave_out` keeps away
    findings: list[Finding]
    lengths: dict[str, Any]  # and "packed_sequences": None until the report is complete
    total_tokens: int  # of trainable rows, after the cut
    trained_tokens: int
    turns: dict[int, int]  # turns of a row -> rows
    tools: dict[str, list[int]]  # name -> [rows that offer it, rows that call it]
    tool_tokens: dict[str, int]  # in the schemas of all tools that rows offer; of those that a row calls: {all, used}
    tools_shown: str  # which of the two train

    @property
    def trained_token_share(self) -> float:
        return self.trained_tokens / self.total_tokens if self.total_tokens else 0.0

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity == "error"]

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {**asdict(self), "trained_token_share": round(self.trained_token_share, 4)}


@dataclass(frozen=True)
class _Seen:
    """What is kept of a row: small, since it travels between processes."""

    number: int
    problems: list[Problem]
    print: bytes | None  # equal for equal conversations; None if it could not be read
    tokens: int | None  # before the cut; None if it cannot be trained on
    trained: int
    turns: int
    offered: list[str]
    called: list[str]
    tool_tokens: tuple[int, int]  # of the tools offered, of those that `used` would show


def check(
    data: Data, load: Callable[[], Any], max_length: int, settings: Settings, processes: int | None = None
) -> Iterator[Report]:
    """Looks at every row of the dataset; yields what is known so far, now and then, and last what is known of all.

    `load` returns the tokenizer; it is called in each process and must pickle. Raises UserError when there are no rows,
    no format fits, or the tokenizer cannot be had. Closing the generator ends the work.
    """
    source = dataset(data, settings)
    how = rows.options(data, rows.format_of(source, data), max_length)
    tokenizer = load()
    cures = Cures(data, max_length, template.original(tokenizer, tools=True) if tokenizer.chat_template else None)
    counting = _Counting(source, data, how, max_length, prints_elsewhere(data, settings), cures)
    count = min(processes or os.cpu_count() or 1, MOST)
    look = partial(_look, tokenizer, how)
    due = time.monotonic() + EVERY
    with _workers(load, how, count) as pool:
        for chunk in _looked_at(_until_it_breaks(source, data, counting), look, pool, count):
            for seen in chunk:
                counting.add(seen)
            if (began := time.monotonic()) > due:
                report = counting.report(complete=False)
                pause = max(EVERY, REST * (time.monotonic() - began))
                yield report
                due = time.monotonic() + pause
    yield counting.report(complete=True)


def _size(source: Source, limit: int | None) -> int | None:
    try:
        size = source.size()
        return min(size, limit) if size and limit else size
    except UserError:  # a file that breaks off; the rows before that are still looked at
        return None


def _until_it_breaks(source: Source, data: Data, counting: "_Counting") -> Iterator[Row | Broken]:
    """The rows; a place after which nothing can be read ends them, and is remembered."""
    try:
        yield from rows.chosen(source, data)
    except UserError as error:
        counting.broken = error


Look = Callable[[list[Row | Broken]], list[_Seen]]
Pool = Callable[[], ProcessPoolExecutor]  # made when it is first asked for


@contextmanager
def _workers(load: Callable[[], Any], how: Options, count: int) -> Iterator[Pool]:
    """Other processes, should they be needed; they end with the block."""
    pools: list[ProcessPoolExecutor] = []

    def pool() -> ProcessPoolExecutor:
        spawn = multiprocessing.get_context("spawn")
        pools.append(ProcessPoolExecutor(count, spawn, initializer=_equip, initargs=(load, how)))
        return pools[0]

    try:
        yield pool
    finally:
        for pool_ in pools:
            pool_.shutdown(wait=True, cancel_futures=True)


def _looked_at(all_rows: Iterator[Row | Broken], look: Look, pool: Pool, count: int) -> Iterator[list[_Seen]]:
    """Chunks in order: the first rows by this process, the rest by others, so many chunks ahead at most."""
    chunks, began = _chunks(all_rows), time.monotonic()
    while count == 1 or time.monotonic() - began < ALONE:
        if not (chunk := next(chunks, None)):
            return
        yield look(chunk)
    if not (following := next(chunks, None)):
        return
    others = pool()
    waiting: deque[Future] = deque()
    for chunk in itertools.chain([following], chunks):
        waiting.append(others.submit(_look_here, chunk))
        if len(waiting) >= count * AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _chunks(all_rows: Iterator[Row | Broken]) -> Iterator[list[Row | Broken]]:
    while chunk := list(itertools.islice(all_rows, AT_ONCE)):
        yield chunk


def _look(tokenizer: Any, how: Options, chunk: list[Row | Broken]) -> list[_Seen]:
    return [_summed_up(rows.examine(row, how, tokenizer), tokenizer) for row in chunk]


_equipment: dict[str, Any] = {}  # of a helper process: the tokenizer and the options that it works with


def _equip(load: Callable[[], Any], how: Options) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):  # Windows has none
        os.nice(NICE)
    _equipment.update(tokenizer=load(), how=how)


def _end_with_parent() -> None:
    """A helper whose parent was killed would wait for rows for ever."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _look_here(chunk: list[Row | Broken]) -> list[_Seen]:
    return _look(**_equipment, chunk=chunk)


def _summed_up(row: Examined, tokenizer: Any) -> _Seen:
    talk, tokens = row.conversation, row.tokens
    return _Seen(
        number=row.number,
        problems=row.problems,
        print=fingerprint(talk) if talk else None,
        tokens=len(tokens.input_ids) + tokens.cut if tokens else None,
        trained=tokens.trained if tokens else 0,
        turns=len(talk.messages) if talk else 0,
        offered=[tool["function"]["name"] for tool in talk.tools] if talk else [],
        called=called(talk) if talk else [],
        tool_tokens=(_tokens(talk.tools, tokenizer), _tokens(with_used_tools(talk).tools, tokenizer))
        if talk
        else (0, 0),
    )


def _tokens(tools: list[dict], tokenizer: Any) -> int:
    """How many tokens the schemas of these tools are."""
    return sum(_count(json.dumps(tool, ensure_ascii=False), tokenizer) for tool in tools)


@lru_cache(maxsize=4096)  # rows of one dataset offer the same tools again and again
def _count(text: str, tokenizer: Any) -> int:
    return len(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


class _Counting:
    """What is kept of the rows that were looked at."""

    def __init__(
        self, source: Source, data: Data, how: Options, max_length: int, elsewhere: frozenset[bytes], cures: Cures
    ):
        self.source, self.data, self.how, self.max_length, self.cures = source, data, how, max_length, cures
        self.neighbours = Neighbours(elsewhere)
        self.total = data.limit if data.where else _size(source, data.limit)
        self.broken: UserError | None = None
        self.rows = self.trainable = self.read = self.trained = 0
        self.left_out: Counter[str] = Counter()
        self.lengths = array("q")
        self.turns: Counter[int] = Counter()
        self.offered: Counter[str] = Counter()
        self.called: Counter[str] = Counter()
        self.tool_tokens = {"all": 0, "used": 0}
        self.found: dict[str, array] = defaultdict(lambda: array("q"))  # check -> numbers of its rows
        self.examples: dict[str, list[str]] = defaultdict(list)

    def add(self, row: _Seen) -> None:
        self.rows += 1
        problems = row.problems + self.neighbours.problems(row.number, row.print)
        if unwanted := next((one.check for one in problems if one.check in self.data.leave_out), None):
            self.left_out[unwanted] += 1
            return
        for problem in problems:
            self._note(row.number, problem)
        self.turns[row.turns] += 1
        self.offered.update(set(row.offered))
        self.called.update(row.called)
        for which, count in zip(("all", "used"), row.tool_tokens, strict=True):
            self.tool_tokens[which] += count
        if row.tokens is not None:
            self.lengths.append(row.tokens)
            if row.trained:
                self.trainable += 1
                self.read += min(row.tokens, self.max_length)
                self.trained += row.trained

    def _note(self, number: int, problem: Problem) -> None:
        numbers, examples = self.found[problem.check], self.examples[problem.check]
        if not numbers or numbers[-1] != number:
            numbers.append(number)
        if len(examples) < EXAMPLES:
            examples.append(f"row {number}: {problem.detail}")

    def report(self, complete: bool) -> Report:
        lengths = statistics.lengths(self.lengths, self.max_length)
        lengths["packed_sequences"] = statistics.packed(self.lengths, self.max_length) if complete else None
        if self.broken:
            self.found["broken_file"] = array("q", [self.rows])
            self.examples["broken_file"] = [f"after row {self.rows}: {self.broken.what} {self.broken.why}"]
        return Report(
            source=self.source.name,
            format=self.how.format,
            complete=complete,
            rows=self.rows,
            total=self.total,
            trainable_rows=self.trainable,
            left_out=dict(self.left_out),
            findings=[self._finding(name, lengths) for name in CHECKS if name in self.found],
            lengths=lengths,
            total_tokens=self.read,
            trained_tokens=self.trained,
            turns=dict(sorted(self.turns.items())),
            tools={name: [self.offered[name], self.called[name]] for name in sorted(self.offered | self.called)},
            tool_tokens=dict(self.tool_tokens),
            tools_shown=self.data.tools,
        )

    def _finding(self, name: str, lengths: dict[str, Any]) -> Finding:
        kind, numbers = CHECKS[name], self.found[name]
        return Finding(
            check=name,
            severity=kind.severity,
            title=kind.title,
            count=len(numbers),
            rows=numbers.tolist(),
            advice=kind.advice,
            examples=self.examples[name],
            cures=list(self.cures.of(name, len(numbers), lengths["recommended_max_length"], self._has_unused_tools())),
        )

    def _has_unused_tools(self) -> bool:
        return any(count > self.called[name] for name, count in self.offered.items())
