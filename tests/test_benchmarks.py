"""docs/benchmarks.md and the benchmarks that it is written from belong together. Nothing is measured here."""

import re
from pathlib import Path

import pytest

from bench.all import BENCHES, PAGE, Run, page, row
from bench.promises import PROMISES, Promise, middle, share

BENCH = Path(__file__).parents[1] / "bench"
SPEED = {"cpu_percent": 0.5, "kib_per_second": 0.2, "ticks": 15, "kib_per_tick": 1.5, "long_ms_per_second": 4.0}
SLOW = {"cpu_percent": 9.0, "kib_per_second": 41.0, "ticks": 15, "kib_per_tick": 3.0, "long_ms_per_second": 150.0}
CASES = ("one", "many", "compare", "longest")


def watching(seconds, open_page, tiny):
    return {
        "first_chart": {case: {"dfgui": [seconds] * 3, "bare": [0.9] * 3, "trackio": [9.0]} for case in CASES},
        "idle": {"dfgui": open_page, "trackio": SLOW},
        "live": {"dfgui": open_page, "trackio": SLOW},
        "crowd": {"dfgui": {"watched": [tiny] * 9, "alone": [3.0]}, "trackio": {"watched": [400.0], "alone": [3.0]}},
    }


def writing(wait, readable, lost):
    kills = [{"logged": 100, "lost": lost}]
    return {"dfgui": {"waits": [wait] * 9, "at_once": [wait] * 9, "readable": [readable] * 9, "kills": kills}}


def merge(size):
    return {"shards": [1e9, 5e8], **{dtype: {"shards": [{"bytes": size}], "peft": [{"bytes": 6e9}]} for dtype in TYPES}}


def overhead(app):
    return {"pairs": [{"app": app, "plain": 10.0}] * 3, "wrapped": {"spent": 0.01, "seconds": 10.0, "waits": [2e-5]}}


TYPES = ("float32", "bfloat16")
GOOD = {
    "startup": {"pairs": [[6.0, 5.0]], "idle_mb": [210, 175], "torch": False},
    "watching": watching(1.2, SPEED, 8.0),
    "writing": writing(10e-6, 0.03, 0),
    "overhead": overhead(10.05),
    "data": {"bytes": 1_000_000_000, "samples": [{"seconds": 0.2, "mb": 400}]},
    "merge": merge(1.2e9),
    "crash": [{"lost": []}, {"lost": []}],
}
BAD = {
    "startup": {"pairs": [[7.0, 5.0]], "idle_mb": [210, 175], "torch": True},
    "watching": watching(2.5, SLOW, 60.0),
    "writing": writing(300e-6, 0.3, 1),
    "overhead": overhead(10.5),
    "data": {"bytes": 1_000_000_000, "samples": [{"seconds": 0.2, "mb": 800}]},
    "merge": merge(1.7e9),
    "crash": [{"lost": []}, {"lost": ["points of steps [7] are missing"]}],
}
EACH = pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.title)


def ran(found):
    return Run("python bench/some.py --rows 3", load=1.5, seconds=12.3, found=found)


def last(line: str) -> str:
    return line.split("|")[-2].strip()


@EACH
def test_a_promise_is_met_where_the_figure_is_within_the_target(promise: Promise):
    assert last(row(promise, ran(GOOD[promise.bench]))) == "met"


@EACH
def test_a_promise_is_missed_where_the_figure_is_beyond_the_target(promise: Promise):
    assert last(row(promise, ran(BAD[promise.bench]))) == "**missed**"


@EACH
def test_small_sizes_judge_nothing(promise: Promise):
    assert last(row(promise, ran(BAD[promise.bench]), quick=True)) == "sizes too small"


def test_a_row_tells_what_was_measured_and_what_its_peer_took():
    rows = {promise.title: row(promise, ran(GOOD[promise.bench])) for promise in PROMISES}
    assert "| 1.20 x (6.0 s) | bare Gradio page 5.0 s | met |" in rows["`python app.py` until GET / answers"]
    assert "| 1.20 s | Trackio 9.00 s; bare page 0.9 s | met |" in rows["First chart, 100k logged rows"]
    assert "| 0.20 KiB/s | Trackio 41.0 KiB/s | met |" in rows["Idle page: bytes"]
    assert "| 0 of 100 rows in 1 kills |  | met |" in rows["Lost by `kill -9` of what was logged 0.2 s before"]


def test_of_two_ways_to_show_many_runs_the_slower_one_is_judged():
    found = watching(1.2, SPEED, 8.0)
    found["first_chart"]["compare"]["dfgui"] = [2.1]
    promise = next(promise for promise in PROMISES if "50 runs" in promise.title)
    assert last(row(promise, ran(found))) == "**missed**"


def test_a_chart_that_never_came_is_no_figure():
    assert middle([1.0, None, 3.0]) is None
    assert middle([1.0, 2.0, 3.0]) == 2.0


def test_a_share_of_the_values_is_not_above_the_percentile():
    assert share([5, 1, 4, 2, 3], 0.5) == 3
    assert share([1.0], 0.99) == 1.0


def test_what_was_not_run_says_so_and_what_failed_too():
    written = page({"Python": "3"}, {"crash": ran(None)})
    assert written.count("| not run |") == len(PROMISES) - 1 + len(BENCHES) - 1
    assert re.findall(r"^\| Whole runs .* \| failed \|  \| – \|$", written, re.MULTILINE)


def test_each_promise_has_a_benchmark_and_each_benchmark_a_promise():
    assert {promise.bench for promise in PROMISES} == set(BENCHES)


@pytest.mark.parametrize("name", BENCHES)
def test_a_benchmark_knows_the_options_that_it_is_given(name):
    script = (BENCH / f"{name}.py").read_text(encoding="utf-8")
    peer = ["--trackio"] if BENCHES[name].peer else []
    given = re.findall(r"--[a-z]+", f"{BENCHES[name].full} {BENCHES[name].quick}")
    assert [option for option in ["--json", *peer, *given] if f'add_argument("{option}"' not in script] == []


def test_the_page_has_the_rows_of_the_promises_and_of_the_benchmarks():
    written = PAGE.read_text(encoding="utf-8")
    table, _, rest = written.partition("## The machine")
    rows = [line.split(" | ")[:2] for line in table.splitlines() if line.startswith("| ")][1:]
    assert rows == [[f"| {promise.title}", promise.target] for promise in PROMISES]
    assert re.findall(r"^\| `bench/(\w+)\.py` \|", rest, re.MULTILINE) == list(BENCHES)
