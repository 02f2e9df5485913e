"""What a training tells DeepFabric arrives once and in order, whatever happens on the way."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from dfgui import settings
from dfgui.config import RunConfig
from dfgui.integrations.connections import no_secrets
from dfgui.integrations.deepfabric import events, forwarder
from dfgui.integrations.deepfabric.forwarder import Forwarder
from dfgui.store import Store, Writer
from tests import platform
from tests.server.processes import PROJECT, free_port

PIPELINE = "pipe-7"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits are short: a test does not measure them."""
    for name, seconds in {
        "LOOK_SECONDS": 0.02,
        "FIRST_WAIT": 0.02,
        "LONGEST_WAIT": 0.1,
        "TIMEOUT_SECONDS": 0.4,
    }.items():
        monkeypatch.setattr(forwarder, name, seconds)


@pytest.fixture
def home(tmp_path):
    return settings.load(home=tmp_path / "home").home


def connected(home, url, **more):
    where = settings.load(home=home, jailed=False)
    given = {"DEEPFABRIC_API_URL": url, "DEEPFABRIC_API_KEY": "secret-key", "DEEPFABRIC_PIPELINE_ID": PIPELINE}
    return where.with_secrets({**given, **more})


def at_step(step, **more):
    """The trainer's state as far as DeepFabric hears of it."""
    state = {"global_step": step, "epoch": step / 10, "max_steps": 8, "num_train_epochs": 1}
    return SimpleNamespace(**state, is_world_process_zero=True, total_flos=1e6, best_metric=None, **more)


def told(home, steps=8):
    """A run with `steps` logs in the outbox, between its start and its end."""
    store = Store(home / "dfgui.db")
    run = store.runs.create(RunConfig(trackers=["deepfabric"]), "test")
    with Writer(store.path, run) as writer:
        writer.outbox("run_start", events.run_start(run, "demo", SimpleNamespace(learning_rate=1e-3), at_step(0)))
        for step in range(1, steps + 1):
            writer.outbox("metrics", events.metrics(run, "log", at_step(step), {"loss": 1 / step}))
        writer.outbox("run_end", events.run_end(run, at_step(steps, best_model_checkpoint=None)))
    return store, run


def in_order(steps=8):
    return [("run_start", None), *(("log", step) for step in range(1, steps + 1)), ("run_end", steps)]


def until(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def all_sent(store, run):
    return store.outbox.counts(run)["waiting"] == 0


def warnings(store, run):
    return [event["text"] for event in store.events.tail(run) if event["kind"] == "warning"]


class Running:
    """`with Running(settings):` forwards while the block runs."""

    def __init__(self, where, secrets=no_secrets):
        self.forwarder = Forwarder(where, secrets)

    def __enter__(self):
        self.forwarder.start()
        return self.forwarder

    def __exit__(self, *_):
        self.forwarder.close(0)
        self.forwarder._thread.join(10)


def test_a_platform_in_every_kind_of_trouble_gets_every_event_once_and_in_order(home):
    port = free_port()
    store, run = told(home)
    with Running(connected(home, f"http://127.0.0.1:{port}")):
        until(lambda: warnings(store, run))  # nobody listens yet
        with platform.serving(port) as there:
            there.trouble = [1.5, 500, (429, {"Retry-After": "0"}), 503]  # silence longer than anybody waits, first
            until(lambda: all_sent(store, run))
    assert there.told() == in_order()
    assert len(there.asked) == len(there.taken) + 4
    assert {asked.query["pipeline_id"][0] for asked in there.asked} == {PIPELINE}
    assert store.outbox.counts(run) == {"waiting": 0, "sent": 10, "refused": 0}
    assert any("sent later" in words for words in warnings(store, run))
    assert store.events.tail(run)[-1]["text"] == "DeepFabric has every event of this run."


def test_what_is_tried_again_is_the_same_batch_under_the_same_key(home):
    store, run = told(home)
    with platform.serving() as there:
        there.trouble = [None, 500]
        where = connected(home, there.url)
        Forwarder(where).look()
        with Writer(store.path, run) as writer:  # meanwhile the training goes on
            writer.outbox("metrics", events.metrics(run, "log", at_step(9), {"loss": 0.1}))
        with Running(where):
            until(lambda: all_sent(store, run))
    _, failed, again, *_ = there.asked
    assert failed.key == again.key and failed.body == again.body


def test_a_run_without_a_key_waits_says_so_and_is_sent_when_a_key_comes(home):
    store, run = told(home)
    with platform.serving() as there:
        given = {}
        where = connected(home, there.url, DEEPFABRIC_API_KEY="")
        assert where.deepfabric.key is None
        with Running(where, lambda asked: given):
            until(lambda: warnings(store, run))
            assert "it has no key" in warnings(store, run)[0] and there.asked == []
            given["DEEPFABRIC_API_KEY"] = "secret-key"
            until(lambda: all_sent(store, run))
    assert there.told() == in_order()


def test_a_key_that_is_not_taken_pauses_and_is_told_without_being_named(home):
    store, run = told(home)
    with platform.serving() as there:
        given = {"DEEPFABRIC_API_KEY": "an-old-key"}
        with Running(connected(home, there.url), lambda asked: given):
            until(lambda: warnings(store, run))
            time.sleep(0.3)
            assert len(there.asked) == 1  # it does not knock again
            given["DEEPFABRIC_API_KEY"] = "secret-key"
            until(lambda: all_sent(store, run))
    assert there.told() == in_order()
    assert "does not take this key" in warnings(store, run)[0]
    assert b"old-key" not in b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())


