"""Help, from any page: what is where, our words, the keys, and where everything is kept."""

import re

import pytest
from playwright.sync_api import expect

from dfgui.ui.shell import PAGES


@pytest.fixture
def help(page, app):
    page.goto(f"{app.url}/?view=runs")
    expect(page.locator(".runs")).to_be_visible()
    page.get_by_role("button", name="Help").click()
    return page.get_by_role("dialog", name="What is where")


def test_help_names_every_page_our_words_and_where_things_are_kept(help, home):
    for name, _ in list(PAGES.values())[1:]:
        expect(help.locator("dt").filter(has_text=name).first).to_be_visible()
    for words in ("learned", "read, not learned", "what the model reads", "too long: the end is lost"):
        expect(help).to_contain_text(words)
    for word in ("token", "loss", "held-out rows", "batch", "step", "epoch", "learning rate", "LoRA", "checkpoint"):
        expect(help.locator("dt").filter(has_text=re.compile(f"^{word}"))).to_be_visible()
    expect(help).to_contain_text(str(home))
    expect(help).to_contain_text("python -m dfgui")


def test_esc_closes_help_and_the_focus_is_where_it_was(page, help):
    expect(help.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.help")).to_be_hidden()
    expect(page.get_by_role("button", name="Help")).to_be_focused()


def test_help_opens_by_keyboard_and_closes_with_its_button_or_beside_it(page, help):
    help.get_by_role("button", name="Close").press("Enter")
    expect(page.locator("dialog.help")).to_be_hidden()
    page.get_by_role("button", name="Help").press("Enter")
    expect(page.locator("dialog.help")).to_be_visible()
    page.mouse.click(10, 400)
    expect(page.locator("dialog.help")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_help_fits_a_phone(new_page, app, scheme):
    page = new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page.goto(f"{app.url}/?view=runs")
    expect(page.locator(".runs")).to_be_visible()
    page.get_by_role("button", name="Help").click()
    box = page.locator("dialog.help").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert box["y"] + box["height"] <= 844
    assert page.locator("dialog.help").evaluate("(box) => box.scrollWidth <= box.clientWidth")
