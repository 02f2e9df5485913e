"""A run of Unsloth from the page, on tool calls: what it changes is told, it is saved, stopped, resumed, brought home.

Asked for with -m unsloth, where it is installed.
"""

import re
import zipfile

import pytest
from playwright.sync_api import expect
from safetensors.torch import load_file

from tests.browser.form import field, unfold, write
from tests.browser.test_whole_loop import OWN, PATIENCE, POINTS, assert_same_as_adapter, run_in, upload_and_look

pytestmark = [pytest.mark.unsloth, pytest.mark.usefixtures("app")]

SHORT = {
    "training.max_steps": 60,
    "training.max_length": 384,
    "training.per_device_train_batch_size": 2,
    "training.gradient_accumulation_steps": 1,
    "training.learning_rate": 0.002,
    "training.logging_steps": 1,
}
GROUPS = ("duration", "batch", "schedule", "logging")


def test_from_tool_calls_to_a_merged_model(page, app, store, home, tmp_path):
    upload_and_look(page, app, OWN)
    page.get_by_role("tab", name="Train", exact=True).click()
    page.locator("#level").get_by_text("Advanced", exact=True).click()
    for group in GROUPS:
        unfold(page, group)
    for path, value in SHORT.items():
        write(page, path, str(value))
    field(page, "run.backend").get_by_label("Unsloth", exact=True).check()
    field(page, "training.packing").locator("input").check()
    expect(page.locator("#notes")).to_contain_text("packing is left off", timeout=PATIENCE)
    expect(page.locator("#notes")).to_contain_text("2 x 1 = 2 rows per step", timeout=PATIENCE)
    page.locator("#start").click()
    page.wait_for_url(lambda url: "view=monitor" in url and run_in(url), timeout=PATIENCE)
    run = run_in(page.url)

    page.wait_for_function(f"({POINTS})() >= 8", timeout=2 * PATIENCE)
    page.locator("details.about summary").click()
    expect(page.locator("details.about")).to_contain_text("Unsloth 20")
    expect(page.locator("ol.events")).to_contain_text("packing is False and not True: unsloth has changed it.")
    page.click("[data-command=save]:enabled")
    expect(page.locator(".saying .words")).to_have_text(re.compile(r"Save: saved at step \d+"), timeout=PATIENCE)
    page.click("[data-command=stop]:enabled")
    page.click("dialog [value=stop]")
    expect(page.locator(".monitor .status")).to_have_text("stopped", timeout=PATIENCE)
    stopped = store.runs.get(run)
    assert stopped["global_step"] == store.checkpoints.of(run)[-1]["step"] < SHORT["training.max_steps"]

    page.click(".next .resume")
    page.click("dialog.resume [type=submit]")
    expect(page.locator(".monitor .status")).to_have_text("finished", timeout=2 * PATIENCE)
    row = store.runs.get(run)
    assert row["global_step"] == SHORT["training.max_steps"] and row["facts"]["engine"].startswith("Unsloth 20")
    losses = store.metrics.points(run, "loss")
    assert [step for step, _ in losses] == list(range(1, 61))
    assert sum(value for _, value in losses[-10:]) < sum(value for _, value in losses[:10])

    page.get_by_role("tab", name="Export", exact=True).click()
    with page.expect_download(timeout=PATIENCE) as download:
        page.locator("#export a[href*='/merged']").click()
    assert_same_as_adapter(download.value.path(), row, store, home, tmp_path)
    with page.expect_download(timeout=PATIENCE) as download:
        page.get_by_role("link", name="Download adapter").click()
    with zipfile.ZipFile(download.value.path()) as file:
        (name,) = [one for one in file.namelist() if one.endswith("adapter_model.safetensors")]
        file.extract(name, tmp_path)
    assert all("lora_" in tensor for tensor in load_file(tmp_path / name))
