"""A real browser: found or installed. No test is skipped for want of one."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress

import pytest
from playwright.sync_api import Error

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def launched(playwright, *arguments):
    """A headless browser: one that is installed, else Playwright's own, else Debian's package."""
    sandbox = [] if os.name == "nt" or os.geteuid() else ["--no-sandbox"]
    flags = [*sandbox, *arguments]
    if browser := _there(playwright, flags):
        return browser
    attempts = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and os.geteuid() == 0:
        attempts += [["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]]
    said = []
    for attempt in attempts:
        said.append(_tried(attempt))
        if browser := _there(playwright, flags):
            return browser
    pytest.fail(
        "No Chromium or Chrome was found, and none could be installed. Install one (on Debian and Ubuntu: "
        "sudo apt-get install chromium; elsewhere: python -m playwright install --with-deps chromium) "
        "and run the tests again.\n" + "\n".join(said)
    )


def _there(playwright, flags):
    """A browser that is on this machine already, or None."""
    if found := installed():
        return playwright.chromium.launch(executable_path=found, args=flags)
    with suppress(Error):
        return playwright.chromium.launch(args=flags)
    return None


def installed():
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _tried(command):
    """Runs an installer; what it said if it failed."""
    answer = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    return "" if answer.returncode == 0 else f"{' '.join(command)}: {(answer.stderr or answer.stdout)[-400:]}"
