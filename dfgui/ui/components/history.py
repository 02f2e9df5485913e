"""What the Runs page reads and asks for: the table, what came into it since, runs side by side, names, notes, deletion.

The browser says which state of the table it has; what comes back are the rows that are different now:

    {"tag": "finished3 ...", "rows": [...], "gone": ["7h2kq0x1zz"]}       "whole" is true where it had none
"""

import shutil
from typing import Any

from dfgui import actions, words
from dfgui.artifacts.disk import Usage
from dfgui.errors import UserError
from dfgui.settings import Settings
from dfgui.store import Store
from dfgui.store.runs import ACTIVE, ENDED
from dfgui.views import comparison, curves, runs
from dfgui.views.runs import Measured
from dfgui.views.spark import READ, spark

KEPT = 8  # states of the table that are remembered, so that a page that has one of them is told what changed
COMPARED = ("loss", "eval_loss")
FEWEST, MOST = 2, 5  # runs side by side
MANY = 1000  # new points of one metric; beyond that its curve is sent afresh


class History:
    def __init__(self, settings: Settings, store: Store):
        self.settings = settings
        self.store = store
        self.usage = Usage(settings.runs)
        self._measured: dict[tuple[Any, ...], Measured] = {}
        self._told: dict[str, dict[str, dict[str, Any]]] = {}  # tag -> run -> its row

    def table(self, seen: Any, tag: str) -> dict[str, Any]:
        """What changed since the state `seen`; everything where that is not remembered."""
        rows = {row["run"]: row for row in self.rows()}
        before = self._told.get(seen) if isinstance(seen, str) else None
        self._told = dict([*self._told.items(), (tag, rows)][-KEPT:])
        if before is None:
            return {"tag": tag, "rows": list(rows.values()), "whole": True}
        changed = [row for run, row in rows.items() if before.get(run) != row]
        return {"tag": tag, "rows": changed, "gone": [run for run in before if run not in rows]}

    def rows(self) -> list[dict[str, Any]]:
        """Every run as a row of the Runs page, newest first."""
        found = self.store.runs.all()
        kept = self.store.overview.checkpoints()
        sizes = self.usage.look(run["id"] for run in found)
        names = {run["id"]: run["name"] for run in found}
        known = self._measured
        self._measured = {_state(run): known.get(_state(run)) or self._measure(run) for run in found}
        return [
            runs.row(run, self._measured[_state(run)], kept.get(run["id"]), sizes[run["id"]], names) for run in found
        ]

    def in_all(self) -> str:
        """ "12 runs, 3.1 GB on disk, 210 GB free", as it was when the table was last looked through."""
        if not self._measured:
            self.rows()
        free = shutil.disk_usage(self.settings.home).free
        return runs.in_all(len(self._measured), self.usage.total, free)

    def live(self) -> list[list[str]]:
        """[run, steps, loss, spark] of those that train now: what changes from one look to the next."""
        active = [(run, self._measure(run)) for run in self.store.runs.active()]
        return [
            [run["id"], runs.steps(run), words.number(found.loss) if found.loss is not None else "", found.spark]
            for run, found in active
        ]

    def rename(self, question: dict[str, Any]) -> dict[str, Any]:
        return {"name": actions.rename(self.settings, str(question.get("run")), _text(question))}

    def note(self, question: dict[str, Any]) -> dict[str, Any]:
        return {"note": actions.annotate(self.settings, str(question.get("run")), _text(question))}

    def delete(self, question: dict[str, Any]) -> dict[str, Any]:
        gone = actions.delete(self.settings, _ids(question.get("runs")))
        return {"gone": [one["run"] for one in gone], "words": f"{words.deleted(gone)}."}

    def compare(self, question: dict[str, Any]) -> dict[str, Any]:
        """Two to five runs side by side; what is not there any more is left out and named in `missing`."""
        asked = _ids(question.get("runs"))[:MOST]
        there = {run["id"]: run for run in self.store.runs.all()}
        found = [there[run] for run in asked if run in there]
        if len(found) < FEWEST:
            raise UserError(
                "There is nothing to compare.", "Fewer than two of these runs are still here.", "Choose 2 to 5 runs."
            )
        measured = [self._measure(run) for run in found]
        names = {run["id"]: run["name"] for run in there.values()}
        return {
            "missing": len(asked) - len(found),
            "runs": [_compared(run) for run in found],
            "results": comparison.results(found, measured),
            "settings": comparison.differences(found, names),
            "curves": {run["id"]: self._curves(run["id"]) for run in found},
        }

    def compared(self, asked: Any) -> dict[str, Any]:
        """What is new of compared runs that go on. `asked`: {run: the last step seen of each of COMPARED}."""
        if not isinstance(asked, dict):
            return {}
        news = {}
        for run, cursor in list(asked.items())[:MOST]:
            seen = cursor if isinstance(cursor, list) and len(cursor) == len(COMPARED) else [-1] * len(COMPARED)
            try:
                news[run] = self._since(actions.checked(str(run)), [at if isinstance(at, int) else -1 for at in seen])
            except UserError:  # it was deleted: whoever shows it asks for the comparison anew
                news[run] = {"ended": True}
        return {"compared": {run: new for run, new in news.items() if new}}

    def _since(self, run: str, cursor: list[int]) -> dict[str, Any]:
        row = self.store.runs.get(run)
        ended = {"ended": True} if row["status"] in ENDED else {}
        if max(cursor) > row["global_step"]:  # a curve that has been set aside since
            return {"curves": self._curves(run), **ended}
        fresh = {
            name: self.store.metrics.since(run, name, seen, MANY) for name, seen in zip(COMPARED, cursor, strict=True)
        }
        if any(len(points) == MANY for points in fresh.values()):
            return {"curves": self._curves(run), **ended}
        points = {name: curves.added(points) for name, points in fresh.items() if points}
        return {**({"points": points} if points else {}), **ended}

    def _curves(self, run: str) -> dict[str, curves.Curve]:
        series = {name: self.store.metrics.series(run, name, curves.MOST) for name in COMPARED}
        return {name: curves.curve(buckets) for name, buckets in series.items() if buckets}

    def _measure(self, run: dict[str, Any]) -> Measured:
        loss = self.store.metrics.last(run["id"], "loss")
        evals = self.store.metrics.series(run["id"], "eval_loss", 100)
        curve = self.store.metrics.series(run["id"], "loss", READ)
        # A bucket's lowest value is what the best is looked for in, its last one what the newest is.
        points = [(bucket[0], bucket[1]) for bucket in evals]
        if evals and evals[-1][3] is not None and evals[-1][3] != evals[-1][1]:
            points.append((evals[-1][0], evals[-1][3]))
        return Measured(loss[1] if loss else None, tuple(points), spark(curve))


