"""What it costs to watch: the time until the first chart, a page that is idle, one that is live, and others beside it.

    python bench/watching.py                                                  100k rows, 50 runs x 2,000, 1M rows
    python bench/watching.py --rows 20000 --rounds 1 --seconds 3              a quick try, about a minute
    python bench/watching.py --trackio PYTHON --json watching.json            Trackio's dashboard beside it

Server, browser and writer are processes of their own, on loopback. `--rows` R is for the longest run; the others are
one run of R / 10 and 50 runs of R / 500. Their rows are written through the store's own Writer (bench/rows.py).

First chart: from navigation until the loss is drawn, by the page's clock, each time in a fresh browser context; the
median. Of 50 runs that is the table with a curve of each of them and, as `compare`, five of them in one chart, which
is the most that dfgui puts side by side. A bare Gradio page until its button is there takes turns with it.
Idle: the Monitor page of a finished run of R / 10; the server's processor time and the bytes that reach the browser.
Live: a run that has R / 10 rows and logs ten more each second; bytes by poll, and long tasks (of more than 50 ms) of
the browser's main thread. Crowd: three such pages are open while the smallest GET that pages make is asked 20 times
a second over one connection; `alone` is the same without any page.

With --trackio, an interpreter that has trackio, the same is asked of its dashboard with the same numbers of rows,
taking turns; its chart counts as drawn when a canvas of some size is there. Not of R rows in one run.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from playwright.sync_api import Browser, sync_playwright

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

from bench import startup  # noqa: E402
from bench.browsing import SETTLE_SECONDS, watching  # noqa: E402
from tests.chromium import launched  # noqa: E402

MANY_RUNS, COMPARED, PAGES, RATE, ASKED_RATE = 50, 5, 3, 10, 20
PEER = str(PROJECT / "bench" / "peer.py")
ROWS = str(PROJECT / "bench" / "rows.py")
MONITOR = "document.querySelector('.monitor .readout').textContent.startsWith('step ')"
TABLE = f"document.querySelectorAll('.runs tbody svg.spark path[d^=M]').length >= {MANY_RUNS}"
COMPARISON = "document.querySelector('.comparison .key .now').textContent"  # written as the lines are drawn
BARE = "[...document.querySelectorAll('button')].some((one) => one.textContent.includes('Greet') && one.clientWidth)"
CANVAS = "[...document.querySelectorAll('canvas')].some((one) => one.clientWidth > 100 && one.clientHeight > 50)"
PEER_QUERY = "project=bench"
PEER_ROUNDS = 3  # at most: its page of many runs takes half a minute


@dataclass
class Side:
    """One tracker's page, as a visitor meets it."""

    server: psutil.Process
    address: str  # of the page with the chart
    drawn: str  # JavaScript
    poll: str  # what the address of its poll has in it
    tiny: Callable[[httpx.Client], httpx.Response]  # the smallest request that its page makes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="logged steps of the longest run")
    parser.add_argument("--rounds", type=int, default=5, help="of each first chart, after one that is not counted")
    parser.add_argument("--seconds", type=float, default=15, help="of each look at a page that stays open")
    parser.add_argument("--trackio", metavar="PYTHON", help="an interpreter that has trackio")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write all that was measured")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = launched(playwright)
        found = {"rows": asked.rows, "load": os.getloadavg()[0], "chromium": browser.version}
        if asked.trackio:
            found["trackio"] = printed(asked.trackio, PEER, "version")
        found |= measured(asked, Path(folder), browser)
        browser.close()
    told(found)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))


def measured(asked: argparse.Namespace, folder: Path, browser: Browser) -> dict[str, Any]:
    """Everything, the servers of all homes being up all the while."""
    runs = written(asked, folder)
    with ExitStack() as up:
        servers = {home: up.enter_context(startup.page(startup.our_app(folder / home))) for home in runs}
        servers["bare"] = up.enter_context(startup.page([sys.executable, "-c", startup.BARE_PAGE]))
        for home in ("one", "many") if asked.trackio else ():
            command = [asked.trackio, PEER, "show", str(folder / f"peer-{home}")]
            servers[f"peer-{home}"] = up.enter_context(startup.page(command))
        charts = {case: in_turns(browser, pages, asked.rounds) for case, pages in cases(servers, runs).items()}
        return {"first_chart": charts, **stays_open(asked, folder, browser, servers, runs["one"][0])}


