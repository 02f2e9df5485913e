"""How long a run will take is told by the runs that were like it."""

import json
import time

import pytest

from dfgui.config import Data
from dfgui.models import hardware
from dfgui.recipe import parse
from dfgui.store import Store
from dfgui.store.schema import opened
from dfgui.training import preflight
from dfgui.training.preflight import pace


@pytest.fixture
def earlier(where, values):
    """Puts a run into the history: so many steps of `rows_per_step` rows, in so many seconds."""
    store = Store(where.store_path)

    def there(name, steps, seconds, rows_per_step=8, device=None, **changes):
        training = {**values["training"], **changes.pop("training", {})}
        run = store.runs.create(parse({**values, **changes, "name": name, "training": training}), "test")
        facts = {"device": device or hardware.describe(hardware.look()), "rows_per_step": rows_per_step}
        store.runs.update(run, facts={**facts, "train_rows": 40, "total_tokens": 40 * 200})
        now = time.time()
        with opened(store.path) as db:
            ended = {"first_step_at": now, "ended_at": now + seconds, "global_step": steps + 1, "status": "finished"}
            db.table("runs").update(run, ended)
        return run

    return there


def told(where, run):
    return next(note for note in preflight.notes(run, where) if note.title == "Time").text


def wanted(values, **training):
    size = {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 2}
    return parse({**values, "training": {**values["training"], **size, **training}})


def test_without_history_nothing_is_promised(where, values):
    assert told(where, wanted(values, max_steps=100)).startswith("Known a few steps after the start")


def test_the_pace_of_a_run_like_it_is_multiplied_out(where, values, earlier):
    earlier("first", steps=50, seconds=100)
    found = pace.estimate(wanted(values, max_steps=300), where)
    assert (found.steps, found.like) == (300, "first") and found.seconds == pytest.approx(600, rel=0.01)
    assert told(where, wanted(values, max_steps=300)) == "About 10 min: 300 steps of 2.0 s, as first took."
    twice = wanted(values, max_steps=300, gradient_accumulation_steps=4)
    assert pace.estimate(twice, where).seconds == pytest.approx(1200, rel=0.01)


def test_epochs_are_counted_by_the_rows_of_an_earlier_run_or_of_the_dataset(where, values, earlier):
    earlier("first", steps=50, seconds=100)
    assert pace.estimate(wanted(values, max_steps=-1, num_train_epochs=2), where).steps == 10  # 40 rows, 8 a step
    other = wanted(values, max_steps=-1, num_train_epochs=3, gradient_accumulation_steps=4)
    other.data = Data(source="demo", limit=80, eval_fraction=0.5)
    assert pace.estimate(other, where).steps == 3 * 3  # 40 rows are left to train on, 16 a step


def test_the_run_that_is_most_alike_tells_and_others_do_not(where, values, earlier):
    earlier("near", steps=50, seconds=100)
    earlier("longer rows", steps=50, seconds=900, training={"max_length": 4096})
    earlier("full", steps=50, seconds=900, method="full" if values.get("method", "lora") == "lora" else "lora")
    earlier("packed", steps=50, seconds=900, training={"packing": True})
    earlier("elsewhere", steps=50, seconds=1, device="NVIDIA L4, 22.5 GB")
    earlier("hardly begun", steps=2, seconds=1)
    assert pace.estimate(wanted(values, max_steps=300), where).like == "near"


def rows_of(characters, path):
    turns = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "x" * characters}]
    path.write_text("\n".join(json.dumps({"messages": turns}) for _ in range(20)))
    return {"source": str(path), "eval_fraction": 0}


def test_what_a_run_of_other_rows_took_is_scaled_by_their_length(where, values, earlier, tmp_path):
    long, short = rows_of(3900, tmp_path / "long.jsonl"), rows_of(300, tmp_path / "short.jsonl")
    earlier("long", steps=50, seconds=100, data=long, training={"max_length": 600})
    run = wanted({**values, "data": short}, max_steps=50, max_length=600)
    found = pace.estimate(run, where)
    assert found.roughly and found.seconds == pytest.approx(100 * 100 / 600, rel=0.1)  # tokens, about
    assert told(where, run).startswith("Roughly 15 s: 50 steps of 0.31 s, going by long")
    (tmp_path / "long.jsonl").unlink()  # what it counted still tells: 200 tokens a row
    assert pace.estimate(run, where).seconds == pytest.approx(50, rel=0.1)
    same = pace.estimate(wanted({**values, "data": long}, max_steps=50, max_length=600), where)
    assert not same.roughly and same.seconds == pytest.approx(100, rel=0.01)


def test_how_many_packed_sequences_there_are_is_not_guessed(where, values, earlier):
    earlier("packed", steps=50, seconds=900, training={"packing": True})
    assert pace.estimate(wanted(values, max_steps=-1, packing=True), where) is None
    assert pace.estimate(wanted(values, max_steps=10, packing=True), where).steps == 10
