"""In a real browser: the page works behind a proxy under a path, and logs in inside the frame of another site."""

import pytest
from playwright.sync_api import expect

from tests.chromium import launched
from tests.server.gateway import hugging_face, proxy_under
from tests.server.processes import free_port, served

SPACE = {"SYSTEM": "spaces", "SPACE_ID": "a/b", "SPACE_HOST": "a-b.hf.space", "SPACE_AUTHOR_NAME": "a"}
LOGIN = {"DFGUI_USERNAME": "ada", "DFGUI_PASSWORD": "engine"}


def log_in(page):
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("engine")
    page.get_by_role("button", name="Log in").click()


def greet(page):
    page.get_by_label("name", exact=True).fill("Ada")
    page.locator("#greet").click()
    expect(page.get_by_label("greeting")).to_have_value("Hello Ada", timeout=15_000)


@pytest.mark.parametrize("keeps_host", [True, False])
def test_behind_a_proxy_under_a_path_it_logs_in_and_answers(playwright, tmp_path, keeps_host):
    flags = ("--port", str(free_port()), "--root-path", "/tools/dfgui")
    with (
        served(*flags, home=tmp_path, env=LOGIN) as server,
        proxy_under("/tools/dfgui", server.url, keeps_host) as url,
        launched(playwright) as chromium,
    ):
        page = chromium.new_page()
        page.goto(url)
        log_in(page)
        greet(page)
        assert page.url == url


def test_in_the_frame_of_hugging_face_it_logs_in_and_answers(playwright, tmp_path):
    """Chromium keeps no cookie for a framed page here unless it is Partitioned."""
    with (
        served("--host", "127.0.0.1", "--port", str(free_port()), home=tmp_path, env={**SPACE, **LOGIN}) as server,
        hugging_face(server.url, tmp_path) as port,
        launched(playwright, f"--host-resolver-rules=MAP * 127.0.0.1:{port}") as chromium,
    ):
        page = chromium.new_context(ignore_https_errors=True).new_page()
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto("https://huggingface.co/spaces/a/b")
        frame = page.frame_locator("#space")
        log_in(frame)
        greet(frame)
        page.reload()
        greet(page.frame_locator("#space"))
        assert not [url for url in asked if not url.startswith(("https://huggingface.co/", "https://a-b.hf.space/"))]


def test_a_strangers_page_cannot_frame_it(playwright, tmp_path):
    with (
        served("--host", "127.0.0.1", "--port", str(free_port()), home=tmp_path, env={**SPACE, **LOGIN}) as server,
        hugging_face(server.url, tmp_path) as port,
        launched(playwright, f"--host-resolver-rules=MAP * 127.0.0.1:{port}") as chromium,
    ):
        page = chromium.new_context(ignore_https_errors=True).new_page()
        page.route("https://stranger.example/", lambda route: route.fulfill(body=FRAMING, content_type="text/html"))
        page.goto("https://stranger.example/")
        page.wait_for_timeout(1_000)
        assert page.frame_locator("#space").get_by_label("Password").count() == 0


FRAMING = '<iframe id="space" src="https://a-b.hf.space"></iframe>'
