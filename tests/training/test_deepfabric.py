"""A training tells DeepFabric what DeepFabric's own callback would, and nothing but its own first process does."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from dfgui import actions
from dfgui.integrations.deepfabric import forwarder
from dfgui.integrations.deepfabric.callback import DeepFabricEvents
from dfgui.store import Store
from dfgui.training import launcher
from tests import platform
from tests.integrations.record_deepfabric import shape
from tests.server.processes import free_port, served

RECORD = json.loads((Path(__file__).parents[1] / "integrations" / "deepfabric_wire.json").read_text())


def given(url):
    return {"DEEPFABRIC_API_URL": url, "DEEPFABRIC_API_KEY": "secret-key", "DEEPFABRIC_PIPELINE_ID": "pipe-7"}


def sent(where, values):
    """What arrives at the platform of a run that was trained to its end, and the run."""
    run = actions.start(where, {**values, "trackers": ["deepfabric"]}, executor="test")
    launcher.run_here(run, where)
    store = Store(where.store_path)
    with platform.serving() as there:
        forwarder.Forwarder(where.with_secrets(given(there.url))).look()
    return there, store.runs.get(run), store


def test_every_event_has_the_address_and_the_fields_of_deepfabrics_own_callback(where, values):
    there, row, store = sent(where, values)
    ours, theirs = shape(list(there.taken.values())), RECORD["events"]
    assert list(ours) == ["run_start", "log", "eval", "checkpoint", "run_end"]
    for event, own in theirs.items():
        for part in ("path", "query", "headers", "agent"):
            assert ours[event][part] == own[part]
        assert ours[event]["body"].keys() == own["body"].keys()
    for event in ("run_start", "checkpoint", "run_end"):
        told = {name: kind for name, kind in ours[event]["body"].items() if name not in MAY_BE_NULL}
        assert told == {name: kind for name, kind in theirs[event]["body"].items() if name not in MAY_BE_NULL}
    for event in ("log", "eval"):
        wanted = {name for name in theirs[event]["body"]["metrics"] if event == "eval" or not name.startswith("eval_")}
        assert ours[event]["body"]["metrics"].keys() == wanted
    start, end = (one.body for one in there.taken.values() if "event_type" in one.body)
    assert start["model_name"] == row["config"]["model"]["name"] and start["state"]["max_steps"] == 8
    assert start["training_config"]["learning_rate"] == 1e-2
    assert (end["final_step"], end["best_metric"]) == (8, store.metrics.last(row["id"], "eval_loss")[1])


MAY_BE_NULL = ("best_metric", "best_model_checkpoint")  # we keep the best; the recorded training did not


def test_each_loss_of_the_store_is_told_once_and_evaluations_as_evaluations(where, values):
    there, row, store = sent(where, values)
    entries = [entry for asked in there.taken.values() for entry in asked.body.get("metrics", [])]
    logged = [[e["global_step"], e["metrics"]["loss"]] for e in entries if "loss" in e["metrics"]]
    assert logged == store.metrics.points(row["id"], "loss")
    scored = [[e["global_step"], e["metrics"]["eval_loss"]] for e in entries if e["type"] == "eval"]
    assert scored == store.metrics.points(row["id"], "eval_loss")
    assert [e["global_step"] for e in entries if e["type"] == "checkpoint"] == [4, 8]
    steps = [e["global_step"] for e in entries]
    assert steps == sorted(steps) and there.told()[0][0] == "run_start" and there.told()[-1] == ("run_end", 8)


def test_a_run_that_is_stopped_says_where_it_ended(where, values):
    values = {**values, "trackers": ["deepfabric"], "training": {**values["training"], "max_steps": 100_000}}
    run = actions.start(where, values, executor="test")
    store = Store(where.store_path)
    worker = threading.Thread(target=launcher.run_here, args=(run, where))
    worker.start()
    while store.runs.get(run)["global_step"] < 2:
        time.sleep(0.02)
    actions.command(where, run, "stop", by="the test")
    worker.join()
    with platform.serving() as there:
        forwarder.Forwarder(where.with_secrets(given(there.url))).look()
    assert store.runs.get(run)["status"] == "stopped"
    assert there.told()[-1] == ("run_end", store.runs.get(run)["global_step"])


def test_a_loss_that_is_no_number_is_told_as_null(where, values):
    values["training"] |= {"learning_rate": 10.0, "max_grad_norm": 1e9, "optim": "sgd", "max_steps": 60}
    there, row, _ = sent(where, {**values, "method": "full"})
    entries = [entry for asked in there.taken.values() for entry in asked.body.get("metrics", [])]
    assert row["status"] == "failed" and entries[-1]["metrics"]["loss"] is None


def test_without_the_tracker_nothing_is_put_in_the_outbox(train, values):
    row, store = train(values)
    assert store.outbox.counts(row["id"]) == {"waiting": 0, "sent": 0, "refused": 0}


def test_of_several_processes_only_the_first_speaks():
    class Silent:
        run = "run"

        def outbox(self, *_):
            raise AssertionError("a second process spoke")

    class Second:
        is_world_process_zero = False
        global_step = 1

    ear = DeepFabricEvents(Silent(), "demo")
    for event in (ear.on_train_begin, ear.on_save, ear.on_train_end):
        event(None, Second(), None)
    ear.on_log(None, Second(), None, logs={"loss": 1.0})
    ear.on_evaluate(None, Second(), None, metrics={"eval_loss": 1.0})


def test_the_command_line_sends_what_is_left_before_it_ends(where, values, tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(json.dumps({**values, "trackers": ["deepfabric"]}))
    with platform.serving() as there:
        command = [sys.executable, "-m", "dfgui", "train", str(file), "--home", str(where.home), "--json"]
        env = os.environ | given(there.url) | {"WANDB_MODE": "offline"}  # of which transformers speaks on stdout
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=300)
    answer = json.loads(done.stdout)
    assert answer["status"] == "finished" and there.told()[-1] == ("run_end", 8)
    assert "secret-key" not in done.stdout + done.stderr
    assert b"secret-key" not in b"".join(file.read_bytes() for file in where.home.rglob("*") if file.is_file())


def test_the_app_sends_what_another_left_behind(where, values):
    run = actions.start(where, {**values, "trackers": ["deepfabric"]}, executor="test")
    launcher.run_here(run, where)
    with platform.serving() as there, served("--port", str(free_port()), home=where.home, env=given(there.url)):
        while not there.told() or there.told()[-1] != ("run_end", 8):
            time.sleep(0.1)
