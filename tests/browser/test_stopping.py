"""Early stopping and own callbacks on the pages: chosen on Train, told on Monitor, and a failure with its remedy."""

import re

import pytest
from playwright.sync_api import expect

from dfgui.config import RunConfig
from dfgui.errors import UserError
from tests.browser.form import field, unfold, write
from tests.server.processes import APP, free_port, served

expect.set_options(timeout=30_000)

OWN = """
class Own:
    def on_log(self, args, state, control, logs=None, **kwargs):
        pass

    def on_save(self, args, state, control, **kwargs):
        pass
"""


@pytest.fixture(scope="module")
def app(home):
    (home / "callbacks").mkdir()
    (home / "callbacks" / "own.py").write_text(OWN)
    flags = ("--home", str(home), "--port", str(free_port()), "--no-browser", "--allow-callbacks-folder")
    with served(*flags, home=home, command=APP) as serving:
        yield serving


@pytest.fixture
def train(page, app):
    page.goto(f"{app.url}/?view=train")
    expect(page.locator("#notes .note").first).to_be_visible()
    page.get_by_text("Advanced", exact=True).click()
    return page


def test_early_stopping_is_set_and_said_before_the_start(train):
    unfold(train, "stopping")
    write(train, "early_stopping.patience", "3")
    expect(train.locator("#group-stopping > button")).to_contain_text("after 3 evaluations without a better eval_loss")
    expect(train.locator("#notes")).to_contain_text("After 3 evaluations in which eval_loss has not improved.")


def test_a_threshold_without_patience_is_named_at_the_patience(train):
    unfold(train, "stopping")
    write(train, "early_stopping.threshold", "0.01")
    expect(field(train, "early_stopping.patience")).to_contain_text("set patience too, for example to 3")
    write(train, "early_stopping.patience", "3")
    expect(field(train, "early_stopping.patience")).not_to_contain_text("for example to 3")


def test_an_allowed_callback_can_be_chosen_and_says_what_it_hears(train, store):
    unfold(train, "callbacks")
    expect(field(train, "callbacks")).to_contain_text("own.py:Own hears on_log and on_save.")
    field(train, "callbacks").locator("input").click()
    train.get_by_role("option", name="own.py:Own").click()
    expect(train.locator("#group-callbacks > button")).to_contain_text("own.py:Own")
    expect(train.locator("#notes")).to_contain_text("own.py:Own hears on_log and on_save.")
    train.locator("#start").click()
    train.wait_for_url(re.compile(r"view=monitor&run=[a-z0-9]{10}"))
    run = store.runs.all()[0]
    store.commands.add(run["id"], "stop", "the test")
    assert run["config"]["callbacks"] == [{"use": "own.py:Own", "args": {}, "detach": True}]


def test_a_failure_says_its_remedy_and_folds_the_log_under_it(page, app, store):
    run = store.runs.create(RunConfig(name="weather-lora"), "test")
    error = UserError(
        "The memory ran out.",
        "It asked for 2.1 GB more; the GPU has 84.9 GB, of which 1.3 GB were free.",
        "Set per_device_train_batch_size to 2 (now 4; still 16 rows per step).",
        details="line one\nline two <b>",
    )
    store.runs.update(run, status="preparing")
    assert store.runs.move(run, "failed", error.what, error)
    page.goto(f"{app.url}/?view=monitor&run={run}")
    expect(page.locator(".saying .words")).to_have_text("Failed. The memory ran out.")
    expect(page.locator(".saying .more")).to_contain_text("Set per_device_train_batch_size to 2")
    expect(page.locator(".told pre")).to_be_hidden()
    page.locator(".told summary").click()
    expect(page.locator(".told pre")).to_have_text("line one\nline two <b>")


def test_without_details_nothing_is_folded(page, app, store):
    run = store.runs.create(RunConfig(name="weather-lora"), "test")
    store.runs.update(run, status="preparing")
    assert store.runs.move(run, "stopped", "Stopped before the first step.")
    page.goto(f"{app.url}/?view=monitor&run={run}")
    expect(page.locator(".saying .words")).to_have_text("Stopped before the first step.")
    expect(page.locator(".told")).to_be_hidden()


def test_a_failure_fills_the_form_with_the_changes_that_mend_it(page, app, store):
    run = store.runs.create(RunConfig.model_validate({"name": "too-large", "model": {"name": "demo"}}), "test")
    changes = {"training.per_device_train_batch_size": 1, "training.gradient_accumulation_steps": 16}
    error = UserError("The memory ran out.", "It asked for more.", "Set the batch size to 1.", changes=changes)
    store.runs.update(run, status="preparing")
    assert store.runs.move(run, "failed", error.what, error)
    page.goto(f"{app.url}/?view=monitor&run={run}")
    expect(page.get_by_role("button", name="Chat")).to_be_hidden()  # it kept no checkpoint
    page.get_by_role("button", name="Duplicate with these changes").click()
    page.wait_for_url(re.compile("view=train"))
    expect(page.locator("#preset-said")).to_contain_text("Batch size: 1")
    unfold(page, "batch")
    expect(field(page, "training.per_device_train_batch_size").locator("input")).to_have_value("1")
    expect(field(page, "training.gradient_accumulation_steps").locator("input")).to_have_value("16")


def test_an_ended_run_is_duplicated_or_trained_longer_from_its_own_page(page, app, store):
    run = store.runs.create(RunConfig.model_validate({"name": "first", "model": {"name": "demo"}}), "test")
    store.runs.update(run, status="preparing")
    assert store.runs.move(run, "stopped", "Stopped before the first step.")
    page.goto(f"{app.url}/?view=monitor&run={run}")
    page.locator(".next .again").click()
    longer = page.get_by_role("menuitem", name="Train longer")
    expect(longer).to_have_attribute("aria-disabled", "true")
    expect(longer).to_contain_text("It kept no checkpoint to begin from.")
    page.get_by_role("menuitem", name="Duplicate").click()
    page.wait_for_url(re.compile("view=train"))
    expect(page.locator("#preset-said")).to_contain_text("Filled in from first.")
