"""The life of one run, from its claim to its end: `execute(run, settings, place)`.

It knows nothing of how it was started. What it does, what it found and how it ended goes to the store; what the
libraries say goes to the run's train.log; no exception leaves it. The work between is in stages.py.

    preparing -> running -> finished, stopped or failed

`python -m dfgui.training.worker RUN --home HOME` does it in a process of its own, and in each of several.
"""

import logging
import traceback
from dataclasses import replace
from typing import Any

from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.models import backends, earlier, fastest, imports
from dfgui.settings import Settings
from dfgui.store import Store, Writer
from dfgui.store.insistence import insist
from dfgui.training import choices, memory
from dfgui.training.log import RunLog, tail
from dfgui.training.phases import Phases, Place, Stopped

logger = logging.getLogger("dfgui")

End = tuple[str, str, UserError | None]  # status, reason in words, error if it failed


def execute(run: str, settings: Settings, place: Place | None = None) -> BaseException | None:
    """Runs a claimed run to its end: finished, stopped or failed. Returns what it failed of, None where it did not."""
    place = place or Place()
    store = Store(settings.store_path)
    problem: BaseException | None = None
    try:
        before = memory.held()
        with RunLog(settings.run_folder(run)):
            row = store.runs.get(run)
            config = earlier.pinned(row)
            with Writer(store.path, run, mute=not place.ranks.first) as writer:
                phases = Phases(run, store, writer, place)
                # The jail was asked when the run was started; what it names may be read since.
                end, problem = _live(config, phases, replace(settings, jailed=False))
                if left := memory.left_since(before):
                    writer.event("warning", left)
                if problem and place.ranks.world > 1:
                    logger.error("Process %d of %d gives up", place.ranks.rank + 1, place.ranks.world)
            _end(store, run, place, end)
    except BaseException as error:  # no log could be opened, or the config is not of this version
        problem = _without_traces(error)
        _end(store, run, place, _failure(run, error))
    return problem


def _end(store: Store, run: str, place: Place, end: End) -> None:
    if not place.ranks.first:
        return
    insist(lambda: store.runs.move(run, *end))
    logger.info("%s: %s", *end[:2])


def _live(config: RunConfig, phases: Phases, settings: Settings) -> tuple[End, BaseException | None]:
    """Trains, whatever happens. Returns how it ended, and what it failed of."""
    problem: BaseException | None = None
    try:
        end: End = (*_train(config, phases, settings), None)
    except Stopped as stop:
        end = ("stopped", _stopped_early(phases, str(stop)), None)
        if phases.place.ranks.first:  # a resumed run has the end again that it had, and `end` comes too late
            insist(lambda: phases.store.runs.go_back(phases.run))
    except BaseException as error:  # a panic in Rust, as tokenizers may raise, is no Exception
        facts = phases.facts()
        end = _failure(phases.run, error, config, facts, settings)
        mended = fastest.mended(facts.get("chosen", {}), end[2].changes) if end[2] else []
        if mended and phases.place.ranks.first:  # for a resume
            choices.keep(phases.writer, facts, mended)
        problem = _without_traces(error)
    phases.writer.event("end" if end[2] is None else "error", end[1])
    return end, problem


def _without_traces(problem: BaseException) -> BaseException:
    """The error without what it held on to: a traceback keeps the model, and with it the GPU's memory."""
    link: BaseException | None = problem
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return problem


def _stopped_early(phases: Phases, by: str) -> str:
    step = phases.store.runs.get(phases.run)["global_step"]
    if step:
        return f"Stopped by {by} before it went on; what it had reached until step {step} is as it was."
    return f"Stopped by {by} before the first step; there is no checkpoint."


def _failure(
    run: str,
    problem: BaseException,
    config: RunConfig | None = None,
    facts: dict[str, Any] | None = None,
    settings: Settings | None = None,
) -> End:
    from dfgui.training import failures

    # As text: whoever keeps what is logged would keep the traceback, and with it the model and the GPU's memory.
    logger.error("Run %s failed\n%s", run, "".join(traceback.format_exception(problem)).rstrip())
    last_lines = tail(settings.run_folder(run), failures.LINES) if settings else ""
    error = failures.explain(problem, config, facts, last_lines)
    return "failed", error.what, error


def _train(config: RunConfig, phases: Phases, settings: Settings) -> tuple[str, str]:
    """The run itself, once its libraries are there. Returns how it ended: (status, reason in words)."""
    phases.writer.facts(runs_in=phases.place.words, runs_there_because=phases.place.why)
    phases.writer.facts(engine=backends.described(config.run.backend))
    phases.begin(f"starting {backends.TITLES[config.run.backend]}")
    with imports.one_at_a_time:  # all that it needs, also at its end: the first import is what can go wrong
        if changed := backends.of(config.run.backend).begin(settings.home):  # before all others: it may change them
            phases.writer.event("engine", changed)
        from dfgui.training import stages
    return stages.train(config, phases, settings)


if __name__ == "__main__":
    from dfgui.training import process

    raise SystemExit(process.main())
