"""Every promise in numbers, measured in one go; docs/benchmarks.md is written from what came out.

    python bench/all.py --trackio PYTHON              about twenty minutes on two quiet cores; PYTHON has trackio
    python bench/all.py --quick --page quick.md       a try of a few minutes, which judges nothing
    python bench/all.py --only watching writing       the others' rows say "not run"

Each benchmark is a process, one after the other, and leaves its figures as JSON; the page holds nothing else. It is
written anew after each of them, so that what is interrupted leaves what was measured until then. The promises stand in
bench/promises.py.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

from bench.promises import PROMISES, Promise  # noqa: E402

PAGE = PROJECT / "docs" / "benchmarks.md"
LIBRARIES = ("gradio", "torch", "transformers", "trl", "peft")
LIMIT_SECONDS = 1800


@dataclass(frozen=True)
class Bench:
    """A script of this folder."""

    full: str  # its arguments
    quick: str
    method: str  # one line
    peer: bool = False  # it takes --trackio


BENCHES = {
    "startup": Bench(
        "--runs 5", "--runs 1", "`python app.py` and a bare Gradio page start in turns until GET / answers."
    ),
    "watching": Bench(
        "--rows 1000000 --rounds 4 --seconds 12",
        "--rows 20000 --rounds 1 --seconds 3",
        "Monitor and Runs in a headless Chromium: finished runs, one that logs ten rows a second, three pages at once.",
        peer=True,
    ),
    "writing": Bench(
        "--rounds 2 --rows 2000 --kills 10",
        "--rounds 1 --rows 300 --kills 2",
        "A process logs with 5 ms of work between two rows; this one waits for the rows, or kills it.",
        peer=True,
    ),
    "overhead": Bench(
        "--pairs 3 --steps 30",
        "--pairs 1 --steps 8 --batch 2",
        "The same run in the app, its page open, and as a plain TRL script, in turns; losses must be equal.",
    ),
    "data": Bench(
        "--gigabytes 1 --rows 1000 --runs 2",
        "--gigabytes 0.05 --rows 200 --runs 1",
        "From opening a JSONL file to the tokens of its first row; the most memory that the process ever held.",
    ),
    "merge": Bench(
        "--gigabytes 1.5 --rounds 1",
        "--gigabytes 0.4 --rounds 1",
        "An adapter merged from file to file and by PEFT; anonymous memory at its peak; weights must be equal.",
    ),
    "crash": Bench(
        "--kills 5", "--kills 1", "Runs killed in each phase; a witness on the disk says what the store must have."
    ),
}


@dataclass
class Run:
    """What became of one benchmark."""

    command: str
    load: float  # when it began
    seconds: float
    found: Any = None  # its JSON; None where it failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes: a try")
    parser.add_argument("--only", nargs="+", choices=BENCHES, default=list(BENCHES), metavar="NAME")
    parser.add_argument("--trackio", metavar="PYTHON", help="an interpreter that has trackio")
    parser.add_argument("--page", type=Path, default=PAGE, help="where to write the page")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where to leave the figures as JSON too")
    asked = parser.parse_args()
    facts, runs = machine(asked.quick), dict[str, Run]()
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.only:
            runs[name] = run(name, asked, (asked.keep or Path(folder)) / f"{name}.json")
            asked.page.write_text(page(facts, runs, asked.quick), encoding="utf-8")
    print(asked.page.read_text(encoding="utf-8"))
    return int(any(one.found is None for one in runs.values()))


def run(name: str, asked: argparse.Namespace, out: Path) -> Run:
    bench = BENCHES[name]
    sizes = bench.quick if asked.quick else bench.full
    peer = ["--trackio", asked.trackio] if bench.peer and asked.trackio else []
    load, began = os.getloadavg()[0], time.monotonic()
    print(f"{name}: load {load:.1f}", file=sys.stderr, flush=True)
    command = [sys.executable, str(PROJECT / "bench" / f"{name}.py"), *sizes.split(), *peer, "--json", str(out)]
    out.unlink(missing_ok=True)  # of an earlier run
    subprocess.run(command, cwd=PROJECT, timeout=LIMIT_SECONDS, check=False, stdout=sys.stderr)
    words = f"python bench/{name}.py {sizes}{' --trackio PYTHON' if peer else ''}"
    return Run(words, load, time.monotonic() - began, read(out))


def read(out: Path) -> Any:
    """One JSON value, or a list of those in each line; None where a benchmark left nothing."""
    text = out.read_text(encoding="utf-8") if out.exists() else ""
    if not text.strip():
        return None
    return [json.loads(line) for line in text.splitlines()] if out.stem == "crash" else json.loads(text)


def machine(quick: bool) -> dict[str, str]:
    """The machine as it is before anything has begun."""
    loads = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return {
        "Date": time.strftime("%d %B %Y, %H:%M UTC", time.gmtime()),
        "Sizes": "small (--quick): a try" if quick else "full",
        "Processor": f"{processor()}, {os.cpu_count()} cores",
        "Load before": f"{loads} (1, 5 and 15 minutes)",
        "Memory": f"{psutil.virtual_memory().total / 1024**3:.0f} GiB",
        "System": f"{distribution()}, {platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "Libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
    }


def processor() -> str:
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def distribution() -> str:
    known = Path("/etc/os-release").exists()
    return platform.freedesktop_os_release()["PRETTY_NAME"] if known else platform.platform()


def page(facts: dict[str, str], runs: dict[str, Run], quick: bool = False) -> str:
    browser = (runs["watching"].found or {}) if "watching" in runs else {}
    more = {
        title: browser[name] for name, title in (("chromium", "Chromium"), ("trackio", "Trackio")) if name in browser
    }
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "Written by `python bench/all.py` from what its benchmarks measured in one go; not by hand. Each figure",
            "stands beside a peer of the same run where there is one. A loaded machine makes times longer, seldom "
            "shorter.",
            "",
            "| promise | target | measured | peer in the same run | met? |",
            "|---|---|---|---|---|",
            *(row(promise, runs.get(promise.bench), quick) for promise in PROMISES),
            "",
            "## The machine",
            "",
            "| | |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in (facts | more).items()),
            "",
            "## How it was measured",
            "",
            "Each script says at its top what it does. `load` is the machine's when it began.",
            "",
            "| | method | load | took |",
            "|---|---|---|---|",
            *(method(name, runs.get(name)) for name in BENCHES),
            "",
            "```sh",
            *(done.command for done in runs.values()),
            "```",
            "",
        ]
    )


def row(promise: Promise, done: Run | None, quick: bool = False) -> str:
    if done is None or done.found is None:
        cells = ["not run" if done is None else "failed", "", "–"]
    else:
        measured, peer, met = promise.figures(done.found)
        cells = [measured, peer, "sizes too small" if quick else "met" if met else "**missed**"]
    return f"| {' | '.join([promise.title, promise.target, *cells])} |"


def method(name: str, done: Run | None) -> str:
    cells = [f"`bench/{name}.py`", BENCHES[name].method, f"{done.load:.1f}" if done else "", words(done)]
    return f"| {' | '.join(cells)} |"


def words(done: Run | None) -> str:
    return "not run" if done is None else f"{done.seconds:.0f} s"


if __name__ == "__main__":
    raise SystemExit(main())
