"""No test tells anybody about itself, and all share one Playwright: it cannot be started twice in a thread."""

import json
import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # models here are so small that threads wait for one another
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


ASKED_FOR = ("unsloth", "gpu", "slow")


def pytest_addoption(parser):
    words = "renew the pictures in docs/pictures, of the run in this home, else of a demo that is trained for it"
    parser.addoption("--pictures", nargs="?", const=True, metavar="HOME", help=words)


def pytest_collection_modifyitems(config, items):
    """What needs Unsloth or a GPU, or many minutes, runs only where it is asked for; the rest runs everywhere."""
    away = [name for name in ASKED_FOR if name not in config.option.markexpr]
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in away)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def playwright():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started


@pytest.fixture
def dfgui(tmp_path, capsys):
    """Runs a command with --json; (exit code, its one JSON value)."""

    def command(*arguments):
        from dfgui import cli

        code = cli.main([*arguments, "--json", "--home", str(tmp_path)])
        return code, json.loads(capsys.readouterr().out)

    return command
