"""Where the Data page takes rows from besides an upload: a path inside an allowed folder, a dataset of the Hub."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.test_data import row
from tests.hub import serving
from tests.server.processes import APP, free_port, served

expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mine")
    (folder / "rows.json").write_text(json.dumps([row("Oslo"), row("Bergen")]))
    return folder


def choose(page, app, source):
    page.goto(f"{app.url}/?view=data")
    expect(page.locator("#data-facts")).to_contain_text("detected")
    field = page.locator("#field-data__source input")
    field.fill(source)
    field.press("Enter")


def test_a_path_inside_an_allowed_folder_is_read_and_any_other_is_refused(page, folder, tmp_path):
    flags = ("--port", str(free_port()), "--no-browser", "--allow-folder", str(folder))
    with served(*flags, home=tmp_path / "home", command=APP) as app:
        choose(page, app, str(folder / "rows.json"))
        expect(page.locator("#data-facts")).to_contain_text("ShareGPT with tools")
        expect(page.locator("#row-total")).to_have_text("of 2")
        (tmp_path / "other.json").write_text(json.dumps([row("Rome")]))
        choose(page, app, str(tmp_path / "other.json"))
        expect(page.locator("#data-trouble")).to_contain_text("outside the folders this page may read")
        page.close()  # before its server goes
        page.complaints.clear()  # the page was left while it asked


def test_a_dataset_of_the_hub_is_shown_by_configuration_and_split(page, tmp_path):
    repo = tmp_path / "repo"
    repo.mkdir()
    for name, city in (("a.jsonl", "Oslo"), ("b.jsonl", "Quito")):
        (repo / name).write_text(json.dumps(row(city)) + "\n")
    (repo / "README.md").write_text(CARD)
    with serving({"o/tiny": repo}) as hub:
        env = {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "cache")}
        flags = ("--port", str(free_port()), "--no-browser")
        with served(*flags, home=tmp_path / "home", command=APP, env=env) as app:
            choose(page, app, "o/tiny")
            expect(page.locator("#field-data__split")).to_be_visible()
            fill(page, "data.config", "large")
            fill(page, "data.split", "validation")
            expect(page.locator("#view-conversation")).to_contain_text("Quito")
            fill(page, "data.split", "nothing")
            expect(page.locator("#data-trouble")).to_contain_text("Available splits")
            page.close()


def fill(page, path, value):
    field = page.locator(f"#field-{path.replace('.', '__')} :is(input, textarea)")
    field.fill(value)
    field.press("Enter")


CARD = """---
configs:
- config_name: small
  default: true
  data_files: [{split: train, path: a.jsonl}]
- config_name: large
  data_files: [{split: train, path: a.jsonl}, {split: validation, path: b.jsonl}]
---
"""
