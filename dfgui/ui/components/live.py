"""The pulse: the one poll of a page. It draws the chip of the live run and feeds whatever else is on show.

The browser asks `tick` with what it has already seen; the answer holds only what changed, and when to ask again.

    {"run": "7h2k...", "view": "monitor", "seen": {"chip": "a1f3"}, "cursor": [240, 200, 240, 240, 240, 200], "part": 0}
    {"every": 1000, "chip": {...}, "seen": {"chip": "9c07"}, "points": {"loss": [241, 0.82]}}

These functions can be called by anybody who may see the page: ids and numbers are checked, and no path is taken.
"""

import json
import time
import zlib
from typing import Any

import gradio as gr

from dfgui import actions
from dfgui.errors import UserError
from dfgui.fields import specs
from dfgui.integrations import space
from dfgui.integrations.connections import Connections, visitor_of
from dfgui.settings import Settings
from dfgui.store import Store
from dfgui.store.news import News
from dfgui.store.runs import ACTIVE
from dfgui.training.resume import RESUMABLE
from dfgui.ui.components.history import History
from dfgui.ui.components.watch import NONE_YET, Watch
from dfgui.views import curves, progress

BUSY_MS, IDLE_MS = 1000, 4000  # between two questions: while something runs, and while nothing does
USER = "dfgui.user"  # where the login leaves the visitor's name in a request's scope
BY_HAND = "hand"  # who asks where nobody has to sign in: "Stopped by hand at step 240"
LAST_STEP = 2**53  # the largest step a browser can count to


def build(settings: Settings, store: Store, connections: Connections) -> gr.HTML:
    """The chip. Clicked: open the live run. Selected: open `dfgui.view.wanted`. Changed: `dfgui.live.news` is new."""
    pulse = Pulse(settings, store, connections)
    return gr.HTML(
        "",
        html_template="<a class='logout' hidden>Log out</a><div class='chip' hidden></div>",
        js_on_load="dfgui.live.boot(element, server, trigger)",
        server_functions=pulse.functions(),
        elem_id="chip",
        apply_default_css=False,
    )


class Pulse:
    def __init__(self, settings: Settings, store: Store, connections: Connections):
        self.settings = settings
        self.store = store
        self.connections = connections
        self.news = News(store.path)
        self.watch = Watch(store)
        self.history = History(settings, store)

    def functions(self) -> list[Any]:
        """What the page may call. Each takes one JSON value; trouble comes back as {"error": {what, why, do}}."""

        def tick(question: dict, request: gr.Request) -> dict:
            return spoken(self.tick, question, signed_in(request))

        def detail(question: dict) -> dict:
            return spoken(self.detail, question)

        def ask(question: dict, request: gr.Request) -> dict:
            return spoken(self.ask, question, who(request))

        def log(question: dict) -> dict:
            return spoken(self.log, question)

        def rename(question: dict) -> dict:
            return spoken(self.history.rename, question)

        def note(question: dict) -> dict:
            return spoken(self.history.note, question)

        def delete(question: dict) -> dict:
            return spoken(self.history.delete, question)

        def compare(question: dict) -> dict:
            return spoken(self.history.compare, question)

        def resuming(question: dict) -> dict:
            return spoken(self.resuming, question)

        def resume(question: dict, request: gr.Request) -> dict:
            return spoken(self.resume, question, visitor_of(request))

        return [tick, detail, ask, log, resuming, resume, rename, note, delete, compare]

    def tick(self, question: dict[str, Any], visitor: str | None = None) -> dict[str, Any]:
        """What changed since the page last asked. `visitor`: the name signed in with, where a login is in force."""
        with self.store.together():
            return self._tick(question, visitor)

    def _tick(self, question: dict[str, Any], visitor: str | None) -> dict[str, Any]:
        now = time.time()
        current = self.store.runs.current()
        shown = current or self.store.runs.left_off()
        tag = self.news.tag()
        told = {"notice": space.notice(self.settings), "visitor": visitor}
        sections: dict[str, Any] = {"chip": self._chip(shown, now), "news": tag, **told}
        extra: dict[str, Any] = {}
        if question.get("view") == "monitor" and question.get("run"):
            extra = self._monitor(sections, question, now)
        elif question.get("view") == "runs":
            extra = self._runs(sections, question, tag)
        seen = question.get("seen")
        answer = changed(sections, seen if isinstance(seen, dict) else {}) | extra
        if "news" in answer:
            answer |= {"has": self.news.has(), "latest": self.news.latest()}
        answer["every"] = BUSY_MS if current else IDLE_MS
        return answer

    def _monitor(self, sections: dict[str, Any], question: dict[str, Any], now: float) -> dict[str, Any]:
        """Adds what is said of a run to `sections`; returns its points and the news of its log."""
        try:
            run = actions.checked(str(question["run"]))
            parts = self.store.parts.of(run)  # first: a part that begins meanwhile is seen by the next question
            found = self.watch.monitor(run, now, parts, question.get("closely") is True)
        except UserError as error:
            sections["missing"] = str(error)
            return {}
        sections |= found
        same = (whole_number(question.get("part")) or 0) == len(parts)
        cursor = _cursor(question.get("cursor")) if same else None
        points = self.watch.points(run, cursor, found["head"]["step"])
        if "curves" in points:
            points["part"] = len(parts)
        events = self.watch.events(run, whole_number(question.get("event")))
        return {**points, **({"events": events} if events else {})}

    def _runs(self, sections: dict[str, Any], question: dict[str, Any], tag: str) -> dict[str, Any]:
        """Adds what changes all the time to `sections`; returns what is new in the table and in a comparison."""
        table = {"runs": self.history.table(question.get("table"), tag)} if question.get("table") != tag else {}
        sections |= {"disk": self.history.in_all(), "live": self.history.live()}
        return table | self.history.compared(question.get("compare"))

    def detail(self, question: dict[str, Any]) -> dict[str, Any]:
        """The curves over a part of the run, finer than the whole can be."""
        start, end = whole_number(question.get("start")) or 0, whole_number(question.get("end"))
        return {"curves": self.watch.curves(actions.checked(str(question.get("run"))), start, end)}

    def ask(self, question: dict[str, Any], by: str) -> dict[str, Any]:
        """Leaves a command for the run."""
        return {
            "command": actions.command(
                self.settings, actions.checked(str(question.get("run"))), str(question.get("command")), by
            )
        }

    def resuming(self, question: dict[str, Any]) -> dict[str, Any]:
        """From where an ended run can go on, and what may change."""
        run = actions.checked(str(question.get("run")))
        return self.watch.resuming(run, actions.whole_checkpoints(self.settings, run))

    def resume(self, question: dict[str, Any], visitor: str = "") -> dict[str, Any]:
        """Puts an ended run back into the queue, to go on from the checkpoint of a step, with the visitor's keys."""
        run = actions.checked(str(question.get("run")))
        step = whole_number(question.get("step"))
        if step is None:
            raise UserError(
                "That is not a checkpoint.", "A checkpoint is named by its step.", "Choose one of the list."
            )
        if self.connections.secrets(visitor):  # else it has what it was started with
            self.connections.hand(run, visitor)
        return {"step": actions.resume(self.settings, run, step, _changes(question.get("changes")))}

    def log(self, question: dict[str, Any]) -> dict[str, Any]:
        """The end of the run's own log file."""
        return {"text": actions.log_tail(self.settings, str(question.get("run")))}

    def _chip(self, current: dict[str, Any] | None, now: float) -> dict[str, Any] | None:
        last = self.store.metrics.last(current["id"], "loss") if current and current["status"] in ACTIVE else None
        return progress.chip(current, last[1] if last else None, now)


