"""No test tells anybody about itself, and all share one Playwright: it cannot be started twice in a thread."""

import os

import pytest
from playwright.sync_api import sync_playwright

os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


def pytest_collection_modifyitems(config, items):
    """What needs Unsloth runs only where it is asked for, so that the rest runs where it is not installed."""
    if "unsloth" in config.option.markexpr:
        return
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("unsloth")])
    items[:] = [item for item in items if not item.get_closest_marker("unsloth")]


@pytest.fixture(scope="session")
def playwright():
    with sync_playwright() as started:
        yield started
