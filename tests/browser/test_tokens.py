"""The tokens of a row by keyboard: one stop in the tab order, arrows from there on."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.upload import uploaded

expect.set_options(timeout=30_000)  # the first tokenizer takes its time on a busy machine


@pytest.fixture
def tokens(page, app):
    page.goto(f"{app.url}/?view=data")
    page.get_by_role("tab", name="Tokens").click()
    expect(page.locator("#view-tokens .tokens i").first).to_be_visible()
    return page.locator("#view-tokens .tokens i")


def said(page):
    return page.locator("#view-tokens .token-said")


def test_the_arrows_lead_from_token_to_token_and_each_says_what_it_is(page, tokens):
    tokens.first.focus()
    expect(said(page)).to_have_text(re.compile(r"input_ids \d+ · system · read, not learned"))
    page.keyboard.press("ArrowRight")
    expect(tokens.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(tokens.last).to_be_focused()
    expect(said(page)).to_contain_text("assistant")
    page.keyboard.press("ArrowRight")
    expect(tokens.last).to_be_focused()
    page.keyboard.press("Home")
    expect(tokens.first).to_be_focused()


def test_up_and_down_go_by_line(page, tokens):
    tokens.first.focus()
    top = tokens.first.bounding_box()["y"]
    page.keyboard.press("ArrowDown")
    assert focused(page)["y"] > top
    page.keyboard.press("ArrowUp")
    assert abs(focused(page)["y"] - top) < 2


def focused(page):
    return page.locator("#view-tokens .tokens i:focus").bounding_box()


def test_one_token_stands_in_the_tab_order_and_it_is_the_last_one_visited(page, tokens):
    tokens.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#view-tokens .tokens [tabindex='0']")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(page.locator("#view-tokens .tokens i:focus")).to_have_count(0)
    page.keyboard.press("Shift+Tab")
    expect(tokens.nth(2)).to_be_focused()


def test_the_mouse_shows_the_same(page, tokens):
    tokens.nth(3).hover()
    expect(said(page)).to_contain_text(tokens.nth(3).get_attribute("title"))


def test_text_is_found_across_tokens_and_enter_goes_on(page, tokens):
    box = page.locator("#view-tokens .token-find")
    box.fill("<|im_start|>assistant")
    expect(page.locator("#view-tokens output")).to_have_text(re.compile(r"1 of \d+"))
    assert "<|im_start|>assistant".startswith("".join(page.locator("#view-tokens i.at").all_text_contents())[:12])
    total = int(page.locator("#view-tokens output").inner_text().split()[-1])
    box.press("Enter")
    expect(page.locator("#view-tokens output")).to_have_text(f"{2 if total > 1 else 1} of {total}")
    box.fill("no such words")
    expect(page.locator("#view-tokens output")).to_have_text("not found")
    expect(page.locator("#view-tokens i.hit")).to_have_count(0)


def test_roles_and_special_tokens_are_told_apart(page, tokens):
    roles = page.locator("#view-tokens .tokens .of").evaluate_all("all => all.map(one => one.dataset.role)")
    assert {"system", "user", "assistant"} <= set(roles)
    assert "<|im_start|>" in page.locator("#view-tokens .tokens i.s").all_text_contents()


def test_ten_thousand_tokens_stay_fluid(page, app, tmp_path):
    """Drawn whole, found through and walked through; a keystroke's work is counted in milliseconds of the page."""
    path = tmp_path / "long.jsonl"
    words = " ".join(f"word{number}" for number in range(3_500))
    path.write_text(json.dumps({"text": words}))
    uploaded(page, app, path)
    expect(page.locator("#data-facts")).to_contain_text("plain text")
    page.get_by_role("tab", name="Tokens").click()
    shown = page.locator("#view-tokens .tokens i")
    expect(shown.nth(9_000)).to_be_attached()
    page.locator("#view-tokens .token-find").fill("word3499")
    expect(page.locator("#view-tokens output")).to_have_text("1 of 1")
    expect(page.locator("#view-tokens i.at").first).to_be_in_viewport()
