"""What can be asked of a run on Monitor, in a real browser: each button is answered, in every browser alike."""

import re
import time

import pytest
from playwright.sync_api import expect

from dfgui.config import RunConfig
from dfgui.store import Writer
from dfgui.views.commands import NO_ROWS
from tests.browser.monitor import POINTS, monitor
from tests.browser.trainer import Trainer

PATIENCE = 30_000  # ms: a run that takes seconds for a step, on cores that are shared


@pytest.fixture
def trainer(store):
    with Trainer(store) as running:
        yield running


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


def until(true, seconds=30):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_two_browsers_see_the_same_request_and_the_same_answer_and_either_may_stop(page, new_page, app, store):
    with Trainer(store, rate=0.01) as trainer:  # a step comes when it is told to
        trainer.take_a_step()
        monitor(page, app, trainer.run)
        other = monitor(new_page(), app, trainer.run)
        page.click("[data-command=save]")
        for tab in (page, other):
            expect(tab.locator(".saying .words")).to_have_text("Save: requested")
            expect(tab.locator("[data-command=save]")).to_be_disabled()
        trainer.take_a_step()
        for tab in (page, other):
            expect(tab.locator(".saying .words")).to_have_text(re.compile(r"Save: saved at step \d+"), timeout=PATIENCE)
            expect(tab.locator("[data-command=save]")).to_be_enabled()
        for tab in (page, other):
            expect(tab.locator(".key .stopped")).to_be_hidden()
        other.click("[data-command=stop]")
        other.click("dialog.stop [value=stop]")
        until(lambda: store.commands.waiting(trainer.run))
        for tab in (page, other):
            expect(tab.locator(".monitor .status")).to_have_text("stopping")
            expect(tab.locator(".saying")).to_have_text(re.compile(r"^Stopping: the step under way still ends\.\s*$"))
            expect(tab.locator("[data-fact=left]")).to_be_empty()
        trainer.take_a_step()
        for tab in (page, other):
            expect(tab.locator(".monitor .status")).to_have_text("stopped", timeout=PATIENCE)
            expect(tab.locator(".next .resume")).to_be_visible()
            expect(tab.locator(".key .stopped")).to_be_visible()


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
    assert asked["command"] == "stop-without-checkpoint" and "nothing was saved" in asked["outcome"]


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
    expect(page.locator(".next :is(.resume, .mend, [data-go]):visible")).to_have_count(0)
