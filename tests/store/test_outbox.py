"""Events for another service wait in order, and one at a time may send those of a run."""

import json
import time

import pytest

from dfgui.store import Writer, outbox, owner
from dfgui.store.schema import opened


@pytest.fixture
def filled(store, run):
    """A start, four metrics and an end."""
    with Writer(store.path, run) as writer:
        writer.outbox("run_start", {})
        for step in range(4):
            writer.outbox("metrics", {"step": step})
        writer.outbox("run_end", {})
    return store.outbox


def kinds(entries):
    return [entry.payload.get("step", entry.event) for entry in entries]


def test_metrics_go_together_and_the_start_and_the_end_alone(filled, run):
    seen = []
    while batch := filled.next(run):
        seen.append(kinds(batch))
        filled.sent(batch)
    assert seen == [["run_start"], [0, 1, 2, 3], ["run_end"]]
    assert filled.counts(run) == {"waiting": 0, "sent": 6, "refused": 0} and filled.waiting() == []


def test_a_batch_stays_the_same_until_it_is_sent(filled, run, monkeypatch):
    filled.sent(filled.next(run))
    monkeypatch.setattr(outbox, "MOST", 2)
    assert kinds(filled.next(run)) == [0, 1]
    monkeypatch.undo()
    assert kinds(filled.next(run)) == [0, 1]
    filled.sent(filled.next(run))
    assert kinds(filled.next(run)) == [2, 3]


def test_a_batch_that_is_split_goes_one_by_one_and_what_is_refused_is_passed_over(filled, run):
    filled.sent(filled.next(run))
    filled.split(filled.next(run))
    assert kinds(filled.next(run)) == [0]
    filled.refuse(filled.next(run), "answered 422")
    assert kinds(filled.next(run)) == [1]
    assert filled.counts(run) == {"waiting": 4, "sent": 1, "refused": 1}


def test_one_holder_at_a_time(filled, run):
    assert filled.claim(run, "one") and filled.claim(run, "one") and not filled.claim(run, "other")
    filled.release(run, "other")
    assert not filled.claim(run, "other")
    filled.release(run, "one")
    assert filled.claim(run, "other")


@pytest.mark.parametrize(
    ("change", "heartbeat_ago"),
    [({"pid": 2**22 + 1}, 0), ({"started_at": 1.0}, 100), ({}, 100), ({"host": "elsewhere"}, 100)],
)
def test_the_lease_of_a_holder_who_is_gone_or_silent_is_taken_over(filled, store, run, change, heartbeat_ago):
    gone = json.dumps({**owner.me(), "token": "gone", **change})
    with opened(store.path) as db:
        row = {"run": run, "owner": gone, "heartbeat_at": time.time() - heartbeat_ago}
        db.table("outbox_leases").insert(row)
    assert filled.claim(run, "mine")


def test_what_is_no_json_is_refused_where_it_is_put_in(store, run):
    with Writer(store.path, run) as writer, pytest.raises(ValueError):
        writer.outbox("metrics", {"loss": float("nan")})
