"""Connections, from any page: what is there, a key for this visit, a test, and a run that uses it."""

import json

import pytest
from playwright.sync_api import expect

from dfgui.config import RunConfig
from dfgui.store import Store, Writer
from tests import platform
from tests.server.processes import APP, free_port, served

LOGIN = {"DFGUI_USERNAME": "ada", "DFGUI_PASSWORD": "engine"}


@pytest.fixture
def dialog(page, app):
    page.goto(f"{app.url}/?view=runs")
    return opened(page)


def opened(page):
    page.get_by_role("button", name="Connections", exact=True).click()
    found = page.get_by_role("dialog", name="Connections")
    expect(found.locator("form.service")).to_have_count(3)
    return found


def service(dialog, name):
    return dialog.locator(f"form[data-service={name}]")


def test_a_key_is_kept_for_the_visit_and_forgotten_and_the_page_never_has_it_again(page, dialog):
    hub = service(dialog, "hub")
    expect(hub.locator(".from")).to_have_text("not set")
    expect(hub.get_by_role("button", name="Forget")).to_be_disabled()
    hub.locator("input").fill("hf_typed_once")
    hub.get_by_role("button", name="Use for this visit").click()
    expect(hub.locator(".from")).to_have_text("✓ for this visit")
    expect(hub.locator("input")).to_have_value("")
    assert "hf_typed_once" not in page.content()
    page.reload()
    hub = service(opened(page), "hub")
    expect(hub.locator(".from")).to_have_text("✓ for this visit")
    hub.get_by_role("button", name="Forget").click()
    expect(hub.locator(".from")).to_have_text("not set")


def test_what_is_typed_and_not_taken_is_gone_with_the_dialog(page, dialog):
    service(dialog, "wandb").locator("input").fill("half a key")
    service(dialog, "wandb").get_by_role("button", name="Use for this visit").click()
    expect(service(dialog, "wandb").get_by_role("status")).to_contain_text("Copy it again")
    page.complaints.clear()  # the browser reports the refusal
    page.keyboard.press("Escape")
    expect(page.locator("dialog.connections")).to_be_hidden()
    expect(page.get_by_role("button", name="Connections", exact=True)).to_be_focused()
    expect(page.locator("input[name=WANDB_API_KEY]")).to_have_value("")


def test_test_asks_the_service_with_what_was_typed(dialog):
    with platform.serving() as there:
        part = service(dialog, "deepfabric")
        typed = {"DEEPFABRIC_API_KEY": "secret-key", "DEEPFABRIC_PIPELINE_ID": "7", "DEEPFABRIC_API_URL": there.url}
        for name, value in typed.items():
            part.locator(f"input[name={name}]").fill(value)
        part.get_by_role("button", name="Test").click()
        expect(part.get_by_role("status")).to_contain_text("takes this key (ada@example.com)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_connections_fit_a_phone(new_page, app, scheme):
    page = new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page.goto(f"{app.url}/?view=runs")
    box = opened(page).bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["y"] + box["height"] <= 844
    assert page.locator("dialog.connections").evaluate("(box) => box.scrollWidth <= box.clientWidth")


def test_a_run_is_told_to_deepfabric_with_the_key_of_the_visitor_who_started_it(new_page, tmp_path):
    flags = ("--home", str(tmp_path), "--port", str(free_port()), "--no-browser")
    with platform.serving() as there, served(*flags, home=tmp_path, env=LOGIN, command=APP) as app:
        page = new_page()
        page.goto(f"{app.url}/?view=train")
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill("engine")
        page.get_by_role("button", name="Log in").click()
        expect(page.locator("#start")).to_be_visible(timeout=30_000)
        choose_deepfabric(page)
        expect(page.locator("#notes")).to_contain_text("DeepFabric is off")
        part = service(opened(page), "deepfabric")
        typed = {"DEEPFABRIC_API_KEY": "secret-key", "DEEPFABRIC_PIPELINE_ID": "7", "DEEPFABRIC_API_URL": there.url}
        for name, value in typed.items():
            part.locator(f"input[name={name}]").fill(value)
        part.get_by_role("button", name="Use for this visit").click()
        expect(part.get_by_role("status")).to_contain_text("Kept for this visit")
        page.keyboard.press("Escape")
        expect(page.locator("#notes")).not_to_contain_text("DeepFabric is off")
        page.locator("#field-training__max_steps input").fill("2")
        page.locator("#field-training__max_steps input").press("Enter")
        page.click("#start")
        expect(page.locator(".monitor .status")).to_have_text("finished", timeout=180_000)
        expect(page.locator(".events")).to_contain_text("DeepFabric has every event of this run.", timeout=30_000)
        page.close()
        page.complaints.clear()
    assert there.told()[0][0] == "run_start" and there.told()[-1] == ("run_end", 2)
    (run,) = Store(tmp_path / "dfgui.db").runs.all()
    assert "secret-key" not in json.dumps(run)
    assert b"secret-key" not in b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_what_a_run_is_tracked_in_is_told_and_a_page_of_a_tracker_is_a_link(page, app, home):
    store = Store(home / "dfgui.db")
    run = store.runs.create(RunConfig(), "test")
    with Writer(store.path, run) as writer:
        writer.facts(tracked={"W&B": "https://wandb.ai/ada/dfgui/runs/1", "TensorBoard": "tensorboard --logdir here"})
    store.runs.withdraw(run, "taken out")
    page.goto(f"{app.url}/?view=monitor&run={run}")
    page.locator("details.about summary").click()
    link = page.locator(".about").get_by_role("link", name="https://wandb.ai/ada/dfgui/runs/1")
    expect(link).to_have_attribute("href", "https://wandb.ai/ada/dfgui/runs/1")
    expect(page.locator(".about dd").filter(has_text="tensorboard --logdir here")).to_be_visible()


def choose_deepfabric(page):
    page.locator("#level").get_by_text("All").click()
    field = page.locator("#field-trackers input")
    field.click()
    field.fill("deepfabric")
    page.get_by_role("option", name="deepfabric").click()
    field.press("Escape")
