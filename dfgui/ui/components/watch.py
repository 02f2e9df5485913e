"""What the pulse reads from the store for the page on show: sections that are sent when they change, and points.

A cursor is the last step seen of each metric, in the order of `curves.METRICS`; without one the curves come afresh.
They do too where the run has begun another part since: what the page holds may lie on a curve that was set aside.
"""

from typing import Any

from dfgui.config import EarlyStopping
from dfgui.store import Store, owner
from dfgui.store.runs import ACTIVE
from dfgui.training.resume import RESUMABLE
from dfgui.views import commands, curves, marks, monitor, progress, resume, trainer_state

NONE_YET = -1  # the cursor of a metric that has no point
MANY = 1000  # new points of one metric; beyond that the curves are sent afresh
FIRST_EVENTS, MORE_EVENTS = 100, 30


class Watch:
    def __init__(self, store: Store):
        self.store = store

    def monitor(self, run_id: str, now: float, parts: list[dict[str, Any]], closely: bool = False) -> dict[str, Any]:
        """Everything about one run but its curves and its log; `closely`: its TrainerState too.

        `parts` were read before anything else. Raises UserError when there is no such run.
        """
        run = self.store.runs.get(run_id)
        checkpoints = self.store.checkpoints.of(run_id)
        asked = self.store.commands.of(run_id)
        tokens = self._tokens_per_step(run)
        watched = EarlyStopping.model_validate(run["config"].get("early_stopping") or {})
        evals = self.store.metrics.series(run_id, watched.metric, curves.MOST)
        shown = monitor.checkpoints(checkpoints)
        sections = {
            "head": monitor.head(run, now, self._queue_place(run), tokens),
            "best": monitor.best_of(watched, evals),
            "ending": monitor.ending(run, checkpoints),
            "resume": resume.offered(run, checkpoints),
            "checkpoints": shown,
            "older": len(checkpoints) - len(shown),
            "commands": commands.commands(asked, run, run["status"] in ACTIVE and owner.is_here(run["owner"])),
            "marks": marks.marks(asked, parts),
            "about": monitor.about(run),
        }
        return sections | ({"state": trainer_state.rows(run, now, tokens)} if closely else {})

    def points(self, run_id: str, cursor: list[int] | None, step: int) -> dict[str, Any]:
        """{"points": {name: [step, value, ...]}} since the cursor, or {"curves": {name: curve}} afresh.

        `step` is where the run stands: no cursor of its curve is beyond it.
        """
        if cursor is None or max(cursor) > step:
            return {"curves": self.curves(run_id)}
        fresh = {
            name: self.store.metrics.since(run_id, name, seen, MANY)
            for name, seen in zip(curves.METRICS, cursor, strict=True)
        }
        if any(len(points) == MANY for points in fresh.values()):
            return {"curves": self.curves(run_id)}
        points = {name: curves.added(points) for name, points in fresh.items() if points}
        return {"points": points} if points else {}

    def curves(self, run_id: str, start: int = 0, end: int | None = None) -> dict[str, curves.Curve]:
        """Every metric the run has, over the steps start..end."""
        found = {}
        for name in curves.METRICS:
            buckets = self.store.metrics.series(run_id, name, curves.MOST, start, end)
            if buckets:
                found[name] = curves.curve(buckets)
        return found

    def events(self, run_id: str, after: int | None) -> list[list[Any]]:
        """The log's lines after one; without one from the moment the run was asked for, so that it is never empty."""
        if after is None:
            told = monitor.events(self.store.events.tail(run_id, 0, FIRST_EVENTS))
            return [monitor.asked_for(self.store.runs.get(run_id)), *told]
        return monitor.events(self.store.events.tail(run_id, after, MORE_EVENTS))

    def resuming(self, run_id: str, whole: list[dict[str, Any]]) -> dict[str, Any]:
        """What the dialog offers for a run that has ended; `whole` are its checkpoints that can be gone on from."""
        run = self.store.runs.get(run_id)
        behind = self.store.metrics.behind(run_id, "loss", [row["step"] for row in whole])
        return resume.choices(run, whole, behind, RESUMABLE)

    def _tokens_per_step(self, run: dict[str, Any]) -> float | None:
        newest = self.store.metrics.last(run["id"], "num_tokens")
        before = self.store.metrics.last(run["id"], "num_tokens", run["begun_at_step"]) if newest else None
        return progress.tokens_per_step(newest, before)

    def _queue_place(self, run: dict[str, Any]) -> int:
        """1 is the next one to begin; 0 for a run that does not wait."""
        if run["status"] != "queued":
            return 0
        waiting = [other for other in self.store.runs.all() if other["status"] == "queued"]
        return sum(other["created_at"] < run["created_at"] for other in waiting) + 1
