"""A file whose columns have names of their own, said on the Data page."""

from playwright.sync_api import expect

from tests.browser.form import choose, field
from tests.browser.upload import uploaded

expect.set_options(timeout=30_000)


def test_the_server_is_asked_no_more_once_a_column_is_chosen(page, app, tmp_path):
    file = tmp_path / "strange.csv"
    file.write_text("frage,antwort_text,nr\nWhat is a?,It is a letter.,1\nWhat is b?,It is one too.,2\n")
    uploaded(page, app, file)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/queue/join" in request.url else None)
    choose(page, "data.format", "columns of my own")
    expect(field(page, "data.prompt_column")).to_be_visible()
    choose(page, "data.prompt_column", "frage")
    expect(page.locator("#row-wrong")).to_contain_text("Choose which column is the answer.")
    page.wait_for_timeout(4000)
    assert asked
    asked.clear()
    page.wait_for_timeout(4000)
    assert asked == []
