"""The Monitor page in a real browser, beside a run that is written into the store while it looks."""

import re
import socket
import time

import pytest
from playwright.sync_api import expect

from dfgui.config import RunConfig
from dfgui.store import Writer
from dfgui.views.commands import NO_ROWS
from tests.browser.trainer import Trainer, values
from tests.checkpoints import whole_checkpoint

POINTS = "() => window.dfgui?.monitor?.held()?.get('loss')?.steps.length || 0"


@pytest.fixture
def trainer(store):
    with Trainer(store) as running:
        yield running


def monitor(page, app, run):
    page.goto(f"{app.url}/?view=monitor&run={run}")
    expect(page.locator(".monitor .name")).not_to_have_text(re.compile(r"^\s*$"))
    return page


def points(page):
    return page.evaluate(POINTS)


def test_points_arrive_without_a_reload(page, app, trainer):
    monitor(page, app, trainer.run)
    before = points(page)
    page.wait_for_function(f"({POINTS})() >= {before + 20}")
    expect(page.locator("[data-fact=steps]")).to_have_text(re.compile(r"step \d+ / 600"))
    expect(page.locator("[data-fact=left]")).to_have_text(re.compile(r"left$"))
    assert "training loss" in page.locator(".plot.big").get_attribute("aria-label")


def test_a_page_without_an_address_opens_the_live_run(page, app, trainer):
    page.goto(app.url)
    expect(page.locator(".monitor .name")).to_have_text("weather-lora")
    page.wait_for_url(re.compile(f"view=monitor&run={trainer.run}"))


def test_a_reload_and_a_second_browser_show_the_same(page, new_page, app, trainer):
    monitor(page, app, trainer.run)
    page.wait_for_function(f"({POINTS})() >= 25")
    first = page.evaluate("() => dfgui.monitor.held().get('loss')")
    page.reload()
    page.wait_for_function(f"({POINTS})() >= 25")
    other = monitor(new_page(), app, trainer.run)
    other.wait_for_function(f"({POINTS})() >= 25")
    for tab in (page, other):
        again = tab.evaluate("() => dfgui.monitor.held().get('loss')")
        assert again["steps"][:25] == first["steps"][:25]
        assert again["mean"][:25] == first["mean"][:25]
        expect(tab.locator(".checkpoints tbody tr").last).to_contain_text("20")


def test_save_now_answers_at_once_and_then_says_where_it_saved(page, app, trainer):
    monitor(page, app, trainer.run)
    page.click("[data-command=save]")
    expect(page.locator(".saying .words")).to_have_text(re.compile(r"Save: (requested|saved at step)"))
    expect(page.locator(".saying .words")).to_have_text(re.compile(r"Save: saved at step \d+"))
    step = re.search(r"\d+", page.locator(".saying .words").inner_text())[0]
    expect(page.locator(".checkpoints tbody td:first-child").filter(has_text=re.compile(f"^{step}$"))).to_be_visible()


def test_stop_asks_once_and_the_end_is_told_in_every_browser(page, new_page, app, trainer):
    monitor(page, app, trainer.run)
    other = monitor(new_page(), app, trainer.run)
    page.click("[data-command=stop]")
    expect(page.locator("dialog.stop h3")).to_have_text("Stop weather-lora?")
    page.click("dialog.stop [value=keep]")
    assert trainer.store.commands.of(trainer.run) == []
    page.click("[data-command=stop]")
    page.click("dialog.stop [value=stop]")
    for tab in (page, other):
        expect(tab.locator(".monitor .status")).to_have_text("stopped")
        expect(tab.locator(".saying .words")).to_contain_text("Stopped by")
        expect(tab.locator(".next [data-go=export]")).to_be_visible()


def test_the_stop_dialog_can_be_left_with_the_keyboard(page, app, trainer):
    monitor(page, app, trainer.run)
    page.locator("[data-command=stop]").press("Enter")
    expect(page.locator("dialog.stop [value=keep]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.stop")).not_to_be_visible()
    assert trainer.store.commands.of(trainer.run) == []


def test_two_browsers_see_the_same_request_and_the_same_answer_and_either_may_stop(page, new_page, app, store):
    with Trainer(store, rate=0.4) as trainer:
        monitor(page, app, trainer.run)
        other = monitor(new_page(), app, trainer.run)
        page.click("[data-command=save]")
        for tab in (page, other):
            expect(tab.locator(".saying .words")).to_have_text(re.compile(r"Save: (requested|saved)"))
            expect(tab.locator("[data-command=save]")).to_be_disabled()
        for tab in (page, other):
            expect(tab.locator(".saying .words")).to_have_text(re.compile(r"Save: saved at step \d+"))
            expect(tab.locator("[data-command=save]")).to_be_enabled()
        other.click("[data-command=stop]")
        other.click("dialog.stop [value=stop]")
        for tab in (page, other):
            expect(tab.locator(".monitor .status")).to_have_text("stopped")
            expect(tab.locator(".next .resume")).to_be_visible()


