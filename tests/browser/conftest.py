"""A real browser and a real app. A browser is found or installed; a test is never skipped for want of one.

`app` is `python app.py` on a home of its own; `page` is a tab that fails its test when the console shows an error or
anything is asked of another host; `new_page` opens more of them.
"""

import os
import shutil
import subprocess
import sys
from contextlib import suppress

import pytest
from playwright.sync_api import Error, sync_playwright

from dfgui.store import Store
from tests.server.processes import APP, free_port, served

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
LOCAL = ("http://127.0.0.1:", "data:", "blob:")


@pytest.fixture(scope="session")
def playwright():
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright):
    opened = launched(playwright)
    yield opened
    opened.close()


def launched(playwright):
    """A headless browser: one that is installed, else Playwright's own, else Debian's package."""
    sandbox = [] if os.name == "nt" or os.geteuid() else ["--no-sandbox"]
    if found := installed():
        return playwright.chromium.launch(executable_path=found, args=sandbox)
    with suppress(Error):
        return playwright.chromium.launch(args=sandbox)
    attempts = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and os.geteuid() == 0:
        attempts += [["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]]
    said = [_tried(attempt) for attempt in attempts]
    if found := installed():
        return playwright.chromium.launch(executable_path=found, args=sandbox)
    with suppress(Error):
        return playwright.chromium.launch(args=sandbox)
    pytest.fail(
        "No Chromium or Chrome was found, and none could be installed. Install one (on Debian and Ubuntu: "
        "sudo apt-get install chromium; elsewhere: python -m playwright install --with-deps chromium) "
        "and run the tests again.\n" + "\n".join(said)
    )


def installed():
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _tried(command):
    """Runs an installer; what it said if it failed."""
    answer = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    return "" if answer.returncode == 0 else f"{' '.join(command)}: {(answer.stderr or answer.stdout)[-400:]}"


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
        tab.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda asked: None if asked.url.startswith(LOCAL) else complaints.append(asked.url))
        tab.complaints = complaints
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(new_page):
    return new_page()
