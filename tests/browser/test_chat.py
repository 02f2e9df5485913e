"""Chat and Evaluate in a real browser: a checkpoint beside its base, on rows it has never seen."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.runs import run_with_adapter

expect.set_options(timeout=90_000)  # the first answer loads two models, on a machine that may be busy


# First, while the store is empty.
def test_without_a_checkpoint_the_page_says_what_to_do(page, app):
    page.goto(f"{app.url}/?view=chat")
    expect(page.locator("#chat-nothing")).to_contain_text("There is no checkpoint yet.")


@pytest.fixture(scope="module")
def checkpoint(home, app):
    """A run of the demo with a checkpoint at step 20 that answers nearly as its base does."""
    return run_with_adapter(home, "weather-lora", std=0.01)


@pytest.fixture(scope="module")
def changed(home, app):
    """Another whose adapter turns every answer into something else."""
    return run_with_adapter(home, "other-words", std=1.0)


@pytest.fixture
def chat(page, app, checkpoint):
    page.goto(f"{app.url}/?view=chat&run={checkpoint}")
    expect(page.locator("#chat-prompt textarea")).not_to_have_value("")
    return page


def test_a_held_out_row_fills_question_tools_and_what_it_answers(chat):
    expect(chat.locator("#chat-row input")).to_have_value(re.compile(r"^Row \d+ · .* · calls "))
    expect(chat.locator("#chat-expected .call").first).to_be_visible()
    expect(chat.locator("#chat-tools")).not_to_contain_text("none")


def test_base_and_checkpoint_answer_the_same_question(page, app, changed):
    page.goto(f"{app.url}/?view=chat&run={changed}")
    expect(page.locator("#chat-prompt textarea")).not_to_have_value("")
    page.locator("#chat-ask").click()
    for side in ("base", "tuned"):
        expect(page.locator(f"#chat-{side}")).to_contain_text("exactly as written")
    base, tuned = (page.locator(f"#chat-{side} details").text_content() for side in ("base", "tuned"))
    assert base != tuned


def test_stop_ends_the_writing(page, app, changed):
    page.goto(f"{app.url}/?view=chat&run={changed}")
    expect(page.locator("#chat-prompt textarea")).not_to_have_value("")
    page.locator("#chat-ask").click()
    page.locator("#chat-stop").click()  # it is there while a model is loaded or writes; a small one writes for a moment
    expect(page.locator("#chat-answers :is(.loading, .writing)")).to_have_count(0)
    expect(page.locator("#chat-tuned")).not_to_contain_text("exactly as written")
    expect(page.locator("#chat-stop")).to_be_hidden()


def test_a_question_of_ones_own_is_answered_too(chat):
    chat.locator("#chat-row input").click()
    chat.get_by_role("option", name="My own question").click()
    expect(chat.locator("#chat-prompt textarea")).to_have_value("")
    chat.locator("#chat-prompt textarea").fill("Say hello.")
    chat.locator("#chat-ask").click()
    expect(chat.locator("#chat-base")).to_contain_text("exactly as written")


def test_an_empty_question_is_refused_in_words(chat):
    chat.locator("#chat-prompt textarea").fill("")
    chat.locator("#chat-ask").click()
    for side in ("base", "tuned"):
        expect(chat.locator(f"#chat-{side}")).to_contain_text("There is no question.")


def test_right_calls_are_counted_before_and_after(page, app, checkpoint):
    page.goto(f"{app.url}/?view=evaluate&run={checkpoint}")
    expect(page.locator("#result")).to_contain_text("not counted yet")
    page.locator("#count").click()
    for number in page.locator("#result .big").all():
        expect(number).to_have_text(re.compile(r"^\d+ of \d+$"))
    expect(page.locator("#failures details").first).to_be_visible()
    page.locator("#failures summary").first.click()
    expect(page.locator("#failures .pair").first).to_contain_text("expected")
