"""A run is deleted with all that it left, or not at all; whatever ends the process in between."""

import os
import shutil
import time

import pytest

from dfgui import actions, settings
from dfgui.artifacts import deletion
from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.store import Store, Writer, owner
from dfgui.store.schema import opened

EXECUTOR = f"pid:{os.getpid()}"


@pytest.fixture
def where(tmp_path):
    return settings.load(home=tmp_path / "home", jailed=False)


@pytest.fixture
def store(where):
    return Store(where.store_path)


@pytest.fixture
def ended(where, store):
    """`ended("name")`: a finished run with points and a checkpoint; `model` is what it began from."""

    def make(name="weather-lora", model="demo", base="", kind="adapter"):
        run = store.runs.create(RunConfig(name=name, model={"name": model}), EXECUTOR)
        folder = where.run_folder(run) / "checkpoint-4"
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"x" * 2000)
        with Writer(store.path, run) as writer:
            writer.log(1, {"loss": 1.0})
            writer.event("note", "Hello.")
            writer.checkpoint(4, "checkpoint-4", kind, 2000, None)
            writer.progress(global_step=4)
            writer.facts(base=base)
        store.commands.add(run, "save", by="test")
        store.scores.begin(run, 4, 1)
        store.scores.finish(run, 4, 1, [])
        store.runs.move(run, "preparing")
        store.runs.move(run, "failed", "It ended.")
        return run

    return make


def rows_left(store, run):
    """Tables that still know the run."""
    with opened(store.path) as db:
        named = {name: "id" if name == "runs" else "run" for name in db.table_names()}
        return [
            name
            for name, column in named.items()
            if column in db.table(name).columns_dict
            and db.execute(f"SELECT count(*) FROM {name} WHERE {column} = ?", [run]).fetchone()[0]
        ]


def test_a_deleted_run_leaves_nothing_and_the_others_stay(where, store, ended):
    run, other = ended(), ended("other")
    merged = where.exports / owner.folder_name() / f"{run}-4-abcd"
    merged.mkdir(parents=True)
    assert set(rows_left(store, run)) >= {"runs", "metrics", "rollups", "commands", "checkpoints", "events", "scores"}
    (gone,) = actions.delete(where, [run])
    assert gone == {"run": run, "name": "weather-lora", "step": 4, "checkpoints": 1, "bytes": 2000}
    assert rows_left(store, run) == [] and not merged.exists()
    assert [folder.name for folder in where.runs.iterdir()] == [other]
    assert store.metrics.points(other, "loss") == [[1, 1.0]]


def test_every_table_that_names_a_run_is_emptied(store):
    from dfgui.store.deletion import TABLES

    with opened(store.path) as db:
        naming = {name for name in db.table_names() if "run" in db.table(name).columns_dict}
    assert naming | {"runs"} == set(TABLES)


def test_several_go_together_or_none(where, store, ended):
    run, waiting = ended(), store.runs.create(RunConfig(name="later"), EXECUTOR)
    with pytest.raises(UserError, match=r"later waits in the queue.*Stop it first"):
        actions.delete(where, [run, waiting])
    assert store.runs.get(run)["name"] == "weather-lora" and where.run_folder(run).is_dir()
    assert len(actions.delete(where, [run, ended("second")])) == 2


def test_a_run_that_goes_on_is_not_deleted(where, store):
    run = store.runs.create(RunConfig(name="live"), EXECUTOR)
    assert store.runs.claim(EXECUTOR) == run
    with pytest.raises(UserError, match=r"live is still going on.*Stop it first"):
        actions.delete(where, [run])


def test_a_checkpoint_that_is_read_keeps_its_run_until_its_reader_is_gone(where, store, ended):
    import json

    run = ended()
    dead = {"host": owner.me()["host"], "pid": 2**22 - 7, "started_at": 1.0}
    with opened(store.path) as db:
        db.table("holds").insert({"run": run, "step": 4, "owner": json.dumps(dead)})
    assert store.holds.of(run) == set()
    with opened(store.path) as db:
        db.table("holds").insert({"run": run, "step": 4, "owner": json.dumps(owner.me())})
    with pytest.raises(UserError, match="checkpoint 4 is being read"):
        actions.delete(where, [run])


def test_a_run_that_another_begins_from_stays_until_that_has_ended(where, store, ended):
    run = ended()
    child = store.runs.create(RunConfig(name="longer", model={"name": f"run:{run}@4"}), EXECUTOR)
    with pytest.raises(UserError, match=r"longer begins from weather-lora.*Stop longer first"):
        actions.delete(where, [run])
    store.runs.withdraw(child, "Taken out.")
    actions.delete(where, [run])


def test_a_whole_model_that_an_adapter_works_on_goes_only_with_it(where, store, ended):
    run = ended(kind="full")
    child = ended("on-top", f"run:{run}@4", base=str(where.run_folder(run) / "checkpoint-4"))
    with pytest.raises(UserError, match="both together"):
        actions.delete(where, [run])
    assert {gone["run"] for gone in actions.delete(where, [run, child])} == {run, child}


def test_what_a_killed_process_had_begun_to_delete_is_finished_at_the_next_start(where, store, ended):
    run = ended()
    where.run_folder(run).replace(where.runs / f"{deletion.MARK}{run}")  # killed before its rows went
    half = ended("half")
    shutil.copytree(where.run_folder(half), where.runs / f"{deletion.MARK}gone123456")  # killed after its rows went
    deletion.sweep(where)
    assert [folder.name for folder in where.runs.iterdir()] == [half]
    assert rows_left(store, run) == [] and store.runs.get(half)


def test_a_run_put_into_the_queue_meanwhile_gets_its_folder_back(where, store, ended, monkeypatch):
    run = ended()
    monkeypatch.setattr(type(store.deletion), "delete", lambda self, run: False)
    with pytest.raises(UserError, match="Stop it first"):
        actions.delete(where, [run])
    assert (where.run_folder(run) / "checkpoint-4" / "model.safetensors").is_file()


def test_an_id_that_is_no_id_reaches_no_path(where):
    with pytest.raises(UserError, match="Choose a run from the list"):
        actions.delete(where, ["../../etc"])
    with pytest.raises(UserError, match="no run"):
        actions.delete(where, ["abcdefgh12"])


def test_names_are_trimmed_and_limited_and_notes_have_room(where, store, ended):
    run = ended()
    before = time.time()
    assert actions.rename(where, run, "  the one \n with\x00 <b>more</b> rows ") == "the one with <b>more</b> rows"
    assert actions.annotate(where, run, " first line\nsecond line ") == "first line\nsecond line"
    row = store.runs.get(run)
    assert (row["name"], row["note"]) == ("the one with <b>more</b> rows", "first line\nsecond line")
    assert row["created_at"] <= before
    assert actions.annotate(where, run, "") == ""
    for wrong, advice in [("  ", "Write what tells it apart"), ("x" * 81, "Shorten it")]:
        with pytest.raises(UserError, match=advice):
            actions.rename(where, run, wrong)
    with pytest.raises(UserError, match="Keep it shorter"):
        actions.annotate(where, run, "x" * 1001)
