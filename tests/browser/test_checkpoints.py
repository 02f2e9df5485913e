"""Checkpoints on Export: listed, kept, compared, deleted after asking, and pushed with the visit's own token."""

import json
import re
import shutil
import zipfile

import pytest
from playwright.sync_api import expect

from dfgui.store import Store, Writer
from tests.browser.runs import run_with_adapter
from tests.hub_writing import taking
from tests.server.processes import APP, free_port, served

expect.set_options(timeout=30_000)
STEPS = {20: 0.7, 40: 0.5, 60: 0.6}  # and their held-out losses


@pytest.fixture(scope="module")
def hub():
    with taking() as hub:
        yield hub


@pytest.fixture(scope="module")
def app(home, hub):
    """The app, whose Hub is ours, and which has no token of its own."""
    flags = ("--home", str(home), "--port", str(free_port()), "--no-browser")
    env = {"HF_ENDPOINT": hub.endpoint, "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0", "HF_HOME": str(home / "hf")}
    with served(*flags, home=home, command=APP, env=env) as serving:
        yield serving


def made(home, name="weather-lora"):
    """A stopped run of the demo with checkpoints at 20, 40 (the best) and 60."""
    run = run_with_adapter(home, name, std=0.01)
    store, folder = Store(home / "dfgui.db"), home / "runs" / run
    with zipfile.ZipFile(folder / "checkpoint-20" / "optimizer.pt", "w") as state:
        state.writestr("state", "of the optimizer")
    with Writer(store.path, run) as writer:
        writer.progress(global_step=60, epoch=3.0, max_steps=80)
        for step, eval_loss in STEPS.items():
            if step != 20:
                shutil.copytree(folder / "checkpoint-20", folder / f"checkpoint-{step}")
                (folder / f"checkpoint-{step}" / "trainer_state.json").write_text(json.dumps({"global_step": step}))
            writer.log(step, {"loss": 2.0 - step / 100, "eval_loss": eval_loss, "learning_rate": 1e-4})
            writer.checkpoint(step, f"checkpoint-{step}", "adapter", 1_400_000, eval_loss)
    return run


@pytest.fixture(scope="module")
def run(home, app):
    return made(home)


def export(page, app, run):
    page.goto(f"{app.url}/?view=export&run={run}")
    expect(page.locator(".offer")).to_have_count(4)
    return page


def row(page, step):
    return page.locator(f".shelf tr[data-step='{step}']")


def menu(page, step, item):
    page.get_by_label(f"What to do with checkpoint {step}").click()
    return page.get_by_role("menuitem", name=item)


def ask_to_push(page, repo):
    card = page.locator(".card.push")
    card.locator("[name=repo]").fill(repo)
    card.get_by_role("button", name="Push", exact=True).click()
    return page.get_by_role("dialog", name=re.compile("^Push step"))


def give_token(page, token="hf_mine"):
    page.get_by_role("button", name="Connections", exact=True).click()
    form = page.locator("form[data-service=hub]")
    form.locator("input").fill(token)
    form.get_by_role("button", name="Use for this visit").click()
    expect(form.locator(".from")).to_have_text("✓ for this visit")
    page.keyboard.press("Escape")


def test_each_is_told_with_what_was_measured_and_one_is_chosen_by_click_or_key(page, app, run):
    export(page, app, run)
    expect(page.locator(".shelf tbody").first.locator("tr")).to_have_count(3)
    assert [int(each.get_attribute("data-step")) for each in page.locator(".shelf tr[data-step]").all()] == [60, 40, 20]
    expect(row(page, 40)).to_contain_text("best")
    for told in ("2.00", "1.600", "0.5000", "1.4 MB"):
        expect(row(page, 40)).to_contain_text(told)
    expect(row(page, 40).get_by_role("radio")).to_be_checked()
    row(page, 60).locator("td").nth(3).click()
    expect(page.locator("[data-kind=adapter] .act a")).to_have_attribute("href", re.compile(f"{run}/60/adapter$"))
    page.keyboard.press("Tab")
    row(page, 60).get_by_role("radio").focus()
    page.keyboard.press("ArrowDown")
    expect(row(page, 40)).to_have_class("chosen")
    expect(page.get_by_role("heading", name="Bring step 40 home")).to_be_visible()
    expect(page.locator("[data-kind=merged] .act a")).to_have_attribute("href", re.compile(f"{run}/40/merged$"))