def _state(run: dict[str, Any]) -> tuple[Any, ...]:
    """What a run's measurements hang on; one that goes on is measured each time."""
    going = (run["heartbeat_at"],) if run["status"] in ACTIVE else ()
    return (run["id"], run["status"], run["ended_at"], run["global_step"], *going)


def _text(question: dict[str, Any]) -> str:
    if not isinstance(text := question.get("text"), str):
        raise UserError("Nothing was written.", "The words did not arrive.", "Write them again.")
    return text


def _ids(given: Any) -> list[str]:
    """Ids as a page may send them. Raises UserError for anything else."""
    if not isinstance(given, list) or not given:
        raise UserError("No run was chosen.", "Nothing is marked.", "Mark the boxes of the runs you mean.")
    return [actions.checked(str(run)) for run in dict.fromkeys(map(str, given))]


def _compared(run: dict[str, Any]) -> dict[str, Any]:
    """A run as the chart wants it. `epoch`: epochs in one step, to draw by epoch; None before it is known."""
    known = run["epoch"] and run["global_step"]
    return {
        "run": run["id"],
        "name": run["name"],
        "state": run["status"],
        "status": words.STATUS[run["status"]],
        "going": run["status"] not in ENDED,
        "epoch": run["epoch"] / run["global_step"] if known else None,
    }
