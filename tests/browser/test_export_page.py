"""The Export page: a merge is said to be under way, comes home once, and a refusal is words on the page."""

import re
import shutil

import pytest
from playwright.sync_api import expect

from tests.browser.runs import run_with_adapter

expect.set_options(timeout=60_000)  # a merge loads a model, on a machine that may be busy


@pytest.fixture(scope="module")
def run(home, app):
    return run_with_adapter(home, "weather-lora", std=0.01)


def export(page, app, run):
    page.goto(f"{app.url}/?view=export&run={run}")
    expect(page.locator(".offer")).to_have_count(4)
    return page


def merged(page):
    return page.locator(".offer[data-kind=merged]")


def test_a_merge_is_said_to_be_under_way_and_its_download_starts_by_itself(page, app, run):
    export(page, app, run)
    with page.expect_download(timeout=120_000) as download:
        merged(page).locator(".act a").click()
        expect(merged(page).locator(".state")).to_have_text(re.compile("Merging .*… The download starts by itself."))
    assert download.value.suggested_filename == "weather-lora-20-merged.zip"
    assert download.value.path().stat().st_size > 1_000_000
    expect(merged(page).locator(".state")).to_have_text("The download has begun.")


def test_an_adapter_comes_as_well(page, app, run):
    export(page, app, run)
    with page.expect_download() as download:
        page.locator(".offer[data-kind=adapter] .act a").click()
    assert download.value.suggested_filename == "weather-lora-20-adapter.zip"


def test_what_was_said_of_a_download_stays_while_the_page_is_drawn_anew_and_goes_with_it(page, app, run, home):
    export(page, app, run)
    with page.expect_download():
        page.locator(".offer[data-kind=adapter] .act a").click()
    state = page.locator(".offer[data-kind=adapter] .state")
    expect(state).to_have_text("The download has begun.")
    other = run_with_adapter(home, "one-more", std=0.01)
    expect(page.locator(f"[data-choose=run] option[value='{other}']")).to_have_count(1)
    expect(state).to_have_text("The download has begun.")
    page.locator("[data-choose=run]").select_option(other)
    expect(state).to_have_text("")
    page.locator("[data-choose=run]").select_option(run)
    expect(state).to_have_text("The download has begun.")
    page.click("#tab-runs-button")
    page.click("#tab-export-button")
    expect(page.locator(".offer")).to_have_count(4)
    expect(state).to_have_text("")


def test_a_second_click_starts_no_second_merge(page, app, run):
    export(page, app, run)
    asked = []
    page.route(re.compile(r"\?ready"), lambda route: asked.append(route.request.url))
    link = merged(page).locator(".act a")
    link.click()
    expect(link).to_have_attribute("aria-disabled", "true")
    link.click(force=True)
    page.click("#tab-runs-button")
    page.click("#tab-export-button")
    link.click(force=True)
    assert len(asked) == 1
    with page.expect_download(timeout=120_000):
        page.unroute_all()


def test_what_is_refused_is_said_on_the_page(page, app, home):
    gone = run_with_adapter(home, "soon-gone", std=0.01)
    export(page, app, gone)
    shutil.rmtree(home / "runs" / gone / "checkpoint-20")
    merged(page).locator(".act a").click()
    expect(merged(page).locator(".trouble")).to_contain_text("no longer on the disk")
    expect(merged(page).locator(".trouble")).to_contain_text("Choose another checkpoint.")
    expect(merged(page).locator(".act a")).to_have_attribute("aria-disabled", "false")
    page.complaints.clear()  # the browser reports the refusal


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status": 401, "json": {"error": "Not authenticated", "detail": "Log in first."}}, "Your login has ended."),
        ({"status": 500, "body": "Internal Server Error"}, "The server did not answer."),
    ],
)
def test_a_refusal_without_words_of_ours_is_said_too(page, app, run, answer, words):
    export(page, app, run)
    page.route(re.compile(r"\?ready"), lambda route: route.fulfill(**answer))
    merged(page).locator(".act a").click()
    expect(merged(page).locator(".trouble")).to_contain_text(words)
    page.complaints.clear()


def test_news_from_elsewhere_takes_neither_the_focus_nor_what_was_folded(page, app, run, home):
    export(page, app, run)
    merged(page).locator("summary").click()
    merged(page).locator(".act a").focus()
    other = run_with_adapter(home, "another", std=0.01)
    expect(page.locator(f"[data-choose=run] option[value='{other}']")).to_have_count(1)
    expect(merged(page).locator(".act a")).to_be_focused()
    expect(merged(page).locator("pre")).to_be_hidden()


def test_weights_come_file_by_file_too(page, app, run, home):
    export(page, app, run)
    files = page.locator(".offer[data-kind=adapter] .files")
    files.locator("summary").click()
    with page.expect_download() as download:
        files.locator("a").click()
    kept = home / "runs" / run / "checkpoint-20" / "adapter_model.safetensors"
    assert download.value.suggested_filename == kept.name
    assert download.value.path().read_bytes() == kept.read_bytes()
    expect(merged(page).locator(".files")).to_have_count(0)
