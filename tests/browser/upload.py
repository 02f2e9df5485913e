"""A file of one's own on the Data page, given to it as a person does."""

from playwright.sync_api import expect


def data_page(page, app):
    """The page once it shows the demo, so that a click is not lost."""
    page.goto(f"{app.url}/?view=data")
    expect(page.locator("#data-facts")).to_contain_text("detected")
    return page


def upload(page, file):
    """`file` is a path, or {"name": ..., "mimeType": ..., "buffer": ...}."""
    with page.expect_file_chooser() as chooser:
        page.locator("#upload").click()
    chooser.value.set_files(file)


def uploaded(page, app, path):
    """The page with this file as its dataset."""
    upload(data_page(page, app), path)
    expect(page.locator("#field-data__source input")).to_have_value(path.name)
    return page
