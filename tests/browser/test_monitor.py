"""The Monitor page in a real browser, beside a run that is written into the store while it looks."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.trainer import Trainer

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
