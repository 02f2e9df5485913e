"""The frame around the pages: the first visit, the address, the tabs that wait for something, Runs and Export."""

import itertools
import re

import pytest
from playwright.sync_api import expect

from dfgui.ui.shell import PAGES
from tests.browser.trainer import Trainer
from tests.browser.upload import upload
from tests.server.processes import APP, free_port, served


@pytest.fixture(scope="module")
def opened(app):
    return app.url


def test_a_first_visit_offers_three_ways_and_says_what_the_machine_has(page, opened):
    page.goto(opened)
    expect(page.locator(".welcome .choice")).to_have_count(3)
    expect(page.locator("[data-choice=earlier]")).to_be_disabled()
    expect(page.locator(".welcome .machine")).to_contain_text("of disk free")


def test_tabs_that_wait_for_a_run_are_grey_and_say_why(page, opened):
    page.goto(opened)
    for tab in ("monitor", "chat", "evaluate", "export"):
        expect(page.locator(f"#tab-{tab}-button")).to_have_class(re.compile("greyed"))
        assert page.locator(f"#tab-{tab}-button").get_attribute("title")
    page.click("#tab-monitor-button")
    expect(page.locator(".monitor .empty")).to_contain_text("Start one on Train")
    page.click("#tab-export-button")
    expect(page.locator(".export .empty")).to_contain_text("Nothing to bring home yet")


def test_the_demo_leads_to_its_rows(page, opened):
    page.goto(opened)
    page.click("[data-choice=demo]")
    page.wait_for_url(re.compile("view=data"))
    expect(page.locator("#selection")).to_be_visible()


def test_a_dataset_of_ones_own_is_asked_for_where_it_is_given(page, opened, tmp_path):
    page.goto(opened)
    page.click("[data-choice=own]")
    asked = page.locator("#choose-file")
    expect(asked).to_contain_text("Choose your file")
    expect(page.locator("#upload")).to_be_focused()
    page.click("#tab-train-button")
    expect(asked).to_have_count(0)
    page.click(".brand")
    page.click("[data-choice=own]")
    expect(asked).to_be_visible()
    file = tmp_path / "rows.csv"
    file.write_text("prompt,completion\nHi,Hello\n")
    upload(page, file)
    expect(page.locator("#field-data__source input")).to_have_value("rows.csv")
    expect(asked).to_have_count(0)


def test_the_model_and_the_dataset_stand_over_data_and_train_only(page, opened):
    page.goto(f"{opened}/?view=train")
    expect(page.locator("#selection")).to_be_visible()
    page.click("#tab-runs-button")
    expect(page.locator("#selection")).not_to_be_visible()


def test_a_list_closes_when_the_keyboard_leaves_it(page, opened):
    page.goto(f"{opened}/?view=data")
    expect(page.locator("#data-facts")).to_contain_text("detected", timeout=30_000)
    for name in ("model__name", "data__source", "data__format"):
        field = page.locator(f"#field-{name}")
        field.locator("input").focus()
        expect(field.get_by_role("listbox")).to_be_visible()
        page.keyboard.press("Tab")
        expect(field.locator("input")).not_to_be_focused()
        page.wait_for_timeout(200)  # it opened again a moment after the focus had gone
        expect(field.get_by_role("listbox")).to_have_count(0)


def test_the_address_follows_the_tab_and_the_title_leads_back_to_the_start(page, opened):
    page.goto(opened)
    expect(page.locator(".welcome")).to_be_visible()  # until then the page has not decided what it shows
    page.click("#tab-runs-button")
    page.wait_for_url(re.compile("view=runs"))
    page.reload()
    expect(page.locator(".runs")).to_be_visible()
    page.click(".brand")
    page.wait_for_url(re.compile("view=welcome"))
    expect(page.locator(".welcome")).to_be_visible()


def test_an_address_that_names_no_page_opens_data(page, opened):
    page.goto(f"{opened}/?view=nothing")
    page.wait_for_url(re.compile("view=data"))


def test_a_lost_server_is_said_and_found_again(page, opened, store):
    with Trainer(store):
        page.goto(opened)
        expect(page.locator(".chip .status")).to_have_text("running")
        page.route(re.compile("component_server"), lambda route: route.abort())
        expect(page.locator(".chip")).to_contain_text("No connection", timeout=15000)
        page.unroute_all()
        expect(page.locator(".chip .status")).to_have_text("running", timeout=15000)
    page.complaints.clear()  # the browser reports the requests that were aborted above


