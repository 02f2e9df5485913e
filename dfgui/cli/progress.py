"""How far a command is, told on stderr: bars where that is a terminal, lines where it is a file or a pipe.

    tokenising: 100%|##########| 540/540 [00:02<00:00, 251.30rows/s]
    training:  50%|#####     | 30/60 [00:41, loss 0.713, lr 2e-4, 40 s left]

    step 30/60  loss 0.713  lr 2e-4  40 s left

A command says how far it is as often as it likes: `with telling() as tell: tell(of_run(run, store, time.time()))`.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from tqdm import tqdm

from dfgui import words
from dfgui.data.report import Report
from dfgui.store import Store
from dfgui.views import progress

SECONDS = 5.0  # between two lines, unless a new phase begins
COUNTED = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}{postfix}]"
STEPS = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"  # a run knows better than tqdm how long it takes
UNCOUNTED = "{desc} [{elapsed}]"
WAITING = "waiting for its turn"


@dataclass(frozen=True)
class Stage:
    """What goes on now, and how far it is. A `total` of None: nobody knows how much there is."""

    name: str  # "tokenising"; another name is another bar
    line: str  # all of it in words: "tokenising 300 of 540 rows"
    done: int = 0
    total: int | None = None
    unit: str = ""  # "rows", "bytes", "batches", "steps"
    more: tuple[str, ...] = ()  # ("loss 0.713", "lr 2e-4")


class Teller(Protocol):
    """Who tells it, in one way or the other."""

    def __call__(self, stage: Stage) -> None: ...

    def say(self, sentence: str) -> None:
        """Something else, on a line of its own."""

    def close(self) -> None: ...


@contextmanager
def telling(out: TextIO | None = None) -> Iterator[Teller]:
    """Whoever tells how far it is, for as long as it takes."""
    out = out or sys.stderr
    teller: Teller = Bars(out) if out.isatty() else Lines(out)
    with _alone():
        try:
            yield teller
        finally:
            teller.close()


@contextmanager
def _alone() -> Iterator[None]:
    """The libraries keep their own bars to themselves: they would be drawn across these, and a run tells the same."""
    from huggingface_hub import utils as hub  # transformers does as it does

    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    quiet = hub.are_progress_bars_disabled()
    if not quiet:
        hub.disable_progress_bars()
    try:
        yield
    finally:
        if not quiet:
            hub.enable_progress_bars()


def of_run(run: dict[str, Any], store: Store, now: float) -> Stage:
    """Where a run stands: a phase before its first step, then its steps. `now` is in seconds since 1970."""
    if run["status"] == "queued":
        return Stage(WAITING, WAITING)
    if not run["first_step_at"]:
        name = progress.DOING.get(run["phase"], run["phase"] or "preparing")
        done, total, unit = run["phase_done"] or 0, run["phase_total"], run["phase_unit"] or ""
        return Stage(name, progress.phase(run) or name, done, total, unit)
    more = tuple(_measured(run, store, now))
    line = "  ".join([f"step {run['global_step']}/{run['max_steps']}", *more])
    return Stage("training", line, run["global_step"], run["max_steps"], "steps", more)


def _measured(run: dict[str, Any], store: Store, now: float) -> Iterator[str]:
    for name, short in {"loss": "loss", "eval_loss": "eval loss", "learning_rate": "lr"}.items():
        if last := store.metrics.last(run["id"], name):
            yield f"{short} {'nan' if last[1] is None else words.number(last[1])}"
    if run["phase"] == "evaluating":
        yield progress.phase(run)
    elif left := progress.left(run, now):
        yield left


def of_check(report: Report | None) -> Stage:
    """How many rows have been looked at; None before the first."""
    if report is None:
        return Stage("checking", "checking", unit="rows")
    found = words.counted(sum(finding.count for finding in report.findings), "finding")
    of = f" of {words.whole(report.total)}" if report.total else ""
    line = f"{words.whole(report.rows)}{of} rows  {found}"
    return Stage("checking", line, report.rows, report.rows if report.complete else report.total, "rows", (found,))


class Lines:
    """A line for each phase, and in between one every few seconds; the last one always."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic):
        self._out = out
        self._clock = clock
        self._name = ""
        self._told = ""
        self._last = ""
        self._told_at = 0.0

    def __call__(self, stage: Stage) -> None:
        self._last = stage.line
        if stage.name != self._name or self._clock() - self._told_at >= SECONDS:
            self._name = stage.name
            self._tell()

    def say(self, sentence: str) -> None:
        print(sentence, file=self._out, flush=True)

    def close(self) -> None:
        self._tell()

    def _tell(self) -> None:
        if self._last != self._told:
            self._told, self._told_at = self._last, self._clock()
            self.say(self._told)


class Bars:
    """A bar for each phase, below those that are done."""

    def __init__(self, out: TextIO):
        self._out = out
        self._name = ""
        self._bar: Any = None

    def __call__(self, stage: Stage) -> None:
        if stage.name != self._name:
            self._complete()
            self._name, self._bar = stage.name, self._begun(stage)
        bar = self._bar
        bar.total, bar.n = stage.total, stage.done
        bar.unit, bar.unit_scale = ("B", True) if stage.unit == "bytes" else (stage.unit, False)
        bar.bar_format = UNCOUNTED if not stage.total else STEPS if stage.unit == "steps" else COUNTED
        bar.set_postfix_str(", ".join(stage.more))  # which draws it

    def say(self, sentence: str) -> None:
        tqdm.write(sentence, file=self._out)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def _complete(self) -> None:
        """A phase that another follows is done, though it may not have come to say so."""
        if self._bar is not None:
            self._bar.n = self._bar.total or self._bar.n
            self._bar.close()

    def _begun(self, stage: Stage) -> Any:
        """What is done already took its time before: a resumed run begins at its checkpoint."""
        return tqdm(
            desc=stage.name,
            total=stage.total,
            initial=stage.done,
            file=self._out,
            bar_format=UNCOUNTED,
            dynamic_ncols=True,
            miniters=1,
        )
