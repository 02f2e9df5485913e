"""The demo, offline, as a newcomer clicks it: it learns to call tools, and the page says how many calls are right."""

import re

import pytest
from playwright.sync_api import expect

from tests.server.processes import APP, free_port, served

TRAINING = 900_000  # ms: two minutes on two quiet cores, more where they are shared
COUNTING = 300_000

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def app(home):
    """The app without any network."""
    flags = ["--home", str(home), "--port", str(free_port()), "--no-browser"]
    with served(*flags, home=home, command=APP, env={"HF_HUB_OFFLINE": "1"}) as serving:
        yield serving


def test_the_demo_learns_to_call_tools(page, app, store):
    page.goto(app.url)
    page.get_by_text("Try the demo").click()
    expect(page.locator("#view-conversation")).to_contain_text("calls", timeout=60_000)
    page.get_by_role("tab", name="Train", exact=True).click()
    expect(page.locator("#notes")).to_contain_text("rows per step", timeout=60_000)
    page.locator("#start").click()
    expect(page.locator(".monitor .status")).to_have_text("finished", timeout=TRAINING)

    page.get_by_role("tab", name="Evaluate", exact=True).click()
    expect(page.locator("#count")).to_be_enabled(timeout=60_000)
    page.locator("#count").click()
    counts = page.locator("#result .count .big")
    for place in (0, 1):
        expect(counts.nth(place)).to_have_text(re.compile(r"^\d+ of \d+$"), timeout=COUNTING)
    expect(page.locator("#result .count.done")).to_have_count(2, timeout=COUNTING)
    (before, total), (after, again) = (map(int, counts.nth(place).inner_text().split(" of ")) for place in (0, 1))

    run = store.runs.all()[0]
    print(f"{before} of {total} before, {after} of {again} after, {run['ended_at'] - run['first_step_at']:.0f} s")
    assert total == again >= 20
    assert before / total <= 0.1
    assert after / total >= 0.9
    assert [score["right"] for score in store.scores.of(run["id"])] == [before, after]
