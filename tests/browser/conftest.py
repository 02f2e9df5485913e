"""A real browser and a real app.

`app` is `python app.py` on a home of its own; `page` is a tab that fails its test when the console shows an error or
anything is asked of another host; `new_page` opens more of them.
"""

import pytest
from playwright.sync_api import expect

from dfgui.store import Store
from tests.chromium import launched
from tests.server.processes import APP, free_port, served

LOCAL = ("http://127.0.0.1:", "data:", "blob:")


@pytest.fixture(scope="session")
def browser(playwright):
    opened = launched(playwright)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def app(home):
    """The app's process; `app.url` is its address."""
    with served("--home", str(home), "--port", str(free_port()), "--no-browser", home=home, command=APP) as serving:
        yield serving


@pytest.fixture
def store(home, app):
    return Store(home / "dfgui.db")


@pytest.fixture
def new_page(browser):
    """Opens tabs, each a visitor of its own. Whatever they complain of fails the test."""
    contexts = []
    complaints = []

    def open_page(**options):
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda line: complaints.append(line.text) if _is_trouble(line) else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda asked: None if asked.url.startswith(LOCAL) else complaints.append(asked.url))
        tab.complaints = complaints
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def _is_trouble(line):
    """An answer that was still coming when its page was left or loaded anew is none."""
    return line.type == "error" and not line.text.startswith("AbortError: BodyStreamBuffer was aborted")


@pytest.fixture
def page(new_page):
    return new_page()


@pytest.fixture
def train(page, app):
    """The Train page, once what is known before the start stands there."""
    page.goto(f"{app.url}/?view=train")
    expect(page.locator("#notes .note").first).to_be_visible(timeout=30_000)
    return page