def test_the_chosen_one_is_in_sight_in_a_long_list_and_what_is_unfinished_is_told(page, app, home):
    long = made(home, "long")
    with Writer(home / "dfgui.db", long) as writer:
        for step in range(61, 100):
            writer.checkpoint(step, f"checkpoint-{step}", "adapter", 1_400_000, 0.9)
    (home / "runs" / long / "checkpoint-100").mkdir()
    export(page, app, long)
    expect(page.locator(".shelf tr[data-step]")).to_have_count(42)
    expect(row(page, 40)).to_be_in_viewport()
    expect(page.locator(".left-over")).to_have_text("1 unfinished folder is not offered: checkpoint-100.")


def test_one_is_kept_from_the_list_and_stays_so(page, new_page, app, run, store):
    export(page, app, run)
    other = export(new_page(), app, run)
    keep = page.get_by_label("Keep checkpoint 20")
    keep.click()
    expect(keep).to_have_text("Kept")
    expect(keep).to_be_focused()
    expect(page.locator(".shelf .told")).to_have_text("Checkpoint 20 is kept.")
    assert [each["step"] for each in store.checkpoints.of(run) if each["kept"]] == [20]
    expect(other.get_by_label("Keep checkpoint 20")).to_have_attribute("aria-pressed", "true")
    off = menu(page, 20, "Delete")
    expect(off).to_have_attribute("aria-disabled", "true")
    expect(off).to_contain_text("take the mark off first")
    page.keyboard.press("Escape")
    page.reload()
    keep.click()
    expect(keep).to_have_attribute("aria-pressed", "false")
    assert not any(each["kept"] for each in store.checkpoints.of(run))


def test_one_is_deleted_after_asking_and_the_others_are_left(page, app, home, store):
    own = made(home, "to-tidy")
    export(page, app, own)
    menu(page, 40, "Delete").click()
    asks = page.get_by_role("dialog", name="Delete checkpoint 40 of to-tidy?")
    expect(asks).to_contain_text("That frees 1.4 MB. It is the best one of this run.")
    asks.get_by_role("button", name="Leave it").click()
    expect(asks).to_be_hidden()
    assert (home / "runs" / own / "checkpoint-40").is_dir()
    with store.holds.hold(own, 40):
        menu(page, 40, "Delete").click()
        asks.get_by_role("button", name="Delete").click()
        expect(page.locator(".shelf .told.bad")).to_contain_text("Checkpoint 40 is in use.")
    menu(page, 40, "Delete").click()
    asks.get_by_role("button", name="Delete").click()
    expect(page.locator(".shelf .told")).to_have_text("Checkpoint 40 is deleted, 1.4 MB are free again.")
    expect(row(page, 40)).to_have_count(0)
    assert not (home / "runs" / own / "checkpoint-40").exists()
    expect(row(page, 60).get_by_role("radio")).to_be_checked()  # the best of those left
    page.goto(f"{app.url}/?view=monitor&run={own}")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("dialog.resume option")).to_have_text([re.compile("^60"), re.compile("^20")])


def test_two_are_compared_and_the_better_one_is_named_in_words(page, app, run):
    export(page, app, run)
    menu(page, 60, "Compare with step 40").click()
    two = page.locator(".two")
    expect(two.locator(".verdict")).to_have_text("Step 40 is better by held-out loss.")
    held_out = two.locator("tr", has_text="eval_loss")
    expect(held_out.locator("td").nth(0)).to_have_text("0.5000better")
    expect(held_out.locator("td").nth(1)).to_have_text("0.6000")
    expect(held_out.locator("td").nth(2)).to_have_text("+0.1000")
    expect(two.locator("tr", has_text="learning_rate").locator("td").nth(2)).to_have_text("none")
    page.locator("[data-choose=beside]").select_option("20")
    expect(two.locator("thead")).to_contain_text("Step 20")
    page.locator("[data-choose=beside]").select_option("")
    expect(two).to_be_hidden()
    page.locator("[data-choose=beside]").select_option("60")
    two.get_by_label("Chat with step 60").click()
    expect(page.locator("#chat-step input")).to_have_value(re.compile("^Step 60"))


