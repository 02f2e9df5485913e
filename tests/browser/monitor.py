"""What the tests of the Monitor page share: opening it for a run, and how many points its curve holds."""

import re

from playwright.sync_api import expect

POINTS = "() => window.dfgui?.monitor?.held()?.get('loss')?.steps.length || 0"


def monitor(page, app, run):
    page.goto(f"{app.url}/?view=monitor&run={run}")
    expect(page.locator(".monitor .name")).not_to_have_text(re.compile(r"^\s*$"))
    return page


def points(page):
    return page.evaluate(POINTS)
