"""How many held-out calls are right, while it is counted and after."""

import json

from dfgui.store.schema import opened


def test_a_score_is_counted_then_done(store, run):
    store.scores.begin(run, 0, total=12)
    store.scores.advance(run, 0, 5)
    assert [(row["state"], row["done"], row["total"]) for row in store.scores.of(run)] == [("scoring", 5, 12)]
    store.scores.finish(run, 0, right=1, results=[{"row": 3, "right": False}])
    (row,) = store.scores.of(run)
    assert (row["state"], row["done"], row["right"], row["results"][0]["row"]) == ("done", 12, 1, 3)


def test_a_score_whose_process_died_is_broken(store, run):
    store.scores.begin(run, 40, total=12)
    with opened(store.path) as db:
        db.execute("UPDATE scores SET owner = ?", [json.dumps({"host": "gone", "pid": 1, "started_at": 0})])
        db.execute("UPDATE scores SET created_at = 0")
    assert store.scores.of(run)[0]["state"] == "broken"


def test_a_failed_score_says_why(store, run):
    store.scores.begin(run, 40, total=12)
    store.scores.fail(run, 40, "Out of memory.")
    (row,) = store.scores.of(run)
    assert (row["state"], row["trouble"]) == ("broken", "Out of memory.")
