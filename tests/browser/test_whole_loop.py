"""The whole loop in a real browser: upload, look, train, watch, save, reload, stop, merge, download, load.

On a file of our own always, and on 300 real ShareGPT rows where that file is at hand.
"""

import re
import zipfile
from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect
from transformers import AutoModelForCausalLM, AutoTokenizer

from dfgui import settings
from dfgui.models import load
from tests.browser.upload import upload

OWN = Path(__file__).parents[1] / "files" / "sharegpt_tools.json"
REAL = Path(__file__).parents[3] / "shared" / "data" / "glaive_toolcall_en_demo.json"
POINTS = "() => window.dfgui?.monitor?.held()?.get('loss')?.steps.length || 0"
CURVE = "() => dfgui.monitor.held().get('loss')"
PATIENCE = 120_000  # ms: two slow cores may be shared

pytestmark = pytest.mark.usefixtures("app")


def open_data(page, app):
    page.goto(f"{app.url}/?view=data")
    expect(page.locator("#upload")).to_be_visible()
    page.wait_for_timeout(1500)  # a click before the page has come to life is lost


def fill(page, group, path, value):
    field = page.locator(f"#field-{path.replace('.', '__')} input")
    if not field.is_visible():
        page.locator(f"#group-{group} > button").click()
    field.fill(str(value))
    field.blur()


def upload_and_look(page, app, file):
    open_data(page, app)
    upload(page, file)
    expect(page.locator("#data-facts")).to_contain_text("ShareGPT", timeout=PATIENCE)
    expect(page.locator("#view-conversation")).to_contain_text("Tool result", timeout=PATIENCE)
    page.get_by_role("tab", name="What the model reads").click()
    expect(page.locator("#view-text")).to_contain_text("<|im_start|>", timeout=PATIENCE)
    expect(page.locator("#view-text")).to_contain_text("tokens")
    page.get_by_role("tab", name="Raw row").click()
    expect(page.locator("#view-raw")).to_contain_text("conversations")


def start(page, store):
    page.get_by_role("tab", name="Train", exact=True).click()
    for group, path, value in (
        ("duration", "training.max_steps", 200),
        ("duration", "training.max_length", 384),
        ("batch", "training.per_device_train_batch_size", 2),
        ("batch", "training.gradient_accumulation_steps", 1),
        ("schedule", "training.learning_rate", 0.002),
        ("logging", "training.logging_steps", 1),
    ):
        fill(page, group, path, value)
    expect(page.locator("#notes")).to_contain_text("2 x 1 = 2 rows per step", timeout=PATIENCE)
    before = {run["id"] for run in store.runs.all()}
    page.locator("#start").click()
    page.wait_for_url(lambda url: "view=monitor" in url and run_in(url) not in before | {None}, timeout=PATIENCE)
    return run_in(page.url)


def run_in(url):
    found = re.search(r"run=([a-z0-9]{10})", url)
    return found and found[1]


@pytest.mark.parametrize("file", [OWN, REAL] if REAL.is_file() else [OWN], ids=lambda file: file.stem)
def test_from_a_file_to_a_model_that_loads(page, app, store, home, tmp_path, file):
    upload_and_look(page, app, file)
    run = start(page, store)
    page.wait_for_function(f"({POINTS})() >= 12", timeout=PATIENCE)
    curve = page.evaluate(CURVE)
    assert curve["mean"][-1] < curve["mean"][0]

    page.click("[data-command=save]:enabled")
    expect(page.locator(".saying .words")).to_have_text(re.compile(r"Save: saved at step \d+"), timeout=PATIENCE)
    saved = int(re.search(r"\d+", page.locator(".saying .words").inner_text())[0])
    page.reload()
    page.complaints.clear()  # the page was left while it asked
    expect(page.locator(".checkpoints tbody tr").first).to_contain_text(str(saved), timeout=PATIENCE)
    page.wait_for_function(f"({POINTS})() >= 12", timeout=PATIENCE)
    assert page.evaluate(CURVE)["mean"][:12] == curve["mean"][:12]

    page.click("[data-command=stop]:enabled")
    page.click("dialog [value=stop]")
    expect(page.locator(".monitor .status")).to_have_text("stopped", timeout=PATIENCE)
    row = store.runs.get(run)
    assert row["status"] == "stopped" and row["global_step"] == store.checkpoints.of(run)[-1]["step"]

    page.get_by_role("tab", name="Export", exact=True).click()
    with page.expect_download(timeout=PATIENCE) as download:
        page.locator("#export a[href*='/merged']").click()
    assert_same_as_adapter(download.value.path(), row, store, home, tmp_path)


def assert_same_as_adapter(zipped, row, store, home, tmp_path):
    """The unzipped folder loads in plain transformers and answers as base and adapter do together."""
    with zipfile.ZipFile(zipped) as file:
        assert file.testzip() is None
        file.extractall(tmp_path / "home")
    (folder,) = (tmp_path / "home").iterdir()
    assert "apply_chat_template" in (folder / "USAGE.md").read_text(encoding="utf-8")
    merged = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    step = store.checkpoints.of(row["id"])[-1]["step"]
    checkpoint = settings.load(home=home).run_folder(row["id"]) / f"checkpoint-{step}"
    adapted, _ = load.trained(checkpoint, row["facts"]["base"], "float32")
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Where do I find it?"}], return_tensors="pt", return_dict=True
    )
    with torch.inference_mode():
        assert (merged(**prompt).logits - adapted(**prompt).logits).abs().max() < 1e-4
