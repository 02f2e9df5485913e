"""Where a login is in force: the way out of it, and what to know of the server, on every page."""

from playwright.sync_api import expect

from tests.server.gateway import proxy_under
from tests.server.processes import APP, free_port, served

SPACE = {"SYSTEM": "spaces", "SPACE_ID": "a/b", "SPACE_AUTHOR_NAME": "a"}
LOGIN = {"DFGUI_USERNAME": "ada", "DFGUI_PASSWORD": "engine"}


def log_in(page):
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("engine")
    page.get_by_role("button", name="Log in").click()


def test_a_login_can_be_left_behind_a_proxy_under_a_path_too(new_page, tmp_path):
    flags = ("--home", str(tmp_path), "--port", str(free_port()), "--no-browser", "--root-path", "/tools/dfgui")
    with (
        served(*flags, home=tmp_path, env=LOGIN, command=APP) as server,
        proxy_under("/tools/dfgui", server.url, True) as url,
    ):
        page = new_page()
        page.goto(url)
        log_in(page)
        expect(page.locator(".logout")).to_have_attribute("title", "Signed in as ada", timeout=30_000)
        page.locator(".logout").click()
        expect(page.get_by_label("Password")).to_be_visible()
        page.close()
        page.complaints.clear()  # the page asked on while it was left


def test_a_space_without_a_volume_says_that_nothing_is_kept(new_page, tmp_path):
    flags = ("--home", str(tmp_path), "--host", "127.0.0.1", "--port", str(free_port()), "--no-browser")
    with served(*flags, home=tmp_path, env={**SPACE, **LOGIN}, command=APP) as server:
        page = new_page()
        page.goto(server.url)
        log_in(page)
        for view in ("data", "runs"):
            page.goto(f"{server.url}/?view={view}")
            expect(page.locator("#notice")).to_contain_text("lost when it restarts", timeout=30_000)
        page.close()
        page.complaints.clear()  # it was turned from page to page while it asked


def test_without_a_login_there_is_no_way_out_and_no_bar(page, app):
    page.goto(f"{app.url}/?view=runs")
    expect(page.locator(".runs")).to_be_visible()
    expect(page.locator(".logout")).to_be_hidden()
    expect(page.locator("#notice")).to_be_hidden()