def test_one_entry_that_is_refused_is_told_and_left_out_and_blocks_nothing(home):
    store, run = told(home)
    with platform.serving() as there:
        there.spoils = lambda body: any(one["global_step"] == 5 for one in body.get("metrics", []))
        with Running(connected(home, there.url)):
            until(lambda: all_sent(store, run))
    assert there.told() == [one for one in in_order() if one != ("log", 5)]
    assert store.outbox.counts(run) == {"waiting": 0, "sent": 9, "refused": 1}
    assert warnings(store, run) == ["DeepFabric refused one event, log of step 5 (it answered 422); it is left out."]


@pytest.mark.parametrize("status", [301, 404])
def test_a_wrong_address_loses_nothing(home, status):
    store, run = told(home)
    with platform.serving() as there:
        there.trouble = [status]
        Forwarder(connected(home, there.url)).look()
        assert store.outbox.counts(run)["waiting"] == 10 and "address or pipeline" in warnings(store, run)[0]
        Forwarder(connected(home, there.url)).look()  # another start, another try
    assert there.told() == in_order()


@pytest.mark.parametrize("url", ["nonsense", "ftp://host", "http://[", "http://no such host"])
def test_an_address_that_is_none_is_told_and_loses_nothing(home, url):
    store, run = told(home)
    Forwarder(connected(home, url)).look()
    assert store.outbox.counts(run)["waiting"] == 10 and len(warnings(store, run)) == 1


def test_numbers_that_json_lacks_are_null_and_numpys_are_numbers(home):
    import numpy as np
    import torch

    values = {
        "loss": math.nan,
        "a": np.float32(1.5),
        "b": np.int64(3),
        "c": torch.tensor(2.0),
        "d": -math.inf,
        "e": "x",
    }
    entry = events.metrics("run", "log", at_step(1), values)
    assert json.loads(json.dumps(entry, allow_nan=False))["metrics"] == {
        "loss": None,
        "a": 1.5,
        "b": 3,
        "c": 2.0,
        "d": None,
        "e": "x",
    }


def test_a_key_of_the_environment_never_goes_to_an_address_that_a_visitor_names(home):
    own = connected(home, "https://api.deepfabric.cloud")
    assert own.with_secrets({"DEEPFABRIC_API_URL": "http://elsewhere"}).deepfabric.key is None
    both = own.with_secrets({"DEEPFABRIC_API_URL": "http://elsewhere", "DEEPFABRIC_API_KEY": "their-own"})
    assert both.deepfabric.key == "their-own"


def test_a_run_has_the_same_uuid_in_every_part_of_it():
    assert events.run_id("h3k9x2m4q7") == events.run_id("h3k9x2m4q7") != events.run_id("h3k9x2m4q8")


FORWARD = """
import sys, time
from dfgui import settings
from dfgui.integrations.deepfabric import forwarder
from dfgui.store import outbox
forwarder.LOOK_SECONDS, forwarder.FIRST_WAIT, outbox.MOST = 0.02, 0.02, 5
forwarder.Forwarder(settings.load(home=sys.argv[1])).start()
time.sleep(60)
"""


def forwarding_process(home, url):
    env = {**os.environ, "DEEPFABRIC_API_KEY": "secret-key", "DEEPFABRIC_PIPELINE_ID": PIPELINE}
    env["DEEPFABRIC_API_URL"] = url
    return subprocess.Popen([sys.executable, "-c", FORWARD, str(home)], cwd=PROJECT, env=env)


def test_a_forwarder_killed_in_the_middle_loses_nothing_and_sends_nothing_under_another_key(home):
    store, run = told(home, steps=100)
    with platform.serving() as there:
        there.trouble = [None, None, None, 60.0]  # the fourth is taken in, and the answer never comes
        first = forwarding_process(home, there.url)
        until(lambda: len(there.asked) == 4, 60)
        first.send_signal(signal.SIGKILL)
        first.wait(10)
        second = forwarding_process(home, there.url)
        try:
            until(lambda: all_sent(store, run), 60)
        finally:
            second.kill()
            second.wait(10)
    assert there.told() == in_order(100)
    assert there.asked[3].key == there.asked[4].key and there.asked[3].body == there.asked[4].body
    assert len({asked.key for asked in there.asked}) == len(there.asked) - 1


def test_two_processes_on_one_home_send_each_event_once(home):
    store, run = told(home, steps=60)
    other_store, other = told(home, steps=60)
    with platform.serving() as there:
        both = [forwarding_process(home, there.url) for _ in range(2)]
        try:
            until(lambda: all_sent(store, run) and all_sent(other_store, other), 60)
        finally:
            for process in both:
                process.kill()
                process.wait(10)
    assert len({asked.key for asked in there.asked}) == len(there.asked)
    for one in (run, other):
        mine = [asked for asked in there.asked if events.run_id(one) in asked.key]
        steps = [entry["global_step"] for asked in mine for entry in asked.body.get("metrics", [])]
        assert steps == list(range(1, 61))
        assert [asked.body.get("event_type") for asked in (mine[0], mine[-1])] == ["run_start", "run_end"]


def test_events_of_a_deleted_run_go_with_it(home):
    store, run = told(home)
    from dfgui.store.schema import opened

    with opened(Path(store.path)) as db:
        db.table("runs").delete(run)
    assert store.outbox.waiting() == [] and store.outbox.counts(run)["waiting"] == 0
