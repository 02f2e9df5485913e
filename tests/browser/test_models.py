"""Browse models: found, looked at, downloaded and chosen, with a Hub of our own in place of the real one."""

import shutil

import pytest
from playwright.sync_api import expect

from dfgui.config import RunConfig
from dfgui.store import Store, Writer
from tests.hub import COMMIT, serving
from tests.server.processes import APP, free_port, served
from tests.tiny import tiny_folder

expect.set_options(timeout=30_000)
WEIGHTS = "model.safetensors"
FIRST = "Qwen/Qwen3-0.6B"  # one of the good first models


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_folder(tmp_path_factory.mktemp("model"), hidden_size=128, intermediate_size=512)


@pytest.fixture(scope="module")
def size(folder):
    return (folder / WEIGHTS).stat().st_size


@pytest.fixture(scope="module")
def hub(folder, tmp_path_factory):
    pickled = shutil.copytree(folder, tmp_path_factory.mktemp("pickled") / "model")
    (pickled / WEIGHTS).rename(pickled / "pytorch_model.bin")
    repos = {f"me/{name}": folder for name in ("tiny", "tiny-second", "broken", "shut", "closed-tiny")}
    with serving({**repos, FIRST: folder, "me/pickled": pickled}, gated={"me/closed-tiny"}) as hub:
        hub.told["me/tiny"] = {"downloads": 9000, "tags": ["safetensors"], "cardData": {"license": "mit"}}
        hub.revisions = {"main", "v1", COMMIT}
        yield hub


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("hf")


@pytest.fixture(scope="module")
def app(home, hub, cache):
    env = {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(cache)}
    with served("--port", str(free_port()), "--no-browser", home=home, command=APP, env=env) as serving:
        yield serving


@pytest.fixture
def dialog(page, app):
    page.goto(f"{app.url}/?view=train")
    expect(page.locator("#notes .note").first).to_be_visible()
    return opened(page)


def opened(page):
    page.get_by_role("button", name="Browse models").click()
    found = page.get_by_role("dialog", name="Choose a model")
    expect(found.get_by_role("option", name="demo").first).to_be_visible()
    return found


def search(dialog, text):
    dialog.get_by_role("searchbox").fill(text)


def look(dialog, name):
    search(dialog, name)
    dialog.locator(f"[role=option][data-value='{name}']").click()
    expect(dialog.locator(".one h4")).to_have_text(name)
    expect(dialog.locator(".what")).to_be_visible()


def facts(dialog):
    return dialog.locator("dl")


def test_a_search_tells_how_many_there_are_and_what_is_known_of_each(dialog):
    search(dialog, "tiny")
    expect(dialog.locator(".tally")).to_have_text("0 here, 3 on the Hub.")
    first = dialog.get_by_role("group", name="On the Hub").get_by_role("option").first
    expect(first).to_contain_text("me/tiny")
    expect(first).to_contain_text("mit · 9.0k downloads")
    expect(dialog.get_by_role("option", name="me/closed-tiny")).to_contain_text("gated")


def test_a_late_answer_never_takes_the_place_of_a_newer_one(dialog, hub):
    hub.slow["broken"] = 3
    search(dialog, "broken")
    dialog.page.wait_for_timeout(800)  # it has been asked for
    search(dialog, "second")
    expect(dialog.get_by_role("option")).to_have_count(1)
    dialog.page.wait_for_timeout(3500)
    expect(dialog.get_by_role("option")).to_have_count(1)
    expect(dialog.get_by_role("option")).to_contain_text("me/tiny-second")


def test_a_model_is_looked_at_and_chosen_at_a_revision_and_every_preview_follows(page, dialog):
    look(dialog, "me/tiny")
    expect(facts(dialog)).to_contain_text("yes, and it speaks of tools")
    expect(facts(dialog)).to_contain_text("2,048 tokens")
    expect(facts(dialog)).to_contain_text("mit")
    expect(dialog.locator(".fit .badge")).to_have_text("fits here", timeout=90_000)
    dialog.get_by_label("Revision").fill("nothing")
    dialog.get_by_role("button", name="Look").click()
    expect(dialog.get_by_role("alert")).to_contain_text("me/tiny has no revision nothing.")
    expect(dialog.get_by_role("button", name="Use this model")).to_be_disabled()
    dialog.get_by_label("Revision").fill("v1")
    dialog.get_by_role("button", name="Use this model").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#field-model__name input")).to_have_value("me/tiny")
    expect(page.locator("#notes")).to_contain_text("me/tiny, looked for on the Hub")
    expect(page.locator("#group-model")).to_contain_text("revision v1")


