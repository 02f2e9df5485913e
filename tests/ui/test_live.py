"""The pulse: one small answer for a whole page."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from dfgui import settings
from dfgui.config import RunConfig
from dfgui.integrations.connections import Connections
from dfgui.store import Store, Writer, schema
from dfgui.ui.components.live import BUSY_MS, IDLE_MS, Pulse, spoken, who
from dfgui.views.curves import METRICS
from tests.checkpoints import whole_checkpoint

NAMES = list(METRICS)


@pytest.fixture
def pulse(tmp_path):
    home = settings.load(home=tmp_path)
    store = Store(home.store_path)
    return Pulse(home, store, Connections(store))


@pytest.fixture
def run(pulse):
    """A run at its 30th step, with an evaluation at 20."""
    run = pulse.store.runs.create(RunConfig(name="weather-lora"), executor="test")
    pulse.store.runs.claim("test")
    pulse.store.runs.move(run, "running")
    write(pulse, run, range(1, 31))
    with Writer(pulse.store.path, run) as writer:
        writer.log(20, {"eval_loss": 0.9})
        writer.event("note", "Training begins.")
    return run


def write(pulse, run, steps):
    with Writer(pulse.store.path, run) as writer:
        for step in steps:
            writer.log(
                step, {"loss": 1 / step, "learning_rate": 2e-4, "grad_norm": 1.23456789, "mean_token_accuracy": 0.5}
            )
            writer.progress(global_step=step, max_steps=100, first_step_at=1000.0)


class Page:
    """What a browser remembers between two questions."""

    def __init__(self, pulse, run="", view="monitor"):
        self.pulse = pulse
        self.question = {"run": run, "view": view, "seen": {}, "cursor": None}

    def ask(self):
        answer = self.pulse.tick(json.loads(json.dumps(self.question)))
        self.question["seen"] |= answer.get("seen", {})
        if "curves" in answer:
            self.question["part"] = answer["part"]
            self.question["cursor"] = [answer["curves"].get(name, {"steps": [-1]})["steps"][-1] for name in NAMES]
        for name, flat in answer.get("points", {}).items():
            self.question["cursor"][NAMES.index(name)] = flat[-2]
        for event in answer.get("events", []):
            self.question["event"] = event[0]
        return answer


def test_the_first_answer_has_everything_of_the_run(pulse, run):
    answer = Page(pulse, run).ask()
    assert answer["curves"]["loss"]["steps"] == list(range(1, 31))
    assert answer["curves"]["eval_loss"] == {"steps": [20], "mean": [0.9]}
    assert answer["head"]["name"] == "weather-lora"
    assert [event[3] for event in answer["events"]] == ["Put in the queue.", "Training begins."]
    assert {"chip", "checkpoints", "commands", "about", "best", "has"} <= set(answer)


def test_a_later_answer_has_only_the_points_after_the_cursor(pulse, run):
    page = Page(pulse, run)
    page.ask()
    write(pulse, run, range(31, 34))
    answer = page.ask()
    assert answer["points"]["loss"] == [31, 0.03226, 32, 0.03125, 33, 0.0303]
    assert "curves" not in answer
    assert not {"checkpoints", "about", "events", "commands"} & set(answer)


def test_when_nothing_is_new_nothing_is_sent(pulse, run):
    pulse.store.runs.move(run, "finished", "All steps are done.")
    page = Page(pulse, run)
    page.ask()
    assert page.ask() == {"every": IDLE_MS}


def test_ten_new_rows_fit_in_two_kilobytes_together_with_the_question(pulse, run):
    page = Page(pulse, run)
    page.ask()
    write(pulse, run, range(31, 41))
    asked = len(json.dumps(page.question))
    assert asked + len(json.dumps(page.ask())) < 2048


def test_a_page_asks_often_while_something_runs_and_seldom_otherwise(pulse, run):
    assert Page(pulse, run).ask()["every"] == BUSY_MS
    pulse.store.runs.move(run, "finished")
    assert Page(pulse, run).ask()["every"] == IDLE_MS


def test_a_cursor_beyond_the_run_gets_the_curves_afresh(pulse, run):
    """The curve was set aside, for example because the run went on from an older checkpoint."""
    page = Page(pulse, run)
    page.ask()
    page.question["cursor"] = [99] * len(NAMES)
    assert page.ask()["curves"]["loss"]["steps"][-1] == 30


def test_a_part_that_overtakes_the_page_between_two_questions_comes_afresh(pulse, run):
    """The page was at step 30. The run went on from 20 and is at 40 when the page asks again."""
    page = Page(pulse, run)
    page.ask()
    pulse.store.parts.begin(run, 20)
    write(pulse, run, range(21, 41))
    answer = page.ask()
    assert answer["curves"]["loss"]["steps"] == list(range(1, 41))
    assert "points" not in answer
    assert [step for step, _ in answer["marks"]["resumed"]] == [20]
    write(pulse, run, [41])
    assert page.ask()["points"]["loss"] == [41, 0.02439]


def test_the_trainers_state_is_told_to_a_page_that_shows_it(pulse, run):
    page = Page(pulse, run)
    assert "state" not in page.ask()
    page.question["closely"] = True
    assert ["global_step", "30"] in [row[:2] for row in page.ask()["state"]]


def test_an_interrupted_run_is_what_a_visitor_finds_until_something_follows(pulse, run):
    pulse.store.runs.move(run, "interrupted", "The process is gone.")
    answer = Page(pulse, view="welcome").ask()
    assert (answer["chip"]["run"], answer["chip"]["status"]) == (run, "interrupted")
    assert answer["every"] == IDLE_MS
    later = pulse.store.runs.create(RunConfig(name="next"), executor="test")
    assert Page(pulse).ask()["chip"]["run"] == later
    pulse.store.runs.withdraw(later, "Taken out.")
    assert Page(pulse).ask()["chip"] is None


def test_what_can_be_gone_on_from_is_told_with_what_is_set_aside(pulse, run):
    save(pulse, run, 10)
    save(pulse, run, 20)
    pulse.store.runs.move(run, "stopped", "Stopped by hand.")
    offer = pulse.resuming({"run": run})
    assert [one["step"] for one in offer["checkpoints"]] == [20, 10]
    assert "(20 points, 1 checkpoint) is set aside" in offer["checkpoints"][1]["words"]


def test_a_run_is_resumed_from_the_checkpoint_and_with_the_settings_chosen(pulse, run):
    save(pulse, run, 20)
    pulse.store.runs.move(run, "stopped", "Stopped by hand.")
    assert Page(pulse, run).ask()["resume"] is True
    asked = {"run": run, "step": 20, "changes": {"logging_steps": 1, "save_steps": 7}}
    assert pulse.resume(asked) == {"step": 20}
    row = pulse.store.runs.get(run)
    assert (row["status"], row["resume_step"], row["executor"]) == ("queued", 20, "app")
    assert (row["config"]["training"]["logging_steps"], row["config"]["training"]["save_steps"]) == (1, 7)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"run": "../../etc"}, "That is not the id of a run."),
        ({"step": "20; DROP"}, "That is not a checkpoint."),
        ({"step": 10}, "cannot be resumed."),
        ({"changes": {"learning_rate": 1}}, "That setting is kept from the checkpoint."),
        ({"changes": {"logging_steps=1 --x": 1}}, "That setting is kept from the checkpoint."),
        ({"changes": {"logging_steps": "1"}}, "Log every needs a whole number."),
        ({"changes": {"logging_steps": 0}}, "Log every (training.logging_steps) is not usable."),
        ({"changes": {"save_total_limit": 1}}, "Keep at most (training.save_total_limit) is not usable."),
    ],
)
def test_what_cannot_be_resumed_so_is_refused_in_words_and_nothing_changes(pulse, run, changed, words):
    save(pulse, run, 20)
    pulse.store.runs.move(run, "stopped", "Stopped by hand.")
    before = pulse.store.runs.get(run)
    answer = spoken(pulse.resume, {"run": run, "step": 20, "changes": {}} | changed)
    assert words in answer["error"]["what"]
    assert pulse.store.runs.get(run) == before


def test_a_page_costs_one_connection_each_time_it_asks(pulse, run, monkeypatch):
    page = Page(pulse, run)
    page.ask()
    made = []
    monkeypatch.setattr(schema, "connect", lambda *given, real=schema.connect: made.append(given) or real(*given))
    page.ask()
    assert made == [(pulse.store.path,)]
    pulse.store.runs.all()
    assert len(made) == 2  # alone again


def test_a_resumed_run_has_the_keys_of_whoever_resumes_it_or_else_those_it_began_with(pulse, run):
    save(pulse, run, 20)
    (_, ada), (_, bob) = pulse.connections.new_visit("ada"), pulse.connections.new_visit("bob")
    pulse.connections.set(ada, {"HF_TOKEN": "hf_ada"})
    for visitor, token in ((bob, None), (ada, "hf_ada"), (bob, "hf_ada")):
        pulse.store.runs.move(run, "stopped", "Stopped by hand.")
        pulse.resume({"run": run, "step": 20}, visitor)
        assert pulse.connections.of_run(run).get("HF_TOKEN") == token


def save(pulse, run, step):
    """A checkpoint that is whole on the disk, as far as anybody looks."""
    whole_checkpoint(pulse.settings.run_folder(run) / f"checkpoint-{step}")
    with Writer(pulse.store.path, run) as writer:
        writer.checkpoint(step, f"checkpoint-{step}", "adapter", 1_000_000, None)


def test_a_page_far_behind_gets_buckets_and_not_every_point(pulse, run):
    page = Page(pulse, run)
    page.ask()
    write(pulse, run, range(31, 1400))
    answer = page.ask()
    assert len(answer["curves"]["loss"]["steps"]) <= 500


def test_other_pages_get_the_chip_and_no_curve(pulse, run):
    answer = Page(pulse, run, view="data").ask()
    assert answer["chip"]["run"] == run
    assert "curves" not in answer
    assert "head" not in answer


def test_a_part_of_a_run_can_be_looked_at_closely(pulse, run):
    assert pulse.detail({"run": run, "start": 10, "end": 12})["curves"]["loss"]["steps"] == [10, 11, 12]


def test_a_run_that_is_not_there_is_said_in_words(pulse):
    assert "There is no run nosuchrun1." in Page(pulse, "nosuchrun1").ask()["missing"]


@pytest.mark.parametrize("run", ["../../etc", "a' OR 1=1 --", "", 7, None, ["x"], {"a": 1}, "x" * 99])
def test_what_is_not_the_id_of_a_run_is_refused_in_words(pulse, run):
    for answer in (pulse.detail, pulse.log, pulse.resuming):
        assert spoken(answer, {"run": run})["error"]["what"] == "That is not the id of a run."
    assert spoken(pulse.ask, {"run": run, "command": "stop"}, "ada")["error"]["what"]


@pytest.mark.parametrize(
    "question", [None, [], "x", 3, {}, {"seen": 3}, {"cursor": "x"}, {"run": 5, "view": "monitor"}]
)
def test_a_question_that_makes_no_sense_is_answered_all_the_same(pulse, question):
    assert "every" in spoken(pulse.tick, question)


def test_cursors_that_are_no_steps_ask_afresh_or_from_the_start(pulse, run):
    for cursor in ([True] * 6, ["1"] * 6, [1.5] * 6, [10**30] * 6, [-5] * 6, [1]):
        answer = pulse.tick({"run": run, "view": "monitor", "cursor": cursor})
        assert "curves" in answer or len(answer["points"]["loss"]) == 60


def test_a_command_is_left_in_the_store_with_who_asked(pulse, run):
    pulse.ask({"run": run, "command": "save"}, "ada")
    (command,) = pulse.store.commands.of(run)
    assert (command["command"], command["requested_by"]) == ("save", "ada")


def test_who_asks_is_who_signed_in_and_hand_where_nobody_has_to():
    assert who(SimpleNamespace(scope={"dfgui.user": "ada"})) == "ada"
    assert who(SimpleNamespace(scope={})) == "hand"


def test_a_command_that_does_not_exist_is_refused(pulse, run):
    assert spoken(pulse.ask, {"run": run, "command": "explode"}, "ada")["error"]
    assert pulse.store.commands.of(run) == []


def test_what_a_visitor_should_know_of_the_server_comes_once(pulse):
    pulse.settings = replace(pulse.settings, space_id="ada/space")
    answer = pulse.tick({}, "ada")
    assert "lost when it restarts" in answer["notice"]
    assert answer["visitor"] == "ada"
    again = pulse.tick({"seen": answer["seen"]}, "ada")
    assert "notice" not in again and "visitor" not in again
