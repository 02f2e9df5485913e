"""The pulse: the one poll of a page. It draws the chip of the live run and feeds whatever else is on show.

The browser asks `tick` with what it has already seen; the answer holds only what changed, and when to ask again.

    {"run": "7h2k...", "view": "monitor", "seen": {"chip": "a1f3"}, "cursor": {"loss": 240}}
    {"every": 1000, "chip": {...}, "seen": {"chip": "9c07"}, "points": {"loss": [[241, 0.82]]}}
"""

import json
import time
import zlib
from typing import Any

import gradio as gr

from dfgui.settings import Settings
from dfgui.store import Store
from dfgui.store.news import News
from dfgui.store.runs import ACTIVE
from dfgui.views import progress

BUSY_MS, IDLE_MS = 1000, 4000  # between two questions: while something runs, and while nothing does


def build(settings: Settings, store: Store) -> gr.HTML:
    """The chip. Clicked: open the live run. Changed: `dfgui.live.news` has a new text."""
    pulse = Pulse(settings, store)

    def tick(question: dict) -> dict:
        return pulse.tick(question)

    return gr.HTML(
        "",
        html_template="<div class='chip' hidden></div>",
        js_on_load="dfgui.live.boot(element, server, trigger)",
        server_functions=[tick],
        elem_id="chip",
    )


class Pulse:
    def __init__(self, settings: Settings, store: Store):
        self.settings = settings
        self.store = store
        self.news = News(store.path)

    def tick(self, question: dict[str, Any]) -> dict[str, Any]:
        now = time.time()
        current = self.store.runs.current()
        sections: dict[str, Any] = {"chip": self._chip(current, now), "news": self.news.tag()}
        answer = changed(sections, question.get("seen") or {})
        if "news" in answer:
            answer |= {"has": self.news.has(), "latest": self.news.latest()}
        answer["every"] = BUSY_MS if current else IDLE_MS
        return answer

    def _chip(self, current: dict[str, Any] | None, now: float) -> dict[str, Any] | None:
        last = self.store.metrics.last(current["id"], "loss") if current and current["status"] in ACTIVE else None
        return progress.chip(current, last[1] if last else None, now)


def changed(sections: dict[str, Any], seen: dict[str, str]) -> dict[str, Any]:
    """Those sections that differ from what was seen, and `seen`: the tags to send back next time."""
    tags = {name: f"{zlib.crc32(json.dumps(section).encode()):x}" for name, section in sections.items()}
    fresh = {name: section for name, section in sections.items() if seen.get(name) != tags[name]}
    return {**fresh, "seen": {name: tags[name] for name in fresh}} if fresh else {}
