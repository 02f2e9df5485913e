"""The Runs page in a real browser: what is kept of each training, and what can be done with it."""

import os
import re
import shutil

import pytest
from playwright.sync_api import expect

from dfgui.config import RunConfig
from dfgui.store import Store, Writer
from tests.browser.trainer import Trainer

EXECUTOR = f"pid:{os.getpid()}"
expect.set_options(timeout=15_000)


@pytest.fixture
def ended(home, store):
    """`ended("name")`: a finished run with a falling loss and checkpoints at 20 and 40."""

    def make(name, status="finished", reason="All 40 steps are done.", steps=40, **asked):
        run = store.runs.create(RunConfig.model_validate({"name": name, **asked}), EXECUTOR)
        assert store.runs.claim(EXECUTOR) == run
        store.runs.move(run, "running")
        with Writer(store.path, run) as writer:
            writer.progress(max_steps=steps, global_step=steps, epoch=2.0, first_step_at=1.0)
            for step in range(1, steps + 1):
                writer.log(step, {"loss": 2.0 / step})
            for step in (20, 40):
                folder = home / "runs" / run / f"checkpoint-{step}"
                folder.mkdir(parents=True)
                (folder / "adapter_model.safetensors").write_bytes(b"x" * 2_000_000)
                writer.log(step, {"eval_loss": 2.2 / step})
                writer.checkpoint(step, folder.name, "adapter", 2_000_000, 2.2 / step)
            writer.facts(base=str(home), dtype="float32")
        store.runs.move(run, status, reason)
        return run

    yield make
    for run in store.runs.all():
        assert store.deletion.delete(run["id"])
        shutil.rmtree(home / "runs" / run["id"], ignore_errors=True)


@pytest.fixture
def open_runs(page, app):
    def opened(query=""):
        page.goto(f"{app.url}/?view=runs{query}")
        expect(page.locator("body[data-view=runs]")).to_be_visible()
        return page

    return opened


def row(page, run):
    return page.locator(f".runs tr[data-run='{run}']")


def choose(page, run, item):
    """An item of a row's menu."""
    row(page, run).locator(".dots").click()
    page.get_by_role("menuitem", name=item).click()


def names(page):
    return page.locator(".runs .list .link:visible").all_inner_texts()


def test_a_row_shows_the_curve_the_size_and_on_demand_the_reason(ended, open_runs):
    run = ended("weather-lora", "failed", "The GPU is out of memory.")
    page = open_runs()
    expect(page.locator(".runs .disk")).to_have_text(re.compile(r"1 run, 4\.0 MB on disk, .+ free"))
    expect(row(page, run)).to_contain_text("4.0 MB")
    assert row(page, run).locator(".spark path").get_attribute("d").count("L") == 39
    row(page, run).get_by_role("button", name="failed").focus()  # by keyboard
    expect(page.get_by_role("tooltip")).to_have_text("The GPU is out of memory.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("tooltip")).to_have_count(0)


def test_a_run_is_renamed_in_its_place(ended, open_runs, store, new_page, app):
    run = ended("weather-lora")
    page = open_runs()
    other = new_page()
    other.goto(f"{app.url}/?view=runs")
    choose(page, run, "Rename")
    field = page.get_by_label("Name of weather-lora")
    expect(field).to_be_focused()
    field.fill("<b>more</b> rows")
    field.press("Enter")
    expect(row(page, run).locator(".link")).to_have_text("<b>more</b> rows")  # as text
    assert store.runs.get(run)["name"] == "<b>more</b> rows"
    expect(row(other, run).locator(".link")).to_have_text("<b>more</b> rows")
    choose(page, run, "Rename")
    page.keyboard.type("never mind")
    page.keyboard.press("Escape")
    expect(row(page, run).locator(".link")).to_have_text("<b>more</b> rows")
    height = row(page, run).bounding_box()
    choose(page, run, "Rename")
    page.locator(".runs .edit").fill("   ")
    assert row(page, run).bounding_box() == height
    page.keyboard.press("Enter")
    expect(page.locator(".runs .list .told")).to_contain_text("A run needs a name.")
    assert row(page, run).bounding_box() == height
    expect(page.locator(".runs .edit")).to_be_focused()  # to mend it
    page.keyboard.press("Escape")
    expect(row(page, run).locator(".link")).to_have_text("<b>more</b> rows")


def test_a_name_being_written_outlives_news(ended, open_runs, store):
    run = ended("weather-lora")
    page = open_runs()
    choose(page, run, "Rename")
    page.keyboard.type("half a na")
    newer = ended("newer")
    store.runs.update(run, note="written elsewhere")
    expect(row(page, newer)).to_be_visible()
    expect(page.locator(".runs .edit")).to_be_focused()
    page.keyboard.type("me")
    page.keyboard.press("Enter")
    expect(row(page, run).locator(".link")).to_have_text("half a name")
    expect(row(page, run).locator(".remark")).to_have_text("written elsewhere")


def test_a_note_is_written_beside_the_run(ended, open_runs, store):
    run = ended("weather-lora")
    page = open_runs()
    choose(page, run, "Add a note")
    page.get_by_label("Note about weather-lora").fill("learned too fast")
    page.keyboard.press("Enter")
    expect(row(page, run).locator(".remark")).to_have_text("learned too fast")
    assert store.runs.get(run)["note"] == "learned too fast"
    page.reload()
    expect(row(page, run).locator(".remark")).to_have_text("learned too fast")


def test_deleting_names_what_goes_and_leaves_every_page_in_order(ended, open_runs, store, home):
    kept, run = ended("kept"), ended("weather-lora")
    store.checkpoints.keep(run, 20, True)
    page = open_runs(f"&run={run}")
    choose(page, run, "Delete")
    dialog = page.locator(".runs dialog")
    expect(dialog).to_contain_text("Delete weather-lora and its 2 checkpoints (1 of them kept), 4.0 MB?")
    dialog.get_by_role("button", name="Keep").click()
    assert store.runs.get(run)
    choose(page, run, "Delete")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.locator(".runs .list .told")).to_contain_text(
        "weather-lora and its 2 checkpoints, 4.0 MB, are deleted."
    )
    expect(row(page, run)).to_have_count(0)
    assert [folder.name for folder in (home / "runs").iterdir()] == [kept]
    expect(page).to_have_url(re.compile(f"run={kept}"))
    page.get_by_role("tab", name="Monitor").click()
    expect(page.locator(".monitor .name")).to_have_text("kept")


