"""axe-core looks at every page and dialog, in light, in dark and on a phone: nothing serious or critical may be wrong.

python -m pytest tests/browser/test_accessible.py
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from dfgui.store import Store
from tests.browser.runs import leave_a_checkpoint
from tests.browser.trainer import Trainer

LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}
READY = {  # by page: what stands there once it is drawn
    "welcome": "h2",
    "data": "#view-conversation",
    "train": "#notes .note",
    "monitor": ".monitor .status",
    "runs": ".runs table",
    "evaluate": "#count",
    "chat": "#chat-ask",
    "export": ".offer",
}
DIALOGS = {  # by page: (the button that opens one, what it is called)
    "data": [("Browse models", "Choose a model"), ("Connections", "Connections"), ("Help", "What is where")],
}
WRONG = ("serious", "critical")

expect.set_options(timeout=60_000)


@pytest.fixture(scope="module")
def run(home, app):
    store = Store(home / "dfgui.db")
    with Trainer(store, "weather-lora", rate=1000, max_steps=40) as trainer:
        trainer._thread.join()
    leave_a_checkpoint(home, trainer.run, 40, std=0.01)
    return trainer.run


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_on_any_page_is_hard_to_reach_or_to_read(new_page, app, run, look):
    page = new_page(**LOOKS[look], reduced_motion="reduce")
    page.goto(f"{app.url}/?view=welcome&run={run}")
    expect(page.locator(READY["welcome"]).first).to_be_visible()
    found = wrong(page, "welcome")
    for view, ready in list(READY.items())[1:]:
        page.locator(f"#tab-{view}-button").click()
        expect(page.locator(ready).first).to_be_visible()
        found += wrong(page, view)
        for button, name in DIALOGS.get(view, []):
            page.get_by_role("button", name=button, exact=True).click()
            expect(page.get_by_role("dialog", name=name)).to_be_visible()
            found += wrong(page, name)
            page.keyboard.press("Escape")
            expect(page.get_by_role("dialog", name=name)).to_be_hidden()
    assert not found, "\n".join(found)


def test_what_is_wrong_is_seen(page):
    page.set_content('<html lang="en"><title>t</title><main><h1>h</h1><button></button></main>')
    assert [one.split(": ")[1] for one in wrong(page, "made up")] == ["button-name"]


def wrong(page, where):
    """A line for each thing that is seriously wrong: where, axe's rule, and up to three of the elements."""
    page.wait_for_timeout(300)  # what fades in has done so
    said = Axe().run(page).response["violations"]
    return [
        f"{where}: {one['id']}: {one['help']}: {[_shown(node) for node in one['nodes'][:3]]}"
        for one in said
        if one["impact"] in WRONG
    ]


def _shown(node):
    """The element, and the colours where these are what is wrong."""
    colours = [part["data"] for part in node["any"] if isinstance(part["data"], dict) and "fgColor" in part["data"]]
    said = [f"{one['fgColor']} on {one['bgColor']} is {one['contrastRatio']}" for one in colours]
    return " ".join([node["html"][:150], *said])
