"""The Train page in a real browser: what is wrong stands beside its field, and Start starts."""

import re

from playwright.sync_api import expect

from dfgui.models import hardware
from tests.browser.form import choose, field, preset, unfold, write

expect.set_options(timeout=30_000)  # hardware and data are looked at before the start


def test_before_the_start_the_page_says_what_will_happen(train):
    notes = train.locator("#notes")
    expect(notes).to_contain_text("chosen by the hardware")
    expect(notes).to_contain_text("4 x 4 = 16 rows per step")
    expect(notes).to_contain_text("held out")


def test_the_header_stands_over_data_and_train_alike(train):
    expect(field(train, "model.name")).to_have_count(1)
    expect(field(train, "data.source")).to_be_visible()
    train.get_by_role("tab", name="Data", exact=True).click()
    expect(field(train, "data.source")).to_be_visible()


def test_the_engine_is_chosen_beside_the_method_and_the_page_says_what_it_needs(train):
    field(train, "run.backend").get_by_label("Unsloth").check()
    expect(train.locator("#group-method > button")).to_contain_text("LoRA: a small adapter, by Unsloth")
    needs = "in a process of its own" if hardware.has("unsloth") else "requirements-unsloth.txt"
    expect(train.locator("#notes")).to_contain_text(needs)
    preset(train, "unsloth")
    expect(train.locator("#preset-said")).to_contain_text("4-bit weights need an NVIDIA GPU")


def test_a_folded_group_says_its_values_while_they_change(train):
    unfold(train, "batch")
    write(train, "training.per_device_train_batch_size", "2")
    expect(train.locator("#group-batch > button")).to_contain_text("2 x 4 = 8 rows per step")
    expect(train.locator("#notes")).to_contain_text("2 x 4 = 8 rows per step")


def test_basic_shows_less_than_advanced(train):
    unfold(train, "schedule")
    expect(field(train, "training.learning_rate")).to_be_visible()
    expect(field(train, "training.warmup_steps")).to_be_hidden()
    train.get_by_text("Advanced", exact=True).click()
    unfold(train, "schedule")
    expect(field(train, "training.warmup_steps")).to_be_visible()
    train.get_by_text("All", exact=True).click()
    expect(field(train, "training.seed")).to_be_visible()


def test_the_learning_rate_follows_the_method_until_it_is_chosen(train):
    unfold(train, "schedule")
    rate = field(train, "training.learning_rate").locator("input")
    expect(rate).to_have_value("0.0002")
    train.get_by_text("Full fine-tuning", exact=True).click()
    expect(rate).to_have_value("0.00002")
    expect(train.locator("#group-adapter")).to_be_hidden()
    write(train, "training.learning_rate", "0.001")
    train.get_by_text("LoRA adapter", exact=True).click()
    expect(train.locator("#group-adapter")).to_be_visible()
    expect(rate).to_have_value("0.001")


def test_a_preset_fills_the_form_and_says_what_it_replaced(train):
    preset(train, "24gb")
    expect(train.locator("#group-batch > button")).to_contain_text("2 x 8 = 16 rows per step")
    expect(train.locator("#preset-said")).to_contain_text("24 GB GPU")
    unfold(train, "schedule")
    expect(field(train, "training.learning_rate").locator("input")).to_have_value("0.0002")


def test_a_preset_keeps_the_learning_rate_of_full_fine_tuning(train):
    train.get_by_text("Full fine-tuning", exact=True).click()
    unfold(train, "schedule")
    rate = field(train, "training.learning_rate").locator("input")
    expect(rate).to_have_value("0.00002")
    preset(train, "24gb")
    expect(train.locator("#preset-said")).to_contain_text("24 GB GPU")
    expect(train.locator("#group-batch > button")).to_contain_text("2 x 8 = 16 rows per step")
    expect(rate).to_have_value("0.00002")


