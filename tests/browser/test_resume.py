"""An app that is killed while it trains: whoever comes back finds the run, and goes on with the same curve."""

import re
import signal

from playwright.sync_api import expect

from dfgui import actions, settings
from dfgui.store import Store
from tests.browser.test_monitor import POINTS
from tests.server.processes import APP, free_port, served

PATIENCE = 120_000  # ms: two slow cores may be shared
RUN = {
    "name": "killed",
    "model": {"name": "demo"},
    "data": {"source": "demo", "eval_fraction": 0.02},
    "training": {
        "max_steps": 40,
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 1,
        "logging_steps": 1,
        "save_steps": 10,
        "eval_steps": 20,
    },
}


def test_a_run_whose_app_was_killed_is_offered_to_whoever_comes_back_and_ends_as_planned(new_page, tmp_path):
    store = Store(settings.load(home=tmp_path).store_path)
    with opened(tmp_path) as app:
        run = actions.start(settings.load(home=tmp_path), RUN)
        first = new_page()
        first.goto(f"{app.url}/?view=monitor&run={run}")
        first.wait_for_function(f"({POINTS})() >= 12", timeout=PATIENCE)
        first.close()
        app.end(signal.SIGKILL)
    came_to = store.runs.get(run)["global_step"]
    assert 12 <= came_to < 40

    with opened(tmp_path) as app:
        page = new_page()
        page.goto(app.url)
        page.wait_for_url(re.compile(f"view=monitor&run={run}"))
        expect(page.locator(".monitor .status")).to_have_text("interrupted", timeout=PATIENCE)
        before = store.metrics.points(run, "loss")[:10]
        page.click(".next .resume")
        expect(page.locator("dialog.resume .words")).to_contain_text("to step 40, with the same schedule")
        page.select_option("dialog.resume select", "10")
        page.click("dialog.resume [type=submit]")
        expect(page.locator(".monitor .status")).to_have_text("finished", timeout=PATIENCE)
        page.wait_for_function(f"({POINTS})() === 40")
        steps = page.evaluate("() => dfgui.monitor.held().get('loss').steps")
        assert steps == list(range(1, 41))
        expect(page.locator(".marks .resumed")).to_have_attribute("title", re.compile("Resumed from checkpoint 10"))
        expect(page.locator(".next .resume")).to_be_hidden()
        page.locator(".state summary").click()
        expect(page.locator(".state dd").first).to_have_text("40")
        expect(page.locator(".state dd").last).not_to_have_text("–")  # rows_per_second
    assert [part["from_step"] for part in store.parts.of(run)] == [10]
    points = store.metrics.points(run, "loss")
    assert points[:10] == before and [step for step, _ in points] == steps


def opened(home):
    return served("--home", str(home), "--port", str(free_port()), "--no-browser", home=home, command=APP)
