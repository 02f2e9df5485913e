"""What a Monitor page that stays open costs, minute by minute: the server's processor time, the bytes, the browser.

    python bench/open_page.py                             three pages for an hour, two steps a second
    python bench/open_page.py --minutes 5 --pages 1 --json page.jsonl

A run that trains nothing logs as a trainer does; the app and the browser are processes of their own. Of every minute:
seconds of processor time that the app and the browser took, requests and kilobytes of all pages, and of the first page
its JavaScript heap (after a collection) and its DOM nodes. What grows with time would be seen in the last minutes.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import CDPSession, Page, sync_playwright

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

from dfgui import settings  # noqa: E402
from dfgui.store import Store  # noqa: E402
from tests.browser.trainer import Trainer  # noqa: E402
from tests.chromium import launched  # noqa: E402
from tests.server.processes import APP, free_port, served  # noqa: E402

COLUMNS = {"app": "app s", "browser": "browser s", "requests": "requests", "kilobytes": "kB", "heap": "heap MB"}
FORMATS = {"app": ".2f", "browser": ".2f", "requests": ".0f", "kilobytes": ".0f", "heap": ".1f", "nodes": ".0f"}
FEW = 3  # minutes that are compared at either end


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=int, default=60, help="after one that is not counted")
    parser.add_argument("--pages", type=int, default=3)
    parser.add_argument("--rate", type=float, default=2.0, help="steps a second")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where each minute goes, as a line")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        home = Path(name) / "home"
        store = Store(settings.load(home=home, jailed=False).store_path)
        flags = ("--home", str(home), "--port", str(free_port()), "--no-browser")
        steps = int((asked.minutes + 2) * 60 * asked.rate)
        with served(*flags, home=home, command=APP) as app, Trainer(store, rate=asked.rate, max_steps=steps) as run:
            browser = launched(playwright, "--enable-precise-memory-info")
            pages = [browser.new_page(viewport={"width": 1440, "height": 900}) for _ in range(asked.pages)]
            found = watched(pages, f"{app.url}/?view=monitor&run={run.run}", app.process.pid, asked)
            browser.close()
    told(found)


def watched(pages: list[Page], address: str, app: int, asked: argparse.Namespace) -> list[dict[str, float]]:
    """One dict for each minute."""
    sent = {"requests": 0, "kilobytes": 0.0}
    for page in pages:
        page.goto(address)
        page.locator(".monitor .name").wait_for()
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", lambda _: sent.update(requests=sent["requests"] + 1))
        session.on(
            "Network.dataReceived", lambda one: sent.update(kilobytes=sent["kilobytes"] + one["dataLength"] / 1e3)
        )
    session = pages[0].context.new_cdp_session(pages[0])
    session.send("Performance.enable")
    found: list[dict[str, float]] = []
    before = counted(session, app, sent)
    for minute in range(asked.minutes + 1):
        pages[0].wait_for_timeout(60_000)
        now = counted(session, app, sent)
        running = {name: now[name] - before[name] for name in ("app", "browser", "requests", "kilobytes")}
        before = now
        if minute:  # the first one loads what every page loads
            found.append({"minute": minute, **running, "heap": now["heap"], "nodes": now["nodes"]})
            print(line(found[-1]), flush=True)
            if asked.json:
                with asked.json.open("a") as file:
                    file.write(json.dumps(found[-1]) + "\n")
    return found


def counted(session: CDPSession, app: int, sent: dict[str, Any]) -> dict[str, float]:
    session.send("HeapProfiler.collectGarbage")
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    browser = [one for one in psutil.Process().children(recursive=True) if "chrom" in one.name()]
    return {
        "app": spent(app),
        "browser": sum(spent(one.pid) for one in browser),
        "heap": metrics["JSHeapUsedSize"] / 1e6,
        "nodes": metrics["Nodes"],
        **sent,
    }


def kilobytes(received: dict[str, Any]) -> float:
    return received["dataLength"] / 1e3


def spent(pid: int) -> float:
    """Seconds of processor time."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def line(minute: dict[str, float]) -> str:
    cells = [f"{minute[name]:{form}} {COLUMNS.get(name, name)}" for name, form in FORMATS.items()]
    return f"minute {minute['minute']:3.0f}: {', '.join(cells)}"


def told(found: list[dict[str, float]]) -> None:
    first, last = found[:FEW], found[-FEW:]
    print(f"{'median of':10} {f'first {len(first)}':>12} {f'last {len(last)}':>12}")
    for name, form in FORMATS.items():
        one, two = (statistics.median(minute[name] for minute in part) for part in (first, last))
        print(f"{COLUMNS.get(name, name):10} {one:12{form}} {two:12{form}}")
    print(f"{time.strftime('%H:%M')}, load {psutil.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
