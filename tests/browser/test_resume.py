"""A run that ended early goes on from Monitor with the same curve: it was stopped, or its app was killed."""

import re
import signal
import socket
import time

import pytest
from playwright.sync_api import expect

from dfgui import actions, settings
from dfgui.store import Store, Writer
from tests.browser.monitor import POINTS, monitor
from tests.browser.trainer import Trainer
from tests.checkpoints import whole_checkpoint
from tests.server.processes import APP, free_port, served

PATIENCE = 120_000  # ms: two slow cores may be shared
RUN = {
    "name": "killed",
    "model": {"name": "demo"},
    "data": {"source": "demo", "eval_fraction": 0.02},
    "training": {
        "max_steps": 40,
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 1,
        "logging_steps": 1,
        "save_steps": 10,
        "eval_steps": 20,
    },
}


def test_a_run_whose_app_was_killed_is_offered_to_whoever_comes_back_and_ends_as_planned(new_page, tmp_path):
    store = Store(settings.load(home=tmp_path).store_path)
    with opened(tmp_path) as app:
        run = actions.start(settings.load(home=tmp_path), RUN)
        first = new_page()
        first.goto(f"{app.url}/?view=monitor&run={run}")
        first.wait_for_function(f"({POINTS})() >= 12", timeout=PATIENCE)
        first.close()
        app.end(signal.SIGKILL)
    came_to = store.runs.get(run)["global_step"]
    assert 12 <= came_to < 40

    with opened(tmp_path) as app:
        page = new_page()
        page.goto(app.url)
        page.wait_for_url(re.compile(f"view=monitor&run={run}"))
        expect(page.locator(".monitor .status")).to_have_text("interrupted", timeout=PATIENCE)
        before = store.metrics.points(run, "loss")[:10]
        page.click(".next .resume")
        expect(page.locator("dialog.resume .words")).to_contain_text("to step 40, with the same schedule")
        page.select_option("dialog.resume select", "10")
        page.click("dialog.resume [type=submit]")
        expect(page.locator(".monitor .status")).to_have_text("finished", timeout=PATIENCE)
        page.wait_for_function(f"({POINTS})() === 40")
        steps = page.evaluate("() => dfgui.monitor.held().get('loss').steps")
        assert steps == list(range(1, 41))
        expect(page.locator(".marks .resumed")).to_have_attribute("title", re.compile("Resumed from checkpoint 10"))
        expect(page.locator(".next .resume")).to_be_hidden()
        page.locator(".state summary").click()
        expect(page.locator(".state dd").first).to_have_text("40")
        expect(page.locator(".state dd").last).not_to_have_text("–")  # rows_per_second
        page.close()  # before its server goes
    assert [part["from_step"] for part in store.parts.of(run)] == [10]
    points = store.metrics.points(run, "loss")
    assert points[:10] == before and [step for step, _ in points] == steps


def test_a_run_of_a_process_of_its_own_goes_on_without_its_app_and_the_next_one_shows_it_whole(new_page, tmp_path):
    store = Store(settings.load(home=tmp_path).store_path)
    long = {
        **RUN,
        "run": {"placement": "process"},
        "training": {**RUN["training"], "max_steps": 4000, "save_steps": 4000},
    }
    with opened(tmp_path) as app:
        run = actions.start(settings.load(home=tmp_path), long)
        first = new_page()
        first.goto(f"{app.url}/?view=monitor&run={run}")
        first.wait_for_function(f"({POINTS})() >= 5", timeout=PATIENCE)
        first.close()
        app.end(signal.SIGTERM)
    left_at = store.runs.get(run)["global_step"]

    with opened(tmp_path) as app:
        page = new_page()
        page.goto(f"{app.url}/?view=monitor&run={run}")
        page.wait_for_function(f"({POINTS})() > {left_at}", timeout=PATIENCE)
        expect(page.locator(".monitor .status")).to_have_text("running")
        assert_every_step_once(page)
        page.click("[data-command=stop]")
        page.click("dialog.stop [value=stop]")
        expect(page.locator(".monitor .status")).to_have_text("stopped", timeout=PATIENCE)
        page.close()
    row = store.runs.get(run)
    assert [step for step, _ in store.metrics.points(run, "loss")] == list(range(1, row["global_step"] + 1))


def opened(home):
    return served("--home", str(home), "--port", str(free_port()), "--no-browser", home=home, command=APP)


@pytest.fixture
def stopped(store, home):
    """A run that was stopped at step 52, with whole checkpoints at 20, 40 and 52."""
    with Trainer(store, name="to-resume", rate=200) as trainer:
        while trainer.step < 50:
            time.sleep(0.002)
        store.commands.add(trainer.run, "stop", "hand")
        trainer._thread.join()
    for one in store.checkpoints.of(trainer.run):
        whole_checkpoint(home / "runs" / trainer.run / one["path"])
    return trainer


def test_an_ended_run_is_resumed_from_a_checkpoint_that_is_chosen(page, app, store, stopped):
    with Trainer(store, name="another"):  # so that the resumed one waits
        monitor(page, app, stopped.run)
        page.click(".next .resume")
        dialog = page.locator("dialog.resume")
        expect(dialog.locator("h3")).to_have_text("Resume to-resume?")
        expect(dialog.locator("select")).to_have_value(str(stopped.step))
        expect(dialog.locator("select")).to_be_focused()
        dialog.locator("select").select_option("40")
        behind = stopped.step - 40
        words = rf"Goes on from checkpoint 40 .* \({behind} points, \d checkpoints?\) is set aside, not lost\."
        expect(dialog.locator(".words")).to_have_text(re.compile(words))
        dialog.locator("summary").click()
        dialog.locator("[name=logging_steps]").fill("0")
        height = dialog.bounding_box()["height"]
        dialog.locator("[type=submit]").click()
        expect(dialog.locator(".trouble")).to_contain_text("Log every")
        assert dialog.bounding_box()["height"] == height
        assert store.runs.get(stopped.run)["status"] == "stopped"
        dialog.locator("[name=logging_steps]").fill("2")
        dialog.locator("[type=submit]").click()
        expect(dialog).to_be_hidden()
        expect(page.locator(".monitor .status")).to_have_text("waiting")
        expect(page.locator(".saying .words")).to_have_text("Next in the queue, to go on from checkpoint 40.")
        row = store.runs.get(stopped.run)
        assert (row["resume_step"], row["config"]["training"]["logging_steps"]) == (40, 2)
        store.runs.withdraw(stopped.run, "Taken out.")