def test_the_commit_that_a_branch_stands_for_is_pinned_by_a_click(page, dialog):
    look(dialog, "me/tiny")
    dialog.get_by_role("button", name="Pin it").click()
    expect(dialog.get_by_label("Revision")).to_have_value(COMMIT)
    expect(dialog.get_by_role("button", name="Pin it")).to_have_count(0)
    dialog.get_by_role("button", name="Use this model").click()
    expect(page.locator("#group-model")).to_contain_text(f"revision {COMMIT}")


def test_the_keyboard_finds_looks_and_chooses_and_esc_gives_the_focus_back(page, dialog):
    expect(dialog.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("second")
    expect(dialog.get_by_role("option", name="me/tiny-second")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(dialog.get_by_role("listbox")).to_be_focused()
    expect(dialog.get_by_role("option", name="me/tiny-second")).to_have_attribute("aria-selected", "true")
    expect(dialog.locator(".commit")).to_contain_text(COMMIT[:12])
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Use this model")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Browse models")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.locator(".one h4")).to_have_text("me/tiny-second")
    dialog.get_by_role("button", name="Use this model").press("Enter")
    expect(page.locator("#field-model__name input")).to_have_value("me/tiny-second")


def test_the_arrow_keys_go_through_all_groups_though_a_model_stands_in_two(page, dialog):
    look(dialog, FIRST)
    dialog.get_by_role("button", name="Download now").click()
    expect(dialog.locator("dl")).to_contain_text("On this machine")
    search(dialog, "")
    names = [option.get_attribute("data-value") for option in dialog.get_by_role("option").all()]
    assert names.count(FIRST) == 2
    dialog.get_by_role("listbox").focus()
    page.keyboard.press("End")
    expect(dialog.locator("[aria-selected=true]")).to_have_attribute("data-value", names[-1])
    page.keyboard.press("Home")
    expect(dialog.locator("[aria-selected=true]")).to_have_attribute("data-value", "demo")
    for name in names[1:]:
        page.keyboard.press("ArrowDown")
        expect(dialog.locator("[aria-selected=true]")).to_have_attribute("data-value", name)
    assert dialog.locator("[aria-selected=true]").get_attribute("id") == dialog.get_by_role("listbox").get_attribute(
        "aria-activedescendant"
    )


def test_a_gated_model_says_where_to_accept_its_terms_and_opens_to_a_token(page, app, dialog, hub):
    look(dialog, "me/closed-tiny")
    expect(dialog.locator(".remarks")).to_contain_text(f"Accept its terms on {hub.endpoint}/me/closed-tiny")
    expect(dialog.locator(".remarks")).to_contain_text("give a token under Connections")
    expect(dialog.get_by_role("button", name="Use this model")).to_be_disabled()
    page.keyboard.press("Escape")
    hub.admitted = {"hf_good"}
    page.get_by_role("button", name="Connections", exact=True).click()
    keys = page.locator("form[data-service=hub]")
    keys.locator("input").fill("hf_good")
    keys.get_by_role("button", name="Use for this visit").click()
    expect(keys.locator(".from")).to_have_text("✓ for this visit")
    page.keyboard.press("Escape")
    opened(page)
    look(dialog, "me/closed-tiny")
    expect(dialog.get_by_role("button", name="Use this model")).to_be_enabled()
    expect(dialog.locator(".remarks li")).to_have_count(0)


def test_a_model_without_safetensors_is_told_to_be_of_no_use(dialog):
    look(dialog, "me/pickled")
    expect(dialog.locator(".remarks")).to_contain_text("no *.safetensors")
    expect(dialog.get_by_role("button", name="Use this model")).to_be_disabled()
    expect(dialog.get_by_role("button", name="Download now")).to_be_hidden()


