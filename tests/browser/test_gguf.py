"""Export offers a GGUF file where there is a converter, in the form that is chosen; else it says how to get one."""

import shutil
import zipfile

import pytest
from playwright.sync_api import expect

from dfgui.models import demo
from dfgui.store import Store
from tests.artifacts.standin_converter import standin
from tests.browser.runs import run_with_adapter
from tests.server.processes import APP, free_port, served

expect.set_options(timeout=60_000)  # a merge and a conversion, on a machine that may be busy


@pytest.fixture(scope="module")
def run(home):
    """A run of a model in a folder: the demo's own is never offered as GGUF."""
    folder = shutil.copytree(demo.BASE, home / "model")
    run = run_with_adapter(home, "weather-lora", std=0.01)
    store = Store(home / "dfgui.db")
    store.runs.lay(run, "config", {"model": {"name": str(folder), "revision": None}})
    store.runs.lay(run, "facts", {"base": str(folder)})
    return run


def app_with(home, checkout):
    env = {"DFGUI_LLAMA_CPP": str(checkout)}
    port = str(free_port())
    return served("--home", str(home), "--port", port, "--no-browser", home=home, command=APP, env=env)


@pytest.fixture(scope="module")
def converting(home, run, tmp_path_factory):
    """The app where there is a converter."""
    with app_with(home, standin(tmp_path_factory.mktemp("standin"))) as serving:
        yield serving


def card(page, app, run):
    page.goto(f"{app.url}/?view=export&run={run}")
    expect(page.locator(".offer")).to_have_count(4)
    return page.locator(".offer[data-kind=gguf]")


def test_it_comes_as_a_zip_in_the_form_that_is_chosen(page, converting, run):
    gguf = card(page, converting, run)
    expect(gguf.locator(".form label").first).to_contain_text("16 bit float16 about")
    gguf.locator("input[value=gguf-q8_0]").check()
    with page.expect_download(timeout=120_000) as download:
        gguf.locator(".act a").click()
    assert download.value.suggested_filename == "weather-lora-20-q8_0-gguf.zip"
    with zipfile.ZipFile(download.value.path()) as zipped:
        names = {name.rpartition("/")[2] for name in zipped.namelist()}
    assert names == {"weather-lora-20-q8_0.gguf", "Modelfile", "USAGE.md"}
    expect(gguf.locator(".state")).to_have_text("The download has begun.")
    gguf.locator("input[value=gguf-float16]").check()
    expect(gguf.locator(".state")).to_have_text("")


def test_one_that_was_begun_can_be_cancelled(page, converting, run):
    gguf = card(page, converting, run)
    gguf.locator(".act a").click()
    gguf.locator("button").click()
    expect(gguf.locator(".act a")).to_have_attribute("aria-disabled", "false")
    expect(gguf.locator("button")).to_be_hidden()
    expect(gguf.locator(".trouble")).to_be_hidden()


def test_without_a_converter_it_is_not_to_be_had_and_the_lines_that_help_are_there(page, home, run, tmp_path):
    with app_with(home, tmp_path) as serving:
        gguf = card(page, serving, run)
        expect(gguf.locator(".why")).to_contain_text("not on this machine")
        expect(gguf.locator("pre")).to_contain_text("git clone")
        expect(gguf.locator("a")).to_have_count(0)
        page.goto("about:blank")  # before its server goes
