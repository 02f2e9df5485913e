"""Export asks where a run's base is now, says why a folder is not taken, and goes on with the right one."""

import json
import shutil

import pytest
from playwright.sync_api import expect

from dfgui.models import base, demo
from tests.browser.runs import run_with_adapter

expect.set_options(timeout=60_000)  # a merge loads a model, on a machine that may be busy


@pytest.fixture
def folder(home, tmp_path):
    """A model in the home, where pages may read."""
    place = home / f"model-{tmp_path.name}"
    return shutil.copytree(demo.BASE, place)


@pytest.fixture
def run(home, store, folder):
    """A run of the model in that folder."""
    run = run_with_adapter(home, "weather-lora", std=0.01)
    store.runs.lay(run, "config", {"model": {"name": str(folder), "revision": None}})
    store.runs.lay(run, "facts", {"base": str(folder), "base_print": base.fingerprint(folder)})
    return run


def asked(page, app, run):
    page.goto(f"{app.url}/?view=export&run={run}")
    expect(page.locator(".card.base")).to_be_visible()
    return page.locator(".card.base")


def use(card, model):
    card.locator("input").fill(str(model))
    card.locator("button").click()


def test_a_base_that_has_moved_is_asked_for_and_the_merged_model_comes_without_a_reload(page, app, run, folder, home):
    moved = folder.rename(f"{folder}-moved")
    card = asked(page, app, run)
    expect(card.locator("h3")).to_have_text("Where is its base model now?")
    merged = page.locator(".offer[data-kind=merged]")
    expect(merged.locator("a")).to_have_count(0)
    expect(merged.locator(".why")).to_contain_text("say above where that is")
    expect(page.locator(".push input[type=radio]")).to_have_count(1)

    for wrong, words in {
        "": "No model is named.",
        home: "is not a model folder",
        "/etc": "outside the folders",
    }.items():
        use(card, wrong)
        expect(card.locator(".trouble")).to_contain_text(words)
        expect(card.locator("input")).to_be_focused()

    card.locator("input").fill(str(moved))
    page.keyboard.press("Enter")
    expect(card).to_be_hidden()
    expect(page.locator("p.found")).to_have_text("The model is found.")
    expect(merged.locator("a")).to_be_focused()
    with page.expect_download(timeout=120_000) as download:
        merged.locator(".act a").click()
    assert download.value.suggested_filename == "weather-lora-20-merged.zip"


def test_another_model_of_the_same_shape_is_refused_beside_the_field(page, app, run, folder, store):
    from safetensors.torch import load_file, save_file

    other = folder.rename(f"{folder}-other")
    weights = load_file(other / "model.safetensors")
    save_file({name: one + 0.01 for name, one in weights.items()}, other / "model.safetensors", {"format": "pt"})
    card = asked(page, app, run)
    use(card, other)
    expect(card.locator(".trouble")).to_contain_text("is not the base of weather-lora")
    expect(card).to_be_visible()
    assert store.runs.get(run)["facts"]["base"] == str(folder)


def test_a_quantised_base_is_asked_what_it_was_made_from(page, app, run, folder, store):
    full = shutil.copytree(folder, f"{folder}-full")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"quantization_config": {"quant_method": "bitsandbytes"}}))
    card = asked(page, app, run)
    expect(card.locator("h3")).to_have_text("Which model was its base made from?")
    use(card, folder)
    expect(card.locator(".trouble")).to_contain_text("is quantised as well")
    use(card, full)
    expect(card).to_be_hidden()
    expect(page.locator(".offer[data-kind=merged] .act a")).to_be_visible()
    assert store.runs.get(run)["facts"]["full_base"] == str(full)
