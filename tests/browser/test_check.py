"""Every row looked at in a real browser: what is found, the way to its row, and a cure that works."""

import csv
import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.upload import upload, uploaded
from tests.tiny import tiny_folder, trl_template

expect.set_options(timeout=30_000)

EVIL = '<img src=x onerror="window.ran = true">${window.ran = true}{{ran}}'


def row(city: str, tool: str = "get_weather") -> dict:
    call = {"type": "function", "function": {"name": tool, "arguments": {"city": city}}}
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    return {
        "messages": [
            {"role": "user", "content": f"Is it cold in {city}?"},
            {"role": "assistant", "content": "", "tool_calls": [call]},
        ],
        "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": schema}}],
    }


@pytest.fixture
def all_rows(page, app, tmp_path):
    """The tab over all rows of a file with three things wrong."""

    def open_tab(lines):
        path = tmp_path / "mine.jsonl"
        path.write_text("\n".join(json.dumps(line) if isinstance(line, dict) else line for line in lines))
        uploaded(page, app, path)
        expect(page.locator("#view-conversation")).to_contain_text(lines[0]["messages"][0]["content"])
        page.get_by_role("tab", name="All rows").click()
        page.locator("#check-start").click()
        expect(page.locator("#check-result .downloads")).to_be_visible()
        return page

    return open_tab


ROWS = [row("Oslo"), row("Bergen", tool=EVIL), "no JSON", row("Oslo"), row("Rome"), row("Lima")]


def test_findings_are_listed_with_their_rows_and_nothing_in_them_runs(all_rows):
    page = all_rows(ROWS)
    found = page.locator("#check-result .note")
    expect(found).to_have_count(3)
    expect(found.nth(0)).to_contain_text("Cannot be read 1 row")
    expect(found.nth(0).locator(".kind")).to_have_text("stop")
    expect(found.nth(1)).to_contain_text("Calls a tool that is not offered 1 row")
    expect(found.nth(2)).to_contain_text("Same as a row before it 1 row")
    found.nth(1).get_by_text("What exactly").click()
    expect(found.nth(1)).to_contain_text(f"row 2: turn 2 calls {EVIL}")
    expect(page.locator("#check-result .summary")).to_contain_text("6 rows, 5 of them train")
    assert page.evaluate("window.ran") is None


def test_a_number_leads_to_its_row(all_rows):
    page = all_rows(ROWS)
    page.locator("#check-result").get_by_label("Show row 2").click()
    expect(page.locator("#row-number input")).to_have_value("2")
    expect(page.locator("#view-conversation")).to_be_visible()
    expect(page.locator("#view-conversation")).to_contain_text("Bergen")


def test_cures_are_applied_and_the_rows_looked_at_again(all_rows):
    page = all_rows(ROWS)
    for left, name in ((2, "Cannot be read"), (1, "Calls a tool"), (0, "Same as a row")):
        page.locator("#check-result .note", has_text=name).locator("[data-cure]").click()
        if left:
            expect(page.locator("#check-result .note")).to_have_count(left)
    expect(page.locator("#check-result .note")).to_contain_text("Nothing is wrong with these rows.")
    expect(page.locator("#check-result .summary")).to_contain_text("3 of them train, 3 left out as you asked")
    page.get_by_role("tab", name="Train", exact=True).click()
    expect(page.locator("#notes")).to_contain_text("3 rows can be read, 3 left out as you asked")
    expect(page.locator("#preset-said")).to_contain_text("Rows left out: Cannot be read, Calls a tool")


def test_a_report_of_other_settings_is_forgotten(all_rows):
    page = all_rows(ROWS)
    page.get_by_role("tab", name="Train", exact=True).click()
    page.locator("#group-duration").get_by_text("Duration").first.click()
    length = page.locator("#field-training__max_length input")
    length.fill("512")
    length.press("Enter")
    page.get_by_role("tab", name="Data", exact=True).click()
    expect(page.locator("#check-result")).to_contain_text("Reads, renders and tokenises every row")


def test_the_report_comes_as_json_and_csv(all_rows, tmp_path):
    page = all_rows(ROWS)
    for ending in ("JSON", "CSV"):
        with page.expect_download() as download:
            page.get_by_role("link", name=f"Report as {ending}").click()
        assert download.value.suggested_filename == f"mine-report.{ending.lower()}"
        download.value.save_as(tmp_path / ending)
    report = json.loads((tmp_path / "JSON").read_text())
    assert {finding["check"]: finding["rows"] for finding in report["findings"]} == {
        "unreadable": [3],
        "unknown_tool": [2],
        "duplicate": [4],
    }
    with (tmp_path / "CSV").open(newline="") as file:
        assert list(csv.reader(file))[1:] == [
            ["unreadable", "error", "3"],
            ["unknown_tool", "warning", "2"],
            ["duplicate", "warning", "4"],
        ]


def test_another_dataset_forgets_the_report(all_rows):
    page = all_rows(ROWS)
    page.locator("#field-data__source input").click()
    page.get_by_role("option", name=re.compile("^demo")).click()
    expect(page.locator("#check-result")).to_contain_text("Reads, renders and tokenises every row")


def test_a_long_check_shows_its_progress_and_can_be_stopped(all_rows, page):
    page = all_rows([row(f"City {number}") for number in range(20)])
    many = [row(f"Oslo {number}") for number in range(30_000)]
    page.get_by_role("tab", name="Conversation").click()
    all_rows_of_many(page, many)
    page.get_by_role("tab", name="All rows").click()
    page.locator("#check-start").click()
    expect(page.locator("#check-progress")).to_contain_text(re.compile(r"[\d,]+ of 30,000 rows"))
    page.locator("#check-stop").click()
    expect(page.locator("#check-progress")).to_contain_text("Stopped")
    expect(page.locator("#check-start")).to_be_enabled()


def all_rows_of_many(page, rows):
    content = "\n".join(map(json.dumps, rows)).encode()
    upload(page, {"name": "many.jsonl", "mimeType": "application/json", "buffer": content})
    expect(page.locator("#field-data__source input")).to_have_value("many.jsonl")
    expect(page.locator("#row-total")).to_have_text("of 30,000")


def test_tools_that_a_template_cannot_carry_are_written_into_the_system_message(all_rows, home):
    folder = tiny_folder(home / "models" / "no-tools")
    (folder / "chat_template.jinja").write_text(trl_template("gemma3"))
    page = all_rows([row("Oslo"), row("Bergen")])
    model = page.locator("#field-model__name input")
    model.fill(str(folder))
    model.press("Enter")
    expect(page.locator("#data-facts")).to_contain_text("gemma3; tools: no")
    expect(page.locator("#data-trouble")).to_contain_text("Have tools written into the system message")
    expect(page.locator("#row-total")).to_have_text("of 2")
    page.locator("#check-start").click()
    expect(page.locator("#check-result .note")).to_contain_text("The chat template cannot carry it 2 rows")
    page.get_by_role("button", name="Write tools into the system message").click()
    expect(page.locator("#check-result .note")).to_contain_text("Nothing is wrong with these rows.")
    expect(page.locator("#data-facts")).to_contain_text("gemma3 with tools in words; tools: yes")
    page.get_by_role("tab", name="What the model reads").click()
    expect(page.locator("#view-text")).to_contain_text("These are the tools at hand")