def test_evaluate_log_and_the_end_of_an_epoch_are_asked_for_and_answered(page, app, trainer):
    monitor(page, app, trainer.run)
    page.click("[data-command=evaluate]")
    expect(page.locator(".saying .words")).to_have_text(re.compile(r"Evaluate: eval_loss 0.7 at step \d+"))
    for command, words in (("log", "Log now: logged at step"), ("end-epoch", "End this epoch: ended at step")):
        page.click(".extra > button")
        page.click(f"[data-command={command}]")
        expect(page.locator(".menu")).to_be_hidden()
        expect(page.locator(".saying .words")).to_contain_text(words)
    kinds = ["evaluate", "log", "end-epoch"]
    assert [row["command"] for row in reversed(trainer.store.commands.of(trainer.run))] == kinds
    expect(page.locator(".marks li").first).to_have_attribute("title", re.compile("Evaluate: eval_loss 0.7 at step"))
    expect(page.locator(".key .asked")).to_be_visible()
    expect(page.locator(".key .resumed")).to_be_hidden()


def test_the_menu_works_with_the_keyboard_alone(page, app, trainer):
    monitor(page, app, trainer.run)
    more = page.locator(".extra > button")
    more.press("ArrowDown")
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(page.locator("[data-command=log]")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-command=end-epoch]")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-command=log]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".menu")).to_be_hidden()
    expect(more).to_be_focused()
    more.press("ArrowUp")
    expect(page.locator("[data-command=end-epoch]")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".menu")).to_be_hidden()
    assert trainer.store.commands.of(trainer.run) == []


def test_a_button_that_cannot_work_says_why_and_asks_for_nothing(page, app, trainer):
    with Writer(trainer.store.path, trainer.run) as writer:
        writer.facts(eval_rows=0)
    monitor(page, app, trainer.run)
    evaluate = page.locator("[data-command=evaluate]")
    expect(evaluate).to_have_attribute("title", NO_ROWS)
    expect(evaluate).to_have_accessible_description(NO_ROWS)
    expect(evaluate).to_be_disabled()
    evaluate.click(force=True)
    expect(page.locator(".saying .words")).to_contain_text(NO_ROWS)
    assert trainer.store.commands.of(trainer.run) == []


def test_a_stop_without_a_checkpoint_says_what_is_lost(page, app, trainer):
    monitor(page, app, trainer.run)
    page.wait_for_function(f"({POINTS})() >= 22")
    page.click("[data-command=stop]")
    expect(page.locator("dialog.stop .lost")).to_contain_text("what it learned since checkpoint")
    expect(page.locator("dialog.stop .force")).to_contain_text("If it does not answer within 60 s")
    page.click("dialog.stop [value=stop-without-checkpoint]")
    expect(page.locator(".monitor .status")).to_have_text("stopped")
    (asked,) = trainer.store.commands.of(trainer.run)
    assert asked["command"] == "stop-without-checkpoint"
    assert trainer.step not in [one["step"] for one in trainer.store.checkpoints.of(trainer.run)]


def test_a_run_in_the_queue_is_taken_out_of_it(page, app, trainer):
    waiting = trainer.store.runs.create(RunConfig(name="second"), "app")
    monitor(page, app, waiting)
    expect(page.locator(".saying .words")).to_have_text("Next in the queue.")
    expect(page.locator("[data-command=save]")).to_have_attribute("title", "It waits in the queue.")
    page.click("[data-command=stop]")
    expect(page.locator("dialog.stop h3")).to_have_text("Take second out of the queue?")
    expect(page.locator("dialog.stop [value=stop-without-checkpoint]")).to_be_hidden()
    page.click("dialog.stop [value=stop]")
    expect(page.locator(".saying .words")).to_have_text("Taken out of the queue by hand.")
    expect(page.locator(".next")).to_be_hidden()


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
        dialog.locator("[type=submit]").click()
        expect(dialog.locator(".trouble")).to_contain_text("Log every")
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


def test_the_trainers_state_is_shown_live_by_its_own_names(page, app, trainer):
    monitor(page, app, trainer.run)
    page.locator(".state summary").click()
    expect(page.locator(".state dt")).to_have_count(11)
    expect(page.locator(".state dt").first).to_contain_text("global_step")
    steps = page.locator(".state dd").first
    before = int(steps.inner_text())
    page.wait_for_function(f"() => Number(document.querySelector('.state dd').textContent) > {before}")
    expect(page.locator(".state dd").nth(6)).to_have_text("checkpoint-20")


