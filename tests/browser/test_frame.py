"""The frame around the pages: the first visit, the address, the tabs that wait for something, Runs and Export."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.trainer import Trainer


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


def test_the_model_and_the_dataset_stand_over_data_and_train_only(page, opened):
    page.goto(f"{opened}/?view=train")
    expect(page.locator("#selection")).to_be_visible()
    page.click("#tab-runs-button")
    expect(page.locator("#selection")).not_to_be_visible()


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
    expect(page.locator("[data-choose=step]")).to_have_value("20")
    expect(page.locator("[data-choose=run]")).to_have_value(trainer.run)
    page.select_option("[data-choose=step]", "40")
    expect(page.locator("[data-choose=step]")).to_have_value("40")
    expect(page.locator(".export .trouble")).to_contain_text("no longer on the disk")