def test_a_run_and_its_checkpoint_can_be_chosen_for_export(page, opened, store):
    with Trainer(store, name="to-export", rate=100, max_steps=45) as trainer:
        trainer._thread.join()
    page.goto(f"{opened}/?view=monitor&run={trainer.run}")
    page.click("[aria-label='Download checkpoint 20']")
    expect(page.locator(".shelf [value='20']")).to_be_checked()
    expect(page.locator("[data-choose=run]")).to_have_value(trainer.run)
    page.check(".shelf [value='40']")
    expect(page.locator(".shelf tr.chosen")).to_have_attribute("data-step", "40")
    expect(page.locator(".export > .trouble")).to_contain_text("no longer on the disk")


def test_a_click_before_the_page_has_decided_what_it_shows_wins(page, opened):
    page.route(re.compile("component_server"), lambda route: None)
    page.goto(opened)
    page.click("#tab-runs-button")
    expect(page.locator("#tab-runs-button")).to_have_attribute("aria-selected", "true")
    assert page.evaluate("document.body.dataset.view") is None
    page.unroute_all()  # lets go on what was held
    page.wait_for_url(re.compile("view="))
    expect(page.locator(".runs")).to_be_visible()
    assert "view=runs" in page.url


def test_back_and_forward_lead_from_page_to_page(page, opened):
    page.goto(f"{opened}/?view=welcome")
    expect(page.locator(".welcome")).to_be_visible()
    page.click("#tab-runs-button")
    page.wait_for_url(re.compile("view=runs"))
    page.click("#tab-export-button")
    page.wait_for_url(re.compile("view=export"))
    entries = page.evaluate("history.length")
    page.go_back()
    expect(page.locator(".runs")).to_be_visible()
    page.go_back()
    expect(page.locator(".welcome")).to_be_visible()
    page.go_forward()
    expect(page.locator(".runs")).to_be_visible()
    page.wait_for_timeout(300)
    assert page.evaluate("history.length") == entries
    page.reload()
    expect(page.locator(".runs")).to_be_visible()
    page.go_back()
    expect(page.locator(".welcome")).to_be_visible()


def test_back_brings_the_run_back_too(page, opened, store):
    first, second = (ended(store, name) for name in ("came-first", "came-second"))
    page.goto(f"{opened}/?view=monitor&run={first}")
    expect(page.locator(".monitor .name")).to_have_text("came-first")
    page.click("#tab-runs-button")
    page.click(f"[data-run='{second}'] .link")
    expect(page.locator(".monitor .name")).to_have_text("came-second")
    page.wait_for_url(re.compile(f"view=monitor&run={second}"))
    page.go_back()
    expect(page.locator(".runs")).to_be_visible()
    page.go_back()
    expect(page.locator(".monitor .name")).to_have_text("came-first")
    page.wait_for_url(re.compile(f"view=monitor&run={first}"))


def ended(store, name, **options):
    with Trainer(store, name=name, rate=500, max_steps=3, **options) as trainer:
        trainer._thread.join()
    return trainer.run


def test_a_part_that_fails_on_an_answer_does_not_end_the_pulse(page, opened, store):
    with Trainer(store):
        page.goto(f"{opened}/?view=runs")
        expect(page.locator(".chip .detail")).to_be_visible()
        page.evaluate(FAILING)
        page.wait_for_function("window.failed >= 2", timeout=15_000)
        before = page.locator(".chip .detail").inner_text()
        expect(page.locator(".chip .detail")).not_to_have_text(before)
        expect(page.locator(".chip .status")).to_have_text("running")
    assert any("it fails" in complaint for complaint in page.complaints)
    page.complaints.clear()


FAILING = """() => dfgui.live.join({
  question: () => {},
  answer: () => { window.failed = (window.failed || 0) + 1; throw new Error("it fails"); },
})"""


def test_a_question_before_the_chip_is_there_waits_for_it(page, opened):
    page.add_init_script(EARLY)
    page.goto(f"{opened}/?view=runs")
    expect(page.locator(".runs")).to_be_visible()
    assert page.evaluate("window.early")


EARLY = """const asking = setInterval(() => {
  if (!window.dfgui || !dfgui.live) return;
  clearInterval(asking);
  window.early = !dfgui.live.server;
  dfgui.live.ask();
})"""


def test_an_ended_login_asks_for_a_new_one(new_page, tmp_path):
    flags = ("--home", str(tmp_path), "--port", str(free_port()), "--no-browser")
    env = {"DFGUI_USERNAME": "ada", "DFGUI_PASSWORD": "engine"}
    with served(*flags, home=tmp_path, env=env, command=APP) as server:
        page = new_page()
        page.goto(f"{server.url}/?view=runs")
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill("engine")
        page.get_by_role("button", name="Log in").click()
        expect(page.locator(".logout")).to_be_visible(timeout=30_000)
        page.context.clear_cookies()
        expect(page.get_by_label("Password")).to_be_visible(timeout=30_000)
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill("engine")
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(re.compile("view=runs"))
        page.close()
        page.complaints.clear()  # the questions that were refused


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_chip_opens_its_run_by_keyboard(page, opened, store, key):
    with Trainer(store) as trainer:
        page.goto(f"{opened}/?view=runs")
        expect(page.locator(".chip .status")).to_be_visible()
        page.locator(".chip").press(key)
        page.wait_for_url(re.compile(f"view=monitor&run={trainer.run}"))


