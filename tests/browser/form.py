"""The Train form, as a test handles it: fields by path, groups, presets."""


def field(page, path):
    return page.locator(f"#field-{path.replace('.', '__')}")


def unfold(page, group):
    if not page.locator(f"#group-{group} .fields").is_visible():
        page.locator(f"#group-{group} > button").click()


def preset(page, name):
    """Takes a preset over, with all that it changes."""
    page.locator(f"#preset-{name}").click()
    page.locator("#preset-said [data-fill]").click()


def write(page, path, value):
    field(page, path).locator("input").fill(value)
    field(page, path).locator("input").blur()


def choose(page, path, value):
    field(page, path).locator("input").click()
    page.get_by_role("option", name=value, exact=True).click()