def test_a_wrong_value_is_named_beside_its_field_and_nothing_starts(train, store):
    unfold(train, "schedule")
    write(train, "training.learning_rate", "0")
    wrong = field(train, "training.learning_rate")
    expect(wrong).to_contain_text("0 is too small: use more than 0.")
    expect(wrong).to_have_class(re.compile("wrong"))
    train.locator("#start").click()
    expect(train.locator("#start-trouble")).to_contain_text("Learning rate")
    assert store.runs.all() == []
    write(train, "training.learning_rate", "0.001")
    expect(wrong).not_to_contain_text("too small")
    expect(train.locator("#start-trouble")).not_to_contain_text("Learning rate")


def test_a_model_that_is_not_there_is_named_beside_the_header(train, store):
    model = field(train, "model.name").locator("input")
    model.fill("/nowhere/model")
    model.press("Enter")
    expect(train.locator("#notes .note.stop").first).to_be_visible()
    train.locator("#start").click()
    expect(train.locator("#start-trouble .trouble")).to_be_visible()
    expect(field(train, "model.name")).to_have_class(re.compile("wrong"))
    expect(field(train, "model.name")).to_contain_text("outside the folders")
    expect(model).to_be_focused()
    assert store.runs.all() == []
    model.fill("demo")
    model.press("Enter")
    expect(field(train, "model.name")).not_to_have_class(re.compile("wrong"))


def test_the_demo_card_leads_to_its_row_with_the_form_filled_in(page, app):
    page.goto(f"{app.url}/?view=welcome")
    page.locator("#welcome").get_by_text("Try the demo").click()
    expect(page.locator("#view-conversation .turn").first).to_be_visible()
    page.get_by_role("tab", name="Train", exact=True).click()
    expect(page.locator("#group-batch > button")).to_contain_text("4 x 1 = 4 rows per step")
    expect(page.locator("#group-duration > button")).to_contain_text("380 steps")


def test_one_click_starts_the_demo_and_shows_it(train, store):
    train.locator("#start").click()
    train.wait_for_url(re.compile(r"view=monitor&run=[a-z0-9]{10}"))
    (run,) = store.runs.all()
    assert run["config"]["model"]["name"] == "demo"
    store.commands.add(run["id"], "stop", "the test")


def test_start_leads_to_the_field_that_is_wrong_wherever_it_hides(train):
    train.get_by_text("Advanced", exact=True).click()
    unfold(train, "schedule")
    write(train, "training.warmup_steps", "-4")
    expect(field(train, "training.warmup_steps")).to_contain_text("-4 is too small")
    train.get_by_text("Basic", exact=True).click()
    train.locator("#group-schedule > button").click()
    expect(field(train, "training.warmup_steps")).to_be_hidden()
    train.locator("#start").click()
    expect(field(train, "training.warmup_steps").locator("input")).to_be_focused()


def test_leaving_all_folds_what_it_opened(train):
    train.get_by_text("All", exact=True).click()
    expect(train.locator("#group-batch .fields")).to_be_visible()
    train.get_by_text("Basic", exact=True).click()
    expect(train.locator("#group-batch .fields")).to_be_hidden()
    expect(train.locator("#group-method .fields")).to_be_visible()


def test_a_field_appears_when_it_matters(train):
    train.locator("#level").get_by_text("Advanced", exact=True).click()
    unfold(train, "run")
    processes = field(train, "run.processes")
    expect(field(train, "run.placement")).to_be_visible()
    expect(processes).to_have_count(0)
    choose(train, "run.placement", "accelerate")
    expect(processes).to_be_visible()
    choose(train, "run.placement", "thread")
    expect(processes).to_have_count(0)


def test_any_other_setting_of_sft_config_is_written_by_its_name(train, store):
    before = len(store.runs.all())
    train.locator("#level").get_by_text("Advanced", exact=True).click()
    unfold(train, "extra")
    box = field(train, "extra").locator("textarea")
    box.press_sequentially("adam_beta: 0.9")
    box.blur()
    expect(field(train, "extra")).to_contain_text("Did you mean adam_beta")
    train.click("#start")
    expect(train.locator("#start-trouble")).to_contain_text("Did you mean adam_beta")
    assert len(store.runs.all()) == before
    box.fill("adam_beta2: 0.95\nlogging_first_step: true")
    box.blur()
    expect(train.locator("#group-extra > button")).to_contain_text("adam_beta2: 0.95, logging_first_step: true")
    expect(field(train, "extra")).not_to_contain_text("Did you mean")
