"""What a page costs, asked from a headless Chromium: when something was drawn, bytes that came, long tasks.

    with watching(browser, address, DRAWN) as page:     DRAWN: JavaScript that is true once the chart is there
        page.drawn                                      seconds from navigation, by the page's own clock; None: never
        page.over(15, server, poll="/tick")             what came and was computed in 15 seconds

Each is a browser context of its own, so that nothing is in a cache.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, TimeoutError

SIZE: Any = {"width": 1440, "height": 900}
DRAWN_SECONDS = 60  # a page that has drawn nothing by then never will
SETTLE_SECONDS = 3  # after the first chart, before anything is counted
# Looked for once a frame; what is there by then is on the screen one frame later.
INIT = """(() => {
  window.bench = { drawn: null, tasks: [] };
  new PerformanceObserver((list) => list.getEntries().forEach((one) => bench.tasks.push(one.duration)))
    .observe({ type: "longtask", buffered: true });
  const frame = window.requestAnimationFrame.bind(window); // a page may put another in its place
  const there = () => { try { return DRAWN; } catch { return false; } };
  const look = () => there() ? frame(() => (bench.drawn = performance.now())) : frame(look);
  frame(look);
})()"""


@dataclass
class Watching:
    page: Page
    drawn: float | None = None
    bytes: dict[str, float] = field(default_factory=dict)  # of each answer, as it came over the wire
    asked: dict[str, str] = field(default_factory=dict)  # the address of each request

    def over(self, seconds: float, server: psutil.Process, poll: str) -> dict[str, float]:
        """What the page and its server do in so many seconds; a tick is a request to an address with `poll` in it."""
        before, began = self._counted(server), time.perf_counter()
        known = set(self.asked)
        self.page.wait_for_timeout(seconds * 1000)
        after, took = self._counted(server), time.perf_counter() - began
        cpu, kib, tasks = (after[name] - before[name] for name in ("cpu", "kib", "tasks"))
        ticks = sum(poll in address for one, address in self.asked.items() if one not in known)
        return {
            "seconds": took,
            "cpu_percent": 100 * cpu / took,
            "kib_per_second": kib / took,
            "ticks": ticks,
            "kib_per_tick": kib / ticks if ticks else 0.0,
            "long_ms_per_second": tasks / took,
        }

    def _counted(self, server: psutil.Process) -> dict[str, float]:
        return {
            "cpu": spent(server),
            "kib": sum(self.bytes.values()) / 1024,
            "tasks": self.page.evaluate("bench.tasks.reduce((sum, one) => sum + one, 0)"),
        }


@contextmanager
def watching(browser: Browser, address: str, drawn: str) -> Iterator[Watching]:
    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    page.add_init_script(INIT.replace("DRAWN", drawn))
    found = Watching(page)
    listen(page, found)
    page.goto(address, wait_until="commit")
    with suppress(TimeoutError):
        page.wait_for_function("bench.drawn", timeout=DRAWN_SECONDS * 1000, polling=100)
        found.drawn = page.evaluate("bench.drawn") / 1000
    yield found
    context.close()


def listen(page: Page, found: Watching) -> None:
    """Counts the bytes of each answer, headers included; of one that never ends as they come."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")

    def more(one: str, count: float) -> None:
        found.bytes[one] = found.bytes.get(one, 0) + count

    session.on("Network.requestWillBeSent", lambda e: found.asked.update({e["requestId"]: e["request"]["url"]}))
    session.on("Network.responseReceived", lambda e: more(e["requestId"], e["response"]["encodedDataLength"]))
    session.on("Network.dataReceived", lambda e: more(e["requestId"], max(e["encodedDataLength"], 0)))
    session.on("Network.loadingFinished", lambda e: found.bytes.update({e["requestId"]: e["encodedDataLength"]}))


def spent(process: psutil.Process) -> float:
    """Seconds of processor time, of all its threads."""
    times = process.cpu_times()
    return times.user + times.system