def test_a_download_breaks_off_is_cancelled_and_goes_on_where_it_stopped(page, app, dialog, hub, size):
    hub.breaks[WEIGHTS] = size // 2
    look(dialog, "me/broken")
    dialog.get_by_role("button", name="Download now").click()
    expect(dialog.get_by_role("alert")).to_contain_text("The connection broke off.")
    expect(dialog.get_by_role("button", name="Go on downloading")).to_be_visible()
    hub.breaks.clear()
    hub.ranges.clear()
    hub.pause = 1.0
    dialog.get_by_role("button", name="Go on downloading").click()
    expect(dialog.get_by_role("progressbar")).to_be_visible()
    expect(dialog.locator(".far")).to_contain_text(" of ")
    page.reload()  # it is the server's, and not the page's
    expect(page.locator("#notes .note").first).to_be_visible()
    opened(page)
    look(dialog, "me/broken")
    expect(dialog.get_by_role("progressbar")).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog.locator(".far")).to_contain_text("are kept for the next time")
    hub.pause = 0.0
    dialog.get_by_role("button", name="Go on downloading").click()
    expect(dialog.locator(".far")).to_have_text("It is on this machine.")
    starts = [start for name, start in hub.ranges if name == WEIGHTS]
    assert starts[0] == size // 2 < starts[1] < size
    expect(dialog.locator("dl")).to_contain_text("On this machine")
    search(dialog, "")
    expect(dialog.get_by_role("group", name="On this machine")).to_contain_text("me/broken")


def test_offline_is_one_calm_sentence_and_what_is_here_is_there(new_page, tmp_path, hub, cache, folder):
    env = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf")}
    online = {**env, "HF_HUB_OFFLINE": "0"}
    flags = ("--port", str(free_port()), "--no-browser")
    with served(*flags, home=tmp_path / "home", command=APP, env=online) as app:
        page = new_page()
        page.goto(f"{app.url}/?view=train")
        dialog = opened(page)
        look(dialog, "me/shut")
        dialog.get_by_role("button", name="Download now").click()
        expect(dialog.locator(".far")).to_have_text("It is on this machine.")
        page.close()
    with served(*flags, home=tmp_path / "home", command=APP, env=env) as app:
        page = new_page()
        page.goto(f"{app.url}/?view=data")
        dialog = opened(page)
        search(dialog, "shut")
        expect(dialog.locator(".tally")).to_contain_text("The Hub is not asked.")
        dialog.get_by_role("option", name="me/shut").click()
        expect(dialog.locator(".remarks")).to_contain_text("What is said here is what lies on this machine.")
        dialog.get_by_role("button", name="Use this model").click()
        expect(page.locator("#field-model__name input")).to_have_value("me/shut")
        page.close()


def test_an_earlier_run_is_offered_and_chosen(page, app, home, folder):
    store = Store(home / "dfgui.db")
    run = store.runs.create(RunConfig(name="weather"), "test")
    shutil.copytree(folder, home / "runs" / run / "checkpoint-4")
    with Writer(store.path, run) as writer:
        writer.checkpoint(4, "checkpoint-4", "full", 1, 0.5)
    store.runs.withdraw(run, "taken out")
    page.goto(f"{app.url}/?view=train")
    dialog = opened(page)
    row = dialog.get_by_role("group", name="Your runs").get_by_role("option", name="weather")
    row.click()
    dialog.get_by_role("button", name="Use this model").click()
    expect(page.locator("#field-model__name input")).to_have_value("weather, step 4")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_dialog_fits_a_phone(new_page, app, scheme):
    page = new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page.goto(f"{app.url}/?view=train")
    dialog = opened(page)
    box = dialog.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["y"] + box["height"] <= 844
    dialog.get_by_role("option", name="demo").first.click()
    expect(dialog.get_by_role("button", name="Use this model")).to_be_in_viewport()
    expect(dialog.get_by_role("listbox")).to_be_hidden()
    dialog.get_by_role("button", name="All models").click()
    expect(dialog.get_by_role("listbox")).to_be_focused()
    assert dialog.evaluate("(box) => box.scrollWidth <= box.clientWidth")
