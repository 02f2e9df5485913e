"""The Runs page's share of the pulse: what changed, and nothing else."""

import json

import pytest

from dfgui import settings
from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.integrations.connections import Connections
from dfgui.store import Store, Writer
from dfgui.ui.components.live import Pulse


@pytest.fixture
def pulse(tmp_path):
    home = settings.load(home=tmp_path)
    store = Store(home.store_path)
    return Pulse(home, store, Connections(store))


def run_of(pulse, name="weather-lora", steps=30, ended=True):
    run = pulse.store.runs.create(RunConfig(name=name), executor="test")
    pulse.store.runs.claim("test")
    pulse.store.runs.move(run, "running")
    write(pulse, run, range(1, steps + 1))
    if ended:
        pulse.store.runs.move(run, "finished", "All steps are done.")
    return run


def write(pulse, run, steps):
    with Writer(pulse.store.path, run) as writer:
        for step in steps:
            writer.log(step, {"loss": 1 / step})
            writer.progress(global_step=step, max_steps=100, epoch=step / 10)


class Page:
    """What the Runs page remembers between two questions."""

    def __init__(self, pulse):
        self.pulse = pulse
        self.question = {"view": "runs", "seen": {}}

    def ask(self):
        answer = self.pulse.tick(json.loads(json.dumps(self.question)))
        self.question["seen"] |= answer.get("seen", {})
        if "runs" in answer:
            self.question["table"] = answer["runs"]["tag"]
        return answer


def test_the_first_answer_has_every_run_and_the_next_only_what_changed(pulse):
    old, new = run_of(pulse, "old"), run_of(pulse, "new")
    page = Page(pulse)
    first = page.ask()["runs"]
    assert first["whole"] and [row["name"] for row in first["rows"]] == ["new", "old"]
    assert "runs" not in page.ask()
    pulse.history.rename({"run": old, "text": "renamed"})
    changed = page.ask()["runs"]
    assert ([row["name"] for row in changed["rows"]], changed["gone"]) == (["renamed"], [])
    pulse.history.note({"run": new, "text": "learned too fast"})
    assert [row["note"] for row in page.ask()["runs"]["rows"]] == ["learned too fast"]
    assert pulse.history.delete({"runs": [old]})["gone"] == [old]
    assert page.ask()["runs"] | {"tag": ""} == {"tag": "", "rows": [], "gone": [old]}


def test_a_state_of_the_table_that_is_not_remembered_brings_the_whole_one(pulse):
    run_of(pulse)
    page = Page(pulse)
    for unknown in ("stale", None, {"a": 1}, 7):
        page.question["table"] = unknown
        assert page.ask()["runs"]["whole"]


def test_a_step_of_a_live_run_sends_that_run_alone(pulse):
    for number in range(40):
        run_of(pulse, f"old-{number}", steps=3)
    live = run_of(pulse, "live", ended=False)
    page = Page(pulse)
    assert page.ask()["live"][0][:3] == [live, "30 / 100", "0.0333"]
    write(pulse, live, [31])
    answer = page.ask()
    assert "runs" not in answer and answer["live"][0][:2] == [live, "31 / 100"]
    assert len(json.dumps(answer)) < 1000


def test_what_all_runs_take_is_told_and_stays_told_after_a_restart(pulse):
    run = run_of(pulse)
    folder = pulse.settings.run_folder(run) / "checkpoint-4"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"x" * 2000)
    page = Page(pulse)
    answer = page.ask()
    assert answer["disk"].startswith("1 run, 2.0 KB on disk, ") and answer["runs"]["rows"][0]["size"] == "2.0 KB"
    again = Pulse(pulse.settings, pulse.store, pulse.connections)
    assert again.tick(page.question | {"seen": {}})["disk"].startswith("1 run, 2.0 KB on disk, ")


def test_runs_stand_side_by_side_with_few_points_and_what_differs(pulse):
    runs = [run_of(pulse, "long", steps=2000), run_of(pulse, "short", steps=20)]
    answer = pulse.history.compare({"runs": runs})
    assert [run["name"] for run in answer["runs"]] == ["long", "short"]
    assert len(answer["curves"][runs[0]]["loss"]["steps"]) <= 500
    assert answer["curves"][runs[1]]["loss"]["steps"] == list(range(1, 21))
    assert answer["settings"]["rows"] == [] and answer["settings"]["equal"] > 40
    assert answer["runs"][0]["epoch"] == pytest.approx(0.1)


def test_a_compared_run_that_goes_on_sends_its_new_points(pulse):
    live = run_of(pulse, ended=False)
    page = Page(pulse)
    page.question["compare"] = {live: [30, -1]}
    assert page.ask()["compared"] == {}
    write(pulse, live, [31, 32])
    assert page.ask()["compared"] == {live: {"points": {"loss": [31, 0.03226, 32, 0.03125]}}}
    page.question["compare"] = {live: [32, -1]}
    pulse.store.runs.move(live, "finished", "Done.")
    assert page.ask()["compared"] == {live: {"ended": True}}
    page.question["compare"] = {live: [99, -1]}  # of a curve that has been set aside
    assert page.ask()["compared"][live]["curves"]["loss"]["steps"][-1] == 32


def test_a_deleted_run_is_left_out_of_a_comparison(pulse):
    runs = [run_of(pulse, name) for name in ("one", "two", "three")]
    pulse.history.delete({"runs": [runs[0]]})
    assert pulse.history.compared({runs[0]: [30, -1], "../etc": 1}) == {
        "compared": {runs[0]: {"ended": True}, "../etc": {"ended": True}}
    }
    answer = pulse.history.compare({"runs": runs})
    assert (answer["missing"], [run["name"] for run in answer["runs"]]) == (1, ["two", "three"])
    pulse.history.delete({"runs": [runs[1]]})
    with pytest.raises(UserError, match="Choose 2 to 5 runs"):
        pulse.history.compare({"runs": runs})


def test_whatever_a_page_sends_reaches_no_path(pulse):
    for wrong in ([], None, "abc", ["../../etc"], [{"a": 1}]):
        for ask in (pulse.history.delete, pulse.history.compare):
            with pytest.raises(UserError):
                ask({"runs": wrong})
    run = run_of(pulse)
    for ask in (pulse.history.rename, pulse.history.note):
        with pytest.raises(UserError):
            ask({"run": run})  # no text, which is not the same as an empty one
