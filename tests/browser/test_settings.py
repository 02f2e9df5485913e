"""The Train form in a real browser: what a preset would change, what was changed, found, kept, saved and shared."""

import re
from urllib.parse import parse_qs, urlparse

import yaml
from playwright.sync_api import expect

from tests.browser.form import choose, field, preset, unfold, write
from tests.browser.upload import uploaded

expect.set_options(timeout=30_000)


def number(page, path):
    return field(page, path).locator("input")


def test_a_preset_shows_what_it_would_change_before_it_does(train):
    batch = train.locator("#group-batch > button")
    train.locator("#preset-24gb").click()
    said = train.locator("#preset-said")
    expect(said.locator("tbody tr")).to_have_count(3)
    expect(said).to_contain_text("Choose this for a GPU with 24 GB of memory")
    expect(said.get_by_role("row", name="Batch size")).to_contain_text("42")  # now 4, then 2
    said.get_by_role("button", name="Keep mine").click()
    expect(said.locator(".said")).to_have_count(0)
    expect(batch).to_contain_text("4 x 4 = 16 rows per step")
    train.locator("#preset-24gb").click()
    said.get_by_role("button", name="Apply 3 changes").click()
    expect(batch).to_contain_text("2 x 8 = 16 rows per step")
    expect(train.locator("#presets .chosen")).to_have_text("✓ 24 GB GPU")
    train.locator("#preset-24gb").click()
    expect(said).to_contain_text("All is set so already.")


def test_what_was_changed_has_a_dot_and_a_way_back(train):
    unfold(train, "duration")
    write(train, "training.max_steps", "60")
    changed = train.locator("#field-training__max_steps[data-changed]")
    expect(changed).to_be_visible()
    expect(train.locator("#group-duration[data-changed]")).to_be_visible()
    expect(train.locator("#group-batch[data-changed]")).to_have_count(0)
    back = train.get_by_role("button", name="Max steps: back to all")
    back.focus()
    train.keyboard.press("Enter")
    expect(number(train, "training.max_steps")).to_have_value("-1")
    expect(changed).to_have_count(0)
    expect(back).to_have_count(0)


def test_the_way_back_is_there_for_the_mouse(train):
    unfold(train, "schedule")
    write(train, "training.learning_rate", "0.001")
    train.get_by_role("button", name="Learning rate: back to 2e-4").click(timeout=10_000)
    expect(number(train, "training.learning_rate")).to_have_value("0.0002")


def test_nothing_shines_through_what_was_found(train):
    train.get_by_role("combobox", name="Find a setting").fill("rate")
    found = train.locator("#search-found")
    expect(found.get_by_role("option").first).to_be_visible()
    covered = """(list) => {
      const { left, top, width, height } = list.getBoundingClientRect();
      const points = Array.from({ length: 40 }, (_, i) => [left + 20, top + 4 + (i * (height - 8)) / 40]);
      return points.every(([x, y]) => list.contains(document.elementFromPoint(x, y)));
    }"""
    assert found.evaluate(covered)


def test_any_setting_is_found_by_its_name_and_led_to(train):
    box = train.get_by_role("combobox", name="Find a setting")
    box.fill("warmup")
    expect(train.get_by_role("option", name="Warm-up")).to_be_visible()
    box.press("Enter")
    expect(number(train, "training.warmup_steps")).to_be_focused()
    box.fill("nothing of this kind")
    expect(train.locator("#search-found")).to_contain_text("Nothing found. Try: rate")
    for word in ("rate", "length", "batch", "memory"):
        box.fill(word)
        expect(train.get_by_role("option").first).to_be_visible()
    box.press("Escape")
    expect(train.locator("#search-found")).to_be_hidden()
    box.fill("held")
    box.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "search-1")


def test_a_setting_that_does_not_matter_now_is_led_to_by_the_one_that_decides(train):
    train.get_by_role("combobox", name="Find a setting").fill("packing_strategy")
    train.keyboard.press("Enter")
    expect(train.locator("#field-training__packing.found")).to_be_visible()