def test_news_leaves_the_focus_on_its_run(page, opened, store):
    run = ended(store, "kept-in-focus")
    page.goto(f"{opened}/?view=runs")
    page.focus(f"[data-run='{run}'] .link")
    newer = ended(store, "newer")
    expect(page.locator(f"[data-run='{newer}']")).to_be_visible(timeout=15_000)
    expect(page.locator(f"[data-run='{run}'] .link")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_grey_tab_can_be_read(new_page, tmp_path_factory, scheme):
    home = tmp_path_factory.mktemp("empty")
    with served("--home", str(home), "--port", str(free_port()), "--no-browser", home=home, command=APP) as server:
        page = new_page(color_scheme=scheme)
        page.goto(server.url)
        tab = page.locator("#tab-chat-button")
        expect(tab).to_have_class(re.compile("greyed"))
        page.wait_for_timeout(500)  # colours change slowly
        assert tab.evaluate(CONTRAST) >= 4.5
        assert tab.evaluate("(tab) => getComputedStyle(tab).opacity") == "1"
        assert tab.evaluate(COLOUR) != page.locator("#tab-runs-button").evaluate(COLOUR)
        page.close()
        page.complaints.clear()  # its server ends before it


COLOUR = "(tab) => getComputedStyle(tab).color"
# https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio
CONTRAST = """(tab) => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const two = [getComputedStyle(tab).color, getComputedStyle(document.body).backgroundColor].map(light);
  return (Math.max(...two) + 0.05) / (Math.min(...two) + 0.05);
}"""


@pytest.mark.parametrize(("view", "places"), [("chat", ["chat-base", "chat-tuned"]), ("evaluate", ["result"])])
def test_an_answer_is_read_aloud_once_it_is_whole(page, opened, store, view, places):
    with Trainer(store, rate=100, max_steps=25) as trainer:
        trainer._thread.join()
    page.goto(f"{opened}/?view={view}&run={trainer.run}")
    for place in places:
        box = page.locator(f"#{place}")
        expect(box).to_have_attribute("aria-live", "polite")
        expect(box).to_have_attribute("aria-busy", "false")
        box.evaluate("(box) => box.insertAdjacentHTML('beforeend', '<p class=\"writing scoring\">…</p>')")
        expect(box).to_have_attribute("aria-busy", "true")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_no_page_scrolls_sideways_and_the_header_has_its_room(new_page, opened, store, scheme):
    page = new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    with Trainer(store, rate=50) as trainer:
        page.goto(f"{opened}/?view=runs&run={trainer.run}")
        expect(page.locator(".chip .detail")).to_contain_text("step")
        for view in ("data", "train", "evaluate", "chat"):
            page.click(f"#tab-{view}-button")
            page.wait_for_selector(f"#tab-{view}", state="visible")
            page.wait_for_timeout(1000)
            assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
            boxes = {selector: page.locator(selector).bounding_box() for selector in HEADER}
            for one, other in itertools.combinations(HEADER, 2):
                assert apart(boxes[one], boxes[other]), (view, one, other, boxes)
            for box in boxes.values():
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= 390


HEADER = [".brand", ".chip", ".help-open", *(f"#tab-{page}-button" for page in list(PAGES)[1:])]


def apart(one, other):
    side_by_side = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
    return side_by_side or one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]


@pytest.mark.parametrize("view", ["welcome", "data", "train", "monitor"])
def test_a_page_on_which_nothing_happens_draws_no_frames(page, opened, view):
    page.add_init_script("""{
      const ask = window.requestAnimationFrame;
      window.framesAsked = 0;
      window.requestAnimationFrame = (draw) => { window.framesAsked += 1; return ask.call(window, draw); };
    }""")
    page.goto(f"{opened}/?view={view}")
    expect(page.locator("#shell")).to_be_visible()
    assert page.evaluate("window.framesAsked") > 0  # while it loads
    assert any(_frames_in_a_second(page) <= 2 for _ in range(20))  # Gradio's own loading screen would go on with 60


def _frames_in_a_second(page):
    page.evaluate("window.framesAsked = 0")
    page.wait_for_timeout(1000)
    return page.evaluate("window.framesAsked")
