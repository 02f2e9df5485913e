"""Reading a curve costs the same at any length, and hides nothing."""

import math
import sqlite3
import subprocess
import sys
import time

import pytest

from dfgui.store import Writer


def write(store, run, values, name="loss", start=1):
    with Writer(store.path, run) as writer:
        for step, value in enumerate(values, start):
            writer.log(step, {name: value})


def test_points_come_back_as_they_were_logged(store, run):
    write(store, run, [3.0, 2.5, 2.0])
    assert store.metrics.points(run, "loss") == [[1, 3.0], [2, 2.5], [3, 2.0]]
    assert store.metrics.last(run, "loss") == (3, 2.0)


def test_only_what_is_new_since_the_cursor(store, run):
    write(store, run, [3.0, 2.5, 2.0])
    assert store.metrics.since(run, "loss", 2) == [[3, 2.0]]
    assert store.metrics.since(run, "loss", 3) == []


def test_names_are_listed_without_what_other_runs_logged(store, run):
    with Writer(store.path, run) as writer:
        writer.log(1, {"loss": 1.0, "grad_norm": 2.0, "note": "text is no metric"})
    assert store.metrics.names(run) == ["grad_norm", "loss"]
    assert store.metrics.names("otherrun12") == []


@pytest.mark.parametrize("length", [10, 499, 5_000, 60_000])
def test_a_series_has_at_most_so_many_buckets_whatever_its_length(store, run, length):
    write(store, run, [math.sin(step / 50) for step in range(length)])
    series = store.metrics.series(run, "loss", buckets=500)
    assert len(series) <= 501
    assert series[-1][0] == length
    assert len(series) >= min(length, 125)


def test_a_spike_and_a_nan_stay_visible_in_buckets(store, run):
    values = [1.0] * 20_000
    values[7_777], values[12_345] = 99.0, math.nan
    write(store, run, values)
    series = store.metrics.series(run, "loss", buckets=500)
    assert max(high for _, _, high, *_ in series) == 99.0
    assert sum(nans for *_, nans, _ in series) == 1


def test_buckets_agree_with_the_raw_points(store, run):
    values = [(step * 7919) % 1000 / 10 for step in range(1, 4001)]
    write(store, run, values)
    series = store.metrics.series(run, "loss", buckets=100)
    start = 1
    for last_step, low, high, last, nans, mean in series:
        part = values[start - 1 : last_step]
        assert (low, high, last, nans) == (min(part), max(part), part[-1], 0)
        assert mean == pytest.approx(sum(part) / len(part))
        start = last_step + 1
    assert start == len(values) + 1


def test_buckets_are_the_same_however_the_writes_were_batched(store, run):
    from dfgui.config import RunConfig

    other = store.runs.create(RunConfig())
    values = [(step * 31) % 17 for step in range(2000)]
    write(store, run, values)
    with Writer(store.path, other) as writer:
        for step, value in enumerate(values, 1):
            writer.log(step, {"loss": value})
            if step % 97 == 0:
                writer.flush()
    assert store.metrics.series(run, "loss", 50) == store.metrics.series(other, "loss", 50)


def test_a_locked_store_loses_nothing_and_is_reported(store, run):
    locker = sqlite3.connect(store.path, isolation_level=None)
    with Writer(store.path, run) as writer:
        locker.execute("BEGIN EXCLUSIVE")
        writer.log(1, {"loss": 1.0})
        deadline = time.monotonic() + 15
        while writer.trouble is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert "locked" in writer.trouble
        locker.execute("ROLLBACK")
        assert writer.flush()
    assert store.metrics.points(run, "loss") == [[1, 1.0]]
    assert any("locked" in event["text"] for event in store.events.tail(run))


def test_what_was_logged_before_a_kill_is_kept(store, run):
    code = (
        "import sys, time, os, signal; from pathlib import Path; from dfgui.store import Writer\n"
        "writer = Writer(Path(sys.argv[1]), sys.argv[2]).__enter__()\n"
        "for step in range(1, 101): writer.log(step, {'loss': 1.0 / step})\n"
        "time.sleep(1.0); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(store.path), run], check=False, timeout=60)
    assert len(store.metrics.points(run, "loss")) == 100


def test_infinity_is_kept_and_stands_in_nobodys_way(store, run):
    with Writer(store.path, run) as writer:
        for step, value in enumerate([float("inf"), float("-inf"), 2.0], 1):
            writer.log(step, {"grad_norm": value})
            assert writer.flush(5)
    assert [value for _, value in store.metrics.points(run, "grad_norm")] == [float("inf"), float("-inf"), 2.0]
    assert store.metrics.series(run, "grad_norm", buckets=1)[0][-1] == 2.0


def test_what_the_store_refuses_does_not_hold_up_what_follows(store, run):
    with Writer(store.path, run) as writer:
        writer.progress(phase=object())
        assert writer.flush(5)
        writer.log(1, {"loss": 1.0})
        assert writer.flush(5)
    assert store.metrics.points(run, "loss") == [[1, 1.0]]


def test_points_behind_each_of_several_steps_are_counted(store, run):
    write(store, run, [1.0] * 52)
    assert store.metrics.behind(run, "loss", [20, 40, 52]) == [32, 12, 0]
    assert store.metrics.behind(run, "loss", []) == []


def test_what_was_measured_last_before_each_of_several_steps(store, run):
    with Writer(store.path, run) as writer:
        for step in (10, 20, 30):
            writer.log(step, {"loss": step / 10})
    assert store.metrics.at(run, "loss", [5, 10, 25, 99]) == [None, (10, 1.0), (20, 2.0), (30, 3.0)]