def test_settings_go_out_as_a_short_file_and_come_in_again(train, tmp_path):
    unfold(train, "duration")
    write(train, "training.max_steps", "60")
    train.get_by_text("Full fine-tuning", exact=True).click()
    expect(train.locator("#group-duration > button")).to_contain_text("60 steps")
    expect(train.locator("#group-adapter")).to_be_hidden()
    with train.expect_download() as saved:
        train.get_by_role("button", name="Save YAML").click()
    assert saved.value.suggested_filename == "demo-full.yaml"
    expect(train.locator("#file-said")).to_have_text("Saved as demo-full.yaml.")
    unfold(train, "batch")
    expect(train.locator("#file-said")).to_be_empty()
    text = saved.value.path().read_text(encoding="utf-8")
    blocks = {"model": {"name": "demo"}, "data": {"source": "demo"}, "method": "full", "training": {"max_steps": 60}}
    assert yaml.safe_load(text) == blocks

    preset(train, "cpu")
    expect(train.locator("#group-duration > button")).to_contain_text("380 steps")
    file = tmp_path / "mine.yaml"
    file.write_text(text.replace("max_steps", "max_seq_length: 512\n  max_steps"), encoding="utf-8")
    load(train, file)
    expect(train.locator("#preset-said")).to_contain_text("Filled in from mine.yaml. All else keeps its default.")
    expect(train.locator("#preset-said")).to_contain_text("training.max_seq_length is training.max_length here.")
    expect(train.locator("#group-duration > button")).to_contain_text("60 steps, rows of up to 512 tokens")
    expect(train.locator("#group-adapter")).to_be_hidden()
    expect(train.locator("#group-schedule > button")).to_contain_text("2e-5")


def test_a_file_with_mistakes_changes_nothing_and_names_them_all(train, tmp_path):
    good = tmp_path / "good.yaml"
    good.write_text("{}", encoding="utf-8")
    load(train, good)
    expect(train.locator("#preset-said")).to_contain_text("Filled in from good.yaml.")
    file = tmp_path / "wrong.yaml"
    file.write_text("training: {max_steps: 0, learning_rat: 1}", encoding="utf-8")
    load(train, file)
    trouble = train.locator("#start-trouble")
    expect(trouble).to_contain_text("wrong.yaml: 2 settings are not usable.")
    expect(trouble).to_contain_text("Did you mean learning_rate")
    expect(train.locator("#preset-said .said")).to_have_count(0)
    train.wait_for_timeout(3000)  # it stays
    expect(trouble).to_contain_text("Did you mean learning_rate")
    expect(train.locator("#group-duration > button")).to_contain_text("3 epochs")


def test_what_cannot_be_used_is_not_saved(train):
    unfold(train, "schedule")
    write(train, "training.learning_rate", "0")
    expect(field(train, "training.learning_rate")).to_contain_text("use more than 0")
    train.get_by_role("button", name="Save YAML").click()
    expect(train.locator("#start-trouble")).to_contain_text("Learning rate")


def test_an_emptied_learning_rate_is_asked_for_and_a_comma_is_a_point(train):
    unfold(train, "schedule")
    rate = number(train, "training.learning_rate")
    rate.fill("")
    rate.blur()
    expect(field(train, "training.learning_rate")).to_contain_text("Fill this in: 2e-4 is usual.")
    expect(train.locator("#notes")).to_contain_text("Fill this in")
    train.locator("#start").click()
    expect(train.locator("#start-trouble")).to_contain_text("Learning rate is empty.")
    rate.press_sequentially("0,0003")
    rate.blur()
    expect(rate).to_have_value("0.0003")
    expect(train.locator("#group-schedule > button")).to_contain_text("3e-4")


def test_the_form_keeps_its_values_over_a_reload(train):
    unfold(train, "duration")
    write(train, "training.max_steps", "0")  # also one that is wrong
    train.locator("#level").get_by_text("Advanced", exact=True).click()
    unfold(train, "run")
    choose(train, "run.placement", "process")
    expect(train.locator("#group-run[data-changed]")).to_be_visible()
    reload(train)
    expect(train.locator("#preset-said")).to_contain_text("As you left it.")
    unfold(train, "duration")
    expect(number(train, "training.max_steps")).to_have_value("0")
    expect(field(train, "training.max_steps")).to_contain_text("0 steps train nothing")
    expect(train.locator("#group-run[data-changed]")).to_be_visible()
    train.get_by_role("button", name="Start from the defaults").click()
    expect(number(train, "training.max_steps")).to_have_value("-1")
    expect(train.locator("[data-changed]")).to_have_count(0)
    reload(train)
    expect(train.locator("#notes .note").first).to_be_visible()
    expect(train.locator("#preset-said .said")).to_have_count(0)


