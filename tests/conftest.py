"""No test tells anybody about itself, and all share one Playwright: it cannot be started twice in a thread."""

import os

import pytest
from playwright.sync_api import sync_playwright

os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


@pytest.fixture(scope="session")
def playwright():
    with sync_playwright() as started:
        yield started