def test_a_run_without_a_whole_checkpoint_says_so_instead(page, app, store, home, stopped):
    for one in store.checkpoints.of(stopped.run):
        (home / "runs" / stopped.run / one["path"] / "optimizer.pt").unlink()
    monitor(page, app, stopped.run)
    page.click(".next .resume")
    expect(page.locator("dialog.resume .trouble")).to_contain_text("cannot be resumed")
    expect(page.locator("dialog.resume [type=submit]")).to_be_hidden()
    page.click("dialog.resume [value=leave]")
    expect(page.locator("dialog.resume")).to_be_hidden()


def test_a_resumed_curve_goes_on_with_a_mark_and_nothing_is_doubled(page, app, store, stopped):
    monitor(page, app, stopped.run)
    page.wait_for_function(f"({POINTS})() === {stopped.step}")
    with Trainer(store, rate=20, goes_on=(stopped.run, 40)):
        expect(page.locator(".monitor .status")).to_have_text("running")
        page.wait_for_function(f"({POINTS})() >= {stopped.step + 10}", timeout=15_000)
        assert_every_step_once(page)
        expect(page.locator(".marks .resumed")).to_have_attribute("title", re.compile("Resumed from checkpoint 40 at"))
        expect(page.locator(".key .resumed")).to_be_visible()
        expect(page.locator(".marks .stop")).to_have_count(0)  # it was taken on what is set aside


WRITTEN = """
const write = CanvasRenderingContext2D.prototype.fillText;
window.written = [];
CanvasRenderingContext2D.prototype.fillText = function (words, x, y, ...more) {
    if (words.startsWith("resumed")) window.written.push([words, x, x + this.measureText(words).width, y]);
    return write.call(this, words, x, y, ...more);
};
"""


def test_marks_that_are_close_are_all_told(page, app, store, stopped):
    page.add_init_script(WRITTEN)
    store.parts.begin(stopped.run, 40)
    asked = store.commands.add(stopped.run, "evaluate", "hand")
    with Writer(store.path, stopped.run) as writer:
        for step in range(41, 51):
            writer.log(step, {"loss": 1.0})
        writer.take(asked, 40)
        writer.finish(asked, "eval_loss 0.7 at step 40")
    store.parts.begin(stopped.run, 44)
    with Writer(store.path, stopped.run) as writer:
        writer.log(52, {"loss": 1.0})
    monitor(page, app, stopped.run)
    expect(page.locator(".marks li").first).to_have_text("↻◆")  # asked at the step where it was resumed
    expect(page.locator(".marks li").nth(1)).to_have_text("↻")
    expect(page.locator(".key .asked")).to_be_visible()
    page.wait_for_function("() => new Set(window.written.map(([words]) => words)).size === 2")
    (_, start, end, y), (_, other_start, other_end, other_y) = page.evaluate("() => window.written.slice(-2)")
    assert abs(y - other_y) >= 10 or end < other_start or other_end < start


def test_a_part_that_overtakes_the_page_between_two_questions_is_not_mixed_in(page, app, store, stopped):
    monitor(page, app, stopped.run)
    page.wait_for_function(f"({POINTS})() === {stopped.step}")
    page.route(re.compile("component_server"), lambda route: None)  # the page hears nothing
    with Trainer(store, rate=200, max_steps=stopped.step + 30, goes_on=(stopped.run, 40)) as again:
        again._thread.join()
    with Writer(store.path, stopped.run) as writer:
        writer.log(45, {"loss": 77.0})  # only the curve as it stands now has it
    page.unroute_all()
    page.evaluate("() => dfgui.live.ask()")
    page.wait_for_function(f"({POINTS})() === {stopped.step + 30}", timeout=15_000)
    assert_every_step_once(page)
    assert page.evaluate("() => dfgui.monitor.held().get('loss').mean[44]") == 77.0


def assert_every_step_once(page):
    steps = page.evaluate("() => dfgui.monitor.held().get('loss').steps")
    assert steps == list(range(1, len(steps) + 1))


def test_an_interrupted_run_is_found_from_any_page_and_can_go_on(page, app, store, stopped):
    store.runs.update(stopped.run, status="running", owner=DEAD)  # as a killed process leaves it
    page.goto(f"{app.url}/?view=data")
    expect(page.locator(".chip .status")).to_have_text("interrupted", timeout=15_000)
    expect(page.locator(".chip .detail")).to_have_text(f"step {stopped.step} / 600")
    page.click(".chip")
    expect(page.locator(".saying .words")).to_contain_text("the process that trained it is gone")
    expect(page.locator(".next .resume")).to_be_visible()
    returned = page.context.new_page()
    returned.goto(app.url)
    returned.wait_for_url(re.compile(f"view=monitor&run={stopped.run}"))
    store.runs.update(stopped.run, status="stopped")


DEAD = {"host": socket.gethostname(), "pid": 2**22 - 1, "started_at": 1.0}