def test_a_link_opens_the_form_as_it_is_for_somebody_else(new_page, app):
    mine = new_page(permissions=["clipboard-read", "clipboard-write"])
    mine.goto(f"{app.url}/?view=train")
    expect(mine.locator("#notes .note").first).to_be_visible()
    preset(mine, "16gb")
    expect(mine.locator("#group-batch > button")).to_contain_text("1 x 16 = 16 rows per step")
    mine.get_by_role("button", name="Copy link").click()
    expect(mine.locator("#file-said")).to_have_text("Link copied.")
    link = mine.evaluate("navigator.clipboard.readText()")
    assert "training.gradient_accumulation_steps=16" in parse_qs(urlparse(link).query)["set"]

    theirs = new_page()
    theirs.goto(link)
    expect(theirs.locator("#preset-said")).to_contain_text("Filled in from the link.")
    expect(theirs.locator("#group-batch > button")).to_contain_text("1 x 16 = 16 rows per step")
    assert "set" not in parse_qs(urlparse(theirs.url).query)


def test_a_link_to_an_upload_says_where_it_works(new_page, app, tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("prompt,completion\nHi,Hello\n")
    page = uploaded(new_page(permissions=["clipboard-read", "clipboard-write"]), app, file)
    page.click("#tab-train-button")
    expect(page.locator("#notes .note").first).to_be_visible()
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#file-said")).to_have_text("Link copied. It works on this computer, with this upload.")


def test_the_run_is_copied_as_the_script_that_trains_it(new_page, app):
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"{app.url}/?view=train")
    expect(page.locator("#notes .note").first).to_be_visible()
    unfold(page, "duration")
    write(page, "training.max_steps", "7")
    page.get_by_role("button", name="Copy as Python").click()
    expect(page.locator("#file-said")).to_have_text(
        "Python copied. The rows and files it reads come with `dfgui script`."
    )
    script = page.evaluate("navigator.clipboard.readText()")
    compile(script, "train.py", "exec")
    assert "max_steps=7" in script and "SFTTrainer" in script and "import dfgui" not in script


def test_what_cannot_go_to_the_clipboard_is_shown_to_be_copied(train):
    train.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    preset(train, "16gb")
    expect(train.locator("#group-batch > button")).to_contain_text("1 x 16 = 16 rows per step")
    train.get_by_role("button", name="Copy link").click()
    box = train.get_by_role("textbox", name="Link, to copy from here:")
    assert "training.per_device_train_batch_size=1" in parse_qs(urlparse(box.input_value()).query)["set"]


def reload(page):
    page.reload()
    page.complaints.clear()  # the page was left while it asked


def load(page, file):
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Load YAML").click()
    chosen.value.set_files(str(file))


def test_a_run_that_does_not_fit_names_what_does_and_a_click_sets_it(train):
    notes = train.locator("#notes")
    expect(notes).to_contain_text("free:", timeout=120_000)  # the model was measured
    unfold(train, "batch")
    write(train, "training.per_device_train_batch_size", "4096")
    expect(notes).to_contain_text("The memory is too small.")
    expect(notes).to_contain_text("It would fit with batch")
    notes.locator(".note.stop").get_by_role("button", name="Set Batch size").click()
    expect(train.locator("#preset-said")).to_contain_text("changed, so that it fits")
    expect(notes).not_to_contain_text("The memory is too small.")
    expect(train.locator("#group-batch > button")).to_contain_text(
        "= 16,384 rows per step"
    )  # as many as were asked for


def test_what_deserves_a_second_look_is_started_anyway(train):
    expect(train.locator("#start")).to_have_text("Start training")
    unfold(train, "data")
    write(train, "data.eval_fraction", "0")
    expect(train.locator("#notes")).to_contain_text("No evaluation")
    expect(train.locator("#start")).to_have_text("Start anyway")


def test_the_start_does_not_shine_while_something_stops_it(train):
    start = train.locator("#start")
    expect(start).to_have_class(re.compile("primary"))
    unfold(train, "batch")
    write(train, "training.per_device_train_batch_size", "0")
    expect(start).to_have_text("Cannot start yet")
    expect(start).not_to_have_class(re.compile("primary"))
    write(train, "training.per_device_train_batch_size", "4")
    expect(start).to_have_text("Start training")
    expect(start).to_have_class(re.compile("primary"))