def test_a_page_that_stays_open_does_not_grow(page, app, store):
    with Trainer(store, rate=0.2) as trainer:
        monitor(page, app, trainer.run)
        page.wait_for_function(f"({POINTS})() >= 1")
        start = 100
        while page.locator(".events li").count() < KEPT_EVENTS:
            start = feed(page, trainer, start, 500)
        expect(page.locator(".checkpoints .older")).to_contain_text("older ones")
        before = page.locator(".monitor *").count()
        for _ in range(3):
            start = feed(page, trainer, start, 700)
        page.wait_for_function(f"() => dfgui.monitor.held().get('loss').steps.at(-1) === {start - 1}", timeout=15_000)
        assert page.locator(".events li").count() == KEPT_EVENTS
        assert page.locator(".checkpoints tbody tr").count() <= 101
        assert page.locator(".monitor *").count() <= before + 10  # a mark or two of the chart
        assert points(page) <= 3000


KEPT_EVENTS = 200


def feed(page, trainer, start, count):
    """What hours of training bring: points, lines of the log, checkpoints. Returns the step after them, once seen."""
    with Writer(trainer.store.path, trainer.run) as writer:
        for step in range(start, start + count):
            writer.log(step, values(step, 9000))
            writer.event("note", f"note {step}", step)
            if step % 5 == 0:
                writer.checkpoint(step, f"checkpoint-{step}", "adapter", 1_000_000, None)
        writer.progress(global_step=start + count - 1)
    expect(page.locator(".events li").last).to_contain_text(f"note {start + count - 1}", timeout=15_000)
    return start + count


def test_html_in_a_name_is_shown_and_never_run(page, app, store):
    name = "<img src=x onerror=\"document.title='run'\"><b>bold</b>"
    with Trainer(store, name=name) as trainer:
        monitor(page, app, trainer.run)
        expect(page.locator(".monitor .name")).to_have_text(name)
        expect(page.locator(".chip .name")).to_have_text(name)
        page.click("#tab-runs-button")
        expect(page.locator(".runs .link").first).to_have_text(name)
        assert page.title() == "dfgui"
        assert page.locator("img[src=x]").count() == 0


def test_dragging_zooms_and_a_double_click_shows_the_whole_run_again(page, app, trainer):
    monitor(page, app, trainer.run)
    page.wait_for_function(f"({POINTS})() >= 30")
    box = page.locator(".plot.big .u-over").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 50, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, middle, steps=5)
    page.mouse.up()
    whole = page.locator("[data-control=whole]")
    expect(whole).to_be_enabled()
    page.mouse.dblclick(box["x"] + 100, middle)
    expect(whole).to_be_disabled()


def test_the_log_scale_and_the_smoothing_keep_the_curve(page, app, trainer):
    monitor(page, app, trainer.run)
    page.wait_for_function(f"({POINTS})() >= 10")
    page.check("[data-control=log]")
    page.locator("[data-control=smooth]").press("End")
    expect(page.locator(".controls output")).to_have_text("0.95")
    expect(page.locator(".readout")).to_contain_text("smoothed")


def test_the_live_run_is_a_click_away_from_any_page(page, app, trainer):
    page.goto(f"{app.url}/?view=runs")
    page.click(".chip")
    expect(page.locator(".monitor .name")).to_be_visible()
    page.wait_for_url(re.compile(f"view=monitor&run={trainer.run}"))


def test_a_run_chosen_in_the_table_opens_in_monitor(page, app, store):
    with Trainer(store, name="first", max_steps=3):
        pass
    with Trainer(store, name="second", max_steps=3) as second:
        page.goto(f"{app.url}/?view=runs")
        page.click(".runs .link >> text=second")
        page.wait_for_url(re.compile(f"view=monitor&run={second.run}"))
        expect(page.locator(".monitor .name")).to_have_text("second")


def test_an_unknown_run_is_told_and_not_an_error(page, app):
    page.goto(f"{app.url}/?view=monitor&run=nosuchrun1")
    expect(page.locator(".monitor .empty")).to_contain_text("There is no run nosuchrun1.")


def test_boxes_keep_their_place_while_data_arrives(page, app, trainer):
    monitor(page, app, trainer.run)
    boxes = [".facts", ".tiles", ".plot.big", ".smalls", ".checkpoints"]
    before = [page.locator(box).bounding_box()["y"] for box in boxes]
    page.wait_for_function(f"({POINTS})() >= 30")
    assert [page.locator(box).bounding_box()["y"] for box in boxes] == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_does_not_scroll_sideways(new_page, app, trainer, scheme):
    page = new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    for view in ("monitor", "runs", "export", "welcome"):
        page.goto(f"{app.url}/?view={view}&run={trainer.run}")
        page.wait_for_selector(f"#tab-{view}", state="visible")
        page.wait_for_timeout(500)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