def written(asked: argparse.Namespace, folder: Path) -> dict[str, list[str]]:
    """The ids of the finished runs in each home; Trackio's folders get as many rows."""
    sizes = {"one": (1, asked.rows // 10), "many": (MANY_RUNS, asked.rows // 500), "longest": (1, asked.rows)}
    for home in ("one", "many") if asked.trackio else ():
        printed(asked.trackio, PEER, "fill", str(folder / f"peer-{home}"), *map(str, sizes[home]))
    return {
        home: printed(sys.executable, ROWS, str(folder / home), "--runs", str(runs), "--rows", str(rows)).split()
        for home, (runs, rows) in sizes.items()
    }


def cases(servers: dict[str, startup.Answering], runs: dict[str, list[str]]) -> dict[str, dict[str, tuple[str, str]]]:
    """{case: {"dfgui": (address, JavaScript that is true once it is drawn), "bare": ..., "trackio": ...}}"""
    compared = ",".join(runs["many"][:COMPARED])
    ours = {
        "one": (address(servers["one"], f"view=monitor&run={runs['one'][0]}"), MONITOR),
        "many": (address(servers["many"], "view=runs"), TABLE),
        "compare": (address(servers["many"], f"view=runs&compare={compared}"), COMPARISON),
        "longest": (address(servers["longest"], f"view=monitor&run={runs['longest'][0]}"), MONITOR),
    }
    found = {case: {"dfgui": page, "bare": (address(servers["bare"]), BARE)} for case, page in ours.items()}
    for case in found:
        if f"peer-{case}" in servers:
            found[case]["trackio"] = (address(servers[f"peer-{case}"], PEER_QUERY), CANVAS)
    return found


def in_turns(browser: Browser, pages: dict[str, tuple[str, str]], rounds: int) -> dict[str, list[float | None]]:
    """Seconds until each page is drawn; the first round warms up whatever can be."""
    found: dict[str, list[float | None]] = {name: [] for name in pages}
    for number in range(rounds + 1):
        for name, (where, drawn) in pages.items():
            if name == "trackio" and number > PEER_ROUNDS:
                continue
            with watching(browser, where, drawn) as page:
                found[name].append(page.drawn)
    say(f"first chart: {found}")
    return {name: each[1:] for name, each in found.items()}


def stays_open(
    asked: argparse.Namespace, folder: Path, browser: Browser, servers: dict[str, startup.Answering], run: str
) -> dict[str, Any]:
    """{"idle": {"dfgui": ..., "trackio": ...}, "live": ..., "crowd": ...}"""
    goes_on = [ROWS, str(folder / "one"), "--rows", str(asked.rows // 10), "--rate", str(RATE)]
    writers = {"dfgui": [sys.executable, *goes_on]}
    sides = {"dfgui": lambda said: our_side(servers["one"], said)}
    if asked.trackio:
        writers["trackio"] = [asked.trackio, PEER, "live", str(folder / "peer-one"), str(RATE)]
        sides["trackio"] = lambda _: peer_side(servers["peer-one"])
    found: dict[str, Any] = {"idle": {}, "live": {}, "crowd": {}}
    for name, side in sides.items():
        finished = side(run)
        alone = asked_often(finished, asked.seconds, None)
        found["idle"][name] = one_page(browser, finished, asked.seconds)
        with live(writers[name]) as said:
            found["live"][name] = one_page(browser, side(said), asked.seconds)
            found["crowd"][name] = {"alone": alone, **crowd(browser, side(said), asked.seconds)}
    return found


def our_side(app: startup.Answering, run: str) -> Side:
    where = address(app, f"view=monitor&run={run}")
    return Side(app.process, where, MONITOR, "component_server", lambda client: client.get("/gradio_api/app_id"))


def peer_side(app: startup.Answering) -> Side:
    projects = lambda client: client.post("/api/get_all_projects", json={})  # noqa: E731
    return Side(app.process, address(app, PEER_QUERY), CANVAS, "get_logs_batch", projects)


@contextmanager
def live(command: list[str]) -> Iterator[str]:
    """A writer of its own that logs for as long as the block lasts; what it calls its run."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdin and writer.stdout
        try:
            yield run_of(writer.stdout)
        finally:
            writer.stdin.close()
            writer.wait(60)


def run_of(lines: Iterable[str]) -> str:
    """The first line of a single word: Trackio greets before."""
    return next(line.strip() for line in lines if line.strip() and " " not in line.strip())


def one_page(browser: Browser, side: Side, seconds: float) -> dict[str, float]:
    with watching(browser, side.address, side.drawn) as page:
        page.page.wait_for_timeout(SETTLE_SECONDS * 1000)
        return page.over(seconds, side.server, side.poll)


def crowd(browser: Browser, side: Side, seconds: float) -> dict[str, Any]:
    """Several pages watch; how long the tiny request takes meanwhile."""
    with ExitStack() as open_pages:
        pages = [open_pages.enter_context(watching(browser, side.address, side.drawn)) for _ in range(PAGES)]
        pages[0].page.wait_for_timeout(SETTLE_SECONDS * 1000)
        return {"pages": PAGES, "watched": asked_often(side, seconds, pages[0].page.wait_for_timeout)}


def asked_often(side: Side, seconds: float, pause: Callable[[float], None] | None) -> list[float]:
    """Milliseconds of each tiny request. `pause` takes milliseconds and lets the pages' events in."""
    found = []
    root = side.address.split("/?")[0]
    with httpx.Client(base_url=root, timeout=60) as client:
        side.tiny(client).raise_for_status()
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            began = time.perf_counter()
            side.tiny(client).raise_for_status()
            found.append(1000 * (time.perf_counter() - began))
            wait = 1000 / ASKED_RATE
            pause(wait) if pause else time.sleep(wait / 1000)
    return found


def address(server: startup.Answering, query: str = "") -> str:
    return f"http://127.0.0.1:{server.port}/?{query}"


def printed(*command: str) -> str:
    """What a process said; one that fails ends this."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=1800).stdout.strip()


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def p95(values: list[float]) -> float:
    return sorted(values)[min(int(0.95 * len(values)), len(values) - 1)]


def middle(seconds: list[float | None]) -> float | None:
    """The median; None where a page never drew."""
    drawn = [one for one in seconds if one is not None]
    return statistics.median(drawn) if len(drawn) == len(seconds) else None


def told(found: dict[str, Any]) -> None:
    print(f"{found['rows']:,} rows at most; load {found['load']:.1f}")
    for case, each in found["first_chart"].items():
        print(
            f"first chart, {case:8}", *(f"{name} {middle(ones) or 0:.2f} s" for name, ones in each.items()), sep="   "
        )
    for name in found["idle"]:
        idle, now, crowded = (found[part][name] for part in ("idle", "live", "crowd"))
        print(f"{name}, idle: {idle['cpu_percent']:.1f} % of a core, {idle['kib_per_second']:.2f} KiB/s")
        print(
            f"{name}, live: {now['kib_per_tick']:.2f} KiB a tick of {now['ticks']}, {now['kib_per_second']:.1f} KiB/s, "
            f"long tasks {now['long_ms_per_second']:.0f} ms/s, server {now['cpu_percent']:.1f} %"
        )
        each = crowded["watched"]
        print(
            f"{name}, a tiny request with {crowded['pages']} pages: p95 {p95(each):.1f} ms, median "
            f"{statistics.median(each):.1f}; alone p95 {p95(crowded['alone']):.1f} ms"
        )


if __name__ == "__main__":
    main()