def test_without_a_token_it_says_where_to_give_one(page, app, run):
    export(page, app, run)
    card = page.locator(".card.push")
    card.locator("[name=repo]").fill("no owner")
    card.get_by_role("button", name="Push", exact=True).click()
    expect(card.locator("> .trouble")).to_contain_text("A repository reads owner/name.")
    ask_to_push(page, "me/weather").get_by_role("button", name="Push").click()
    expect(card.locator("> .trouble")).to_contain_text("The Hub has to know who you are.")
    expect(card.locator("> .trouble")).to_contain_text("Give yours under Connections")
    page.complaints.clear()  # the browser reports the refusal


def test_one_is_pushed_after_asking_and_its_card_and_link_are_there(page, new_page, app, run, hub):
    export(page, app, run)
    give_token(page)
    asks = ask_to_push(page, "me/weather-lora")
    expect(asks).to_contain_text("What goes: the adapter, 386 KB, with a model card")
    expect(asks).to_contain_text("made private")
    asks.get_by_role("button", name="Not now").click()
    assert "me/weather-lora" not in hub.files
    page.get_by_label("Public: everybody may see and download it").check()
    asks = ask_to_push(page, "me/weather-lora")
    expect(asks).to_contain_text("Everybody will see")
    asks.get_by_role("button", name="Not now").click()
    page.get_by_label("Public: everybody may see and download it").uncheck()
    ask_to_push(page, "me/weather-lora").get_by_role("button", name="Push").click()
    link = page.locator(".pushes li[data-state=done] a")
    expect(link).to_have_attribute("href", f"{hub.endpoint}/me/weather-lora", timeout=90_000)
    files = hub.files["me/weather-lora"]
    assert "its checkpoint at step 40" in " ".join(files["README.md"].decode().split())
    assert {"adapter_model.safetensors", "USAGE.md"} <= set(files) and hub.private["me/weather-lora"] is True
    assert hub.tokens == {"hf_mine"} and "hf_mine" not in page.content() and "hf_mine" not in app.text()
    stranger = export(new_page(), app, run)
    expect(stranger.locator(".pushes li")).to_have_count(0)


def test_a_push_is_still_told_after_a_reload_and_can_be_cancelled(page, app, run, hub):
    hub.let.clear()
    hub.begun.clear()
    export(page, app, run)
    give_token(page)
    page.locator(".card.push").get_by_label("Merged model").check()
    ask_to_push(page, "me/cancelled").get_by_role("button", name="Push").click()
    state = page.locator(".pushes li").first.locator(".state")
    expect(state).to_have_text(re.compile(r"Uploading .* of \d+ MB"), timeout=60_000)
    page.reload()
    expect(state).to_have_text(re.compile(r"Uploading .* of \d+ MB"))
    page.get_by_label("Cancel the push to me/cancelled").click()
    expect(state).to_have_text("Cancelled. Nothing was committed to the repository.")
    hub.let.set()
    page.wait_for_timeout(500)
    assert hub.files["me/cancelled"] == {}


def test_nothing_is_wider_than_a_phone(new_page, app, run):
    page = export(new_page(viewport={"width": 390, "height": 844}), app, run)
    page.locator("[data-choose=beside]").select_option("20")
    expect(page.locator(".two .verdict")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(
        "[...document.querySelectorAll('.shelf .table')].every((box) => box.scrollWidth <= box.clientWidth)"
    )
    expect(row(page, 40)).to_contain_text("0.5000")
    expect(page.get_by_label("Keep checkpoint 40")).to_be_in_viewport()