def test_when_the_last_run_goes_pages_say_what_to_do(ended, open_runs):
    run = ended("weather-lora")
    page = open_runs(f"&run={run}")
    choose(page, run, "Delete")
    page.locator(".runs dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".runs .empty")).to_contain_text("Start the first one on Train")
    expect(page).not_to_have_url(re.compile("run="))
    page.get_by_role("tab", name="Monitor").click()
    expect(page.locator(".monitor .empty")).to_contain_text("No run yet")


def test_several_runs_are_deleted_at_once(ended, open_runs, store):
    runs = [ended(f"run {n}") for n in range(3)]
    page = open_runs()
    for run in runs[:2]:
        row(page, run).get_by_role("checkbox").check()
    expect(page.locator(".runs .chosen")).to_have_text("2 marked")
    page.locator(".runs [data-act=delete]").click()
    dialog = page.locator(".runs dialog")
    expect(dialog).to_contain_text("Delete 2 runs and their 4 checkpoints, 8.0 MB?")
    expect(dialog.locator("li")).to_have_count(2)
    dialog.get_by_role("button", name="Delete").click()
    expect(page.locator(".runs .list tbody tr")).to_have_count(1)
    assert [run["id"] for run in store.runs.all()] == [runs[2]]


def test_a_live_run_grows_in_its_row_and_cannot_be_deleted(open_runs, store, ended):
    with Trainer(store, "live", rate=20) as trainer:
        page = open_runs()
        expect(row(page, trainer.run).locator(".steps")).to_have_text(re.compile(r"\d+ / 600"))
        first = row(page, trainer.run).locator(".steps").inner_text()
        expect(row(page, trainer.run).locator(".steps")).not_to_have_text(first)
        row(page, trainer.run).locator(".dots").click()
        item = page.get_by_role("menuitem", name="Delete")
        expect(item).to_have_attribute("aria-disabled", "true")
        expect(item).to_contain_text("stop it first")


def test_a_duplicate_fills_the_form_with_every_setting(ended, open_runs):
    asked = {
        "data": {"source": "demo", "where": "language = en"},
        "adapter": {"r": 4, "target_modules": ["q_proj", "v_proj"]},
        "training": {"learning_rate": 0.003, "max_steps": 40, "packing": True, "seed": 7},
    }
    run = ended("weather-lora", **asked)
    page = open_runs()
    choose(page, run, "Duplicate")
    expect(page.locator("body[data-view=train]")).to_be_visible()
    expect(page.locator("#preset-said")).to_contain_text("Filled in from weather-lora.")
    expect(page.locator("#notes .note").first).to_be_visible()
    page.get_by_text("All", exact=True).click()
    values = {
        "name": "weather-lora 2",
        "data__where": "language = en",
        "adapter__r": "4",
        "adapter__target_modules": "q_proj, v_proj",
        "training__learning_rate": "0.003",
        "training__max_steps": "40",
        "training__seed": "7",
    }
    for field, value in values.items():
        expect(page.locator(f"#field-{field} :is(input, textarea)")).to_have_value(value)
    expect(page.locator("#field-training__packing input")).to_be_checked()


def test_train_longer_begins_with_the_weights_of_the_best_checkpoint(ended, open_runs):
    run = ended("weather-lora")
    page = open_runs()
    row(page, run).locator(".dots").click()
    expect(page.get_by_role("menuitem", name="Train longer")).to_contain_text("from the weights of step 40")
    page.keyboard.press("Escape")
    choose(page, run, "Train longer")
    expect(page.locator("#preset-said")).to_contain_text("Train weather-lora longer.")
    expect(page.locator("#field-model__name input")).to_have_value("weather-lora, step 40")
    expect(page.locator("#notes")).to_contain_text("weather-lora at step 40")
    expect(page.locator("#notes")).to_contain_text("is trained on: rank 16")


def test_the_table_is_sorted_and_filtered(ended, open_runs):
    ended("beta", training={"seed": 1})
    ended("alpha", data={"source": "demo", "where": "a = b"})
    ended("gamma", status="stopped", reason="Stopped by hand.", steps=80)
    page = open_runs()
    expect(page.locator(".runs .list tbody tr")).to_have_count(3)
    assert names(page) == ["gamma", "alpha", "beta"]  # newest first
    page.locator(".runs th[data-sort=name] button").click()
    assert names(page) == ["alpha", "beta", "gamma"]
    expect(page.locator(".runs th[data-sort=name]")).to_have_attribute("aria-sort", "ascending")
    page.locator(".runs th[data-sort=name] button").press("Enter")
    assert names(page) == ["gamma", "beta", "alpha"]
    page.locator(".runs th[data-sort=steps] button").click()
    assert names(page)[0] == "gamma"
    page.get_by_label("Filter by name").fill("ALP")
    assert names(page) == ["alpha"]
    page.get_by_label("Filter by name").fill("nothing like this")
    expect(page.locator(".runs .none")).to_contain_text("No run has these words")
    page.get_by_role("button", name="Show all").click()
    assert len(names(page)) == 3


def test_the_menu_works_by_keyboard(ended, open_runs):
    run = ended("weather-lora")
    page = open_runs()
    dots = row(page, run).locator(".dots")
    dots.press("Enter")
    expect(page.get_by_role("menuitem", name="Open")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Rename")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(dots).to_be_focused()


def test_runs_stand_side_by_side_and_the_address_keeps_it(ended, open_runs):
    one = ended("one", training={"learning_rate": 0.001})
    two = ended("two", training={"learning_rate": 0.004, "packing": True})
    page = open_runs()
    compare = page.locator(".runs [data-act=compare]")
    row(page, one).get_by_role("checkbox").check()
    expect(compare).to_be_disabled()
    expect(page.locator(".runs .chosen")).to_have_text("1 marked, one more to compare")
    row(page, two).get_by_role("checkbox").check()
    compare.click()
    expect(page.locator(".comparison .key li")).to_have_count(2)
    expect(page).to_have_url(re.compile(f"compare={one},{two}"))
    settings = page.locator(".comparison .settings")
    expect(settings).to_contain_text("Learning rate")
    expect(settings.locator("tr", has_text="packing").locator("td")).to_have_text(["off", "on"])
    expect(settings).not_to_contain_text("Seed")
    expect(page.locator(".comparison .equal")).to_have_text(re.compile(r"\d+ settings are equal\."))
    expect(page.locator(".comparison .results")).to_contain_text("0.0550 at 40")
    expect(page.locator(".comparison .overlay")).to_have_attribute("aria-label", re.compile("A one: loss 0.0500"))
    page.reload()
    expect(page.locator(".comparison .key li")).to_have_count(2)
    page.locator(".comparison .overlay").press("Home")
    expect(page.locator(".comparison .hint")).to_contain_text("At step 1.")
    expect(page.locator(".comparison .key li").first).to_contain_text("loss 2.00")
    page.locator("[data-control=by]").select_option("epoch")
    expect(page.locator(".comparison .overlay")).to_have_attribute("aria-label", re.compile("Loss by epoch"))
    page.locator("[data-control=show]").select_option("eval_loss")
    expect(page.locator(".comparison .overlay")).to_have_attribute("aria-label", re.compile("A one: held-out"))
    page.locator("[data-control=show]").select_option("both")
    page.locator("[data-control=by]").select_option("step")
    for key, step in (("+", 11), ("-", 1)):  # a quarter of the 40 steps goes at each side, and comes back
        page.locator(".comparison .overlay").press(key)
        page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        page.locator(".comparison .overlay").press("Home")
        expect(page.locator(".comparison .hint")).to_contain_text(f"At step {step}.")
    page.locator("[data-act=back]").click()
    expect(page.locator(".runs .list")).to_be_visible()
    expect(page).not_to_have_url(re.compile("compare="))
    page.go_back()
    expect(page.locator(".comparison .key li")).to_have_count(2)
    page.get_by_role("tab", name="Monitor").click()
    expect(page).not_to_have_url(re.compile("compare="))


def test_a_live_run_goes_on_growing_beside_another(ended, open_runs, store):
    done = ended("done")
    with Trainer(store, "live", rate=20) as trainer:
        page = open_runs(f"&compare={done},{trainer.run}")
        chart = page.locator(".comparison .overlay")
        expect(chart).to_have_attribute("aria-label", re.compile("B live: loss"))
        before = chart.get_attribute("aria-label")
        expect(chart).not_to_have_attribute("aria-label", before)
    expect(page.locator(".comparison .results tr").first).to_contain_text("finished")
    assert Store(store.path).runs.get(trainer.run)["ended_at"]


def test_an_address_with_deleted_runs_says_so(ended, open_runs):
    runs = [ended("one"), ended("two")]
    page = open_runs(f"&compare={runs[0]},{runs[1]},abcdefgh12")
    expect(page.locator(".comparison .told")).to_contain_text("1 of the runs in this address is no longer here.")
    page = open_runs("&compare=abcdefgh12,abcdefgh13")
    expect(page.locator(".comparison .told")).to_contain_text("There is nothing to compare.")
    page.locator("[data-act=back]").click()
    expect(page.locator(".runs .list tbody tr")).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_reaches_all_of_it(ended, app, new_page, scheme):
    run = ended("weather-lora")
    page = new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page.goto(f"{app.url}/?view=runs")
    expect(row(page, run)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390  # the table scrolls within its box
    row(page, run).locator(".dots").click()
    box = page.get_by_role("menu").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390


LONG = "weather-lora with a name that is as long as a name may be, which is eighty signs"
WIDE = {"steps": 123_456, "model": {"name": "HuggingFaceTB/SmolLM2-1.7B-Instruct"}}


@pytest.mark.parametrize("width", [1440, 390])
def test_the_menu_of_a_wide_row_stays_in_sight(ended, app, new_page, width):
    run = ended(LONG, **WIDE)
    page = new_page(viewport={"width": width, "height": 844})
    page.goto(f"{app.url}/?view=runs")
    expect(row(page, run)).to_be_visible()
    expect(row(page, run).locator(".name")).to_have_attribute("title", LONG)
    table = page.locator(".runs .list > .table")
    within = table.bounding_box()
    dots = row(page, run).locator(".dots").bounding_box()
    assert dots["x"] + dots["width"] <= within["x"] + within["width"]
    expect(table).to_have_class(re.compile("onwards"))  # there is more to the right
    table.evaluate("(table) => table.scrollTo(table.scrollWidth, 0)")
    expect(table).not_to_have_class(re.compile("onwards"))
    assert abs(row(page, run).locator(".dots").bounding_box()["x"] - dots["x"]) < 1
    last = row(page, run).locator("td").nth(-2)
    number = last.evaluate(
        "(cell) => { const words = document.createRange();"
        " words.selectNodeContents(cell); return words.getBoundingClientRect().right; }"
    )
    assert number <= row(page, run).locator(".more").bounding_box()["x"]


def test_headers_end_where_their_numbers_do(ended, open_runs):
    run = ended("weather-lora")
    page = open_runs()
    expect(row(page, run)).to_be_visible()
    ends = page.evaluate(
        """() => [...document.querySelectorAll(".runs th.num")].map((head) => {
            const words = document.createRange();
            words.selectNodeContents(head.querySelector("button"));
            return head.getBoundingClientRect().right - parseFloat(getComputedStyle(head).paddingRight)
                - words.getBoundingClientRect().right;
        })"""
    )
    assert all(abs(end) < 1 for end in ends), ends


def test_words_of_the_comparison_break_between_their_parts(ended, open_runs):
    one = ended("one", training={"learning_rate": 0.001})
    two = ended("two", model={"name": "somebody/a_model.with_many_parts_in_its_name"})
    page = open_runs(f"&compare={one},{two}")
    named = page.locator(".comparison .settings tr", has_text="model.name")
    expect(named.locator("small")).to_have_text("model.name")
    assert named.locator("small wbr").count() == 1
    assert page.locator("[data-control=show]").evaluate("(field) => getComputedStyle(field).appearance") == "auto"