def spoken(answer: Any, *question: Any) -> dict[str, Any]:
    """The answer, or the error in words: this is the edge between the page and the rest."""
    if not isinstance(question[0], dict):
        question = ({}, *question[1:])
    try:
        return answer(*question)
    except UserError as error:
        return {"error": error.to_dict(), "every": IDLE_MS}


def who(request: Any) -> str:
    """Who asks for something: the name that the visitor signed in with, or a hand."""
    return signed_in(request) or BY_HAND


def signed_in(request: Any) -> str | None:
    """The visitor's name where a login is in force. What a server function is given is Starlette's own request."""
    return request.scope.get(USER)


def changed(sections: dict[str, Any], seen: dict[str, str]) -> dict[str, Any]:
    """Those sections that differ from what was seen, and `seen`: the tags to send back next time."""
    tags = {name: f"{zlib.crc32(json.dumps(section).encode()):x}" for name, section in sections.items()}
    fresh = {name: section for name, section in sections.items() if seen.get(name) != tags[name]}
    return {**fresh, "seen": {name: tags[name] for name in fresh}} if fresh else {}


def _cursor(given: Any) -> list[int] | None:
    """The last step seen of each metric; None asks for everything afresh."""
    if not isinstance(given, list) or len(given) != len(curves.METRICS):
        return None
    steps = [whole_number(step) for step in given]
    return [NONE_YET if step is None else step for step in steps]


def _changes(given: Any) -> list[str]:
    """{"logging_steps": 1} as ["training.logging_steps=1"]. Raises UserError for what is no whole number."""
    changes = []
    for name, value in given.items() if isinstance(given, dict) else []:
        if name not in RESUMABLE:
            raise UserError("That setting is kept from the checkpoint.", "Few may change.", "Train longer instead.")
        if whole_number(value) is None:
            title = next(spec.title for spec in specs() if spec.path == f"training.{name}")
            raise UserError(f"{title} needs a whole number.", "It counts.", "Write 1, 5 or 100, say.", field=name)
        changes.append(f"training.{name}={value}")
    return changes


def whole_number(given: Any) -> int | None:
    """A step or an id as a page may send it; None for anything else."""
    return given if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= LAST_STEP else None
