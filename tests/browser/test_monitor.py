"""The Monitor page in a real browser, beside a run that is written into the store while it looks."""

import re

import pytest
from playwright.sync_api import expect

from dfgui.store import Writer
from tests.browser.monitor import POINTS, monitor, points
from tests.browser.trainer import Trainer, values


@pytest.fixture
def trainer(store):
    with Trainer(store) as running:
        yield running


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


DRAWN = """(name) => {
    const colour = getComputedStyle(document.body).getPropertyValue(name).match(/[0-9a-f]{2}/g);
    const [red, green, blue] = colour.map((two) => parseInt(two, 16));
    const canvas = document.querySelector(".plot.big canvas");
    const dots = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    for (let i = 0; i < dots.length; i += 4) {
        if (dots[i] === red && dots[i + 1] === green && dots[i + 2] === blue) return true;
    }
}"""  # whether the chart has a dot of this colour, as it is now


def test_the_charts_turn_dark_and_light_with_the_page(page, app, store):
    with Trainer(store, rate=0.01) as trainer:  # nothing is drawn anew because a step came
        monitor(page, app, trainer.run)
        page.wait_for_function(f"({POINTS})() >= 1")
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            for colour in ("--df-line", "--df-accent"):
                page.wait_for_function(DRAWN, arg=colour, timeout=5_000)


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


LONG = "weather-lora with a name that is as long as a name may be, which is eighty signs"


def test_a_long_name_leaves_room_for_the_facts(page, app, store):
    with Trainer(store, name=LONG) as trainer:
        monitor(page, app, trainer.run)
        expect(page.locator("[data-fact=best]")).to_have_text(re.compile("best"))
        expect(page.locator(".monitor .name")).to_have_attribute("title", LONG)
        assert page.locator(".monitor .facts").bounding_box()["height"] < 50  # two lines
        assert page.locator(".monitor .name").bounding_box()["height"] < 40


def test_a_phone_reads_the_step_of_the_live_run(new_page, app, store):
    page = new_page(viewport={"width": 390, "height": 844})
    with Trainer(store, name=LONG, max_steps=12_000):
        page.goto(f"{app.url}/?view=runs")
        expect(page.locator(".chip .detail")).to_have_text(re.compile(r"step \d+ / 12,000"))
        expect(page.locator(".chip .name")).to_be_visible()
        assert page.locator(".chip .detail").evaluate("(words) => words.scrollWidth <= words.clientWidth")
