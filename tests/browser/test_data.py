"""The Data page in a real browser: a file of one's own, seen in every shape, and never run."""

import gzip
import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.upload import data_page, upload, uploaded

expect.set_options(timeout=30_000)  # the first tokenizer takes its time on a busy machine

EVIL = '<img src=x onerror="window.ran = true"><script>window.ran = true</script>${window.ran = true}{{ran}}'
TOOL = {
    "name": "get_weather",
    "description": "Weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def row(city: str) -> dict:
    call = json.dumps({"name": "get_weather", "arguments": {"city": city}})
    return {
        "conversations": [
            {"from": "human", "value": f"Is it cold in {city}?"},
            {"from": "function_call", "value": call},
            {"from": "observation", "value": '{"celsius": 4}'},
            {"from": "gpt", "value": f"It is 4 degrees in {city}."},
        ],
        "tools": json.dumps([TOOL]),
    }


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "My weather rows.json"
    path.write_text(json.dumps([row("Oslo"), row("Bergen"), row(EVIL)]))
    return path


def test_a_file_dropped_on_the_header_is_uploaded(page, app, rows):
    data_page(page, app)
    page.evaluate(
        """([name, text]) => {
            const data = new DataTransfer();
            data.items.add(new File([text], name));
            for (const kind of ["dragover", "drop"]) {
                const event = new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true });
                document.querySelector("#selection").dispatchEvent(event);
            }
        }""",
        [rows.name, rows.read_text()],
    )
    expect(page.locator("#field-data__source input")).to_have_value(rows.name)
    expect(page.locator("#data-facts")).to_contain_text("ShareGPT with tools")


def test_half_a_character_is_shown_as_missing_and_its_row_is_named(page, app, tmp_path):
    path = tmp_path / "half.jsonl"
    path.write_text(
        '{"messages": [{"role": "user", "content": "Hi \\ud83d"}, {"role": "assistant", "content": "Hello."}]}\n'
    )
    uploaded(page, app, path)
    expect(page.locator("#view-conversation")).to_contain_text("Hi \ufffd")
    expect(page.locator("#data-trouble")).to_contain_text("Row 1")


def view(page, name):
    page.get_by_role("tab", name=name).click()


def test_the_demo_is_there_without_a_click(page, app):
    data_page(page, app)
    expect(page.locator("#view-conversation .turn").first).to_be_visible()
    expect(page.locator("#row-total")).to_have_text(re.compile(r"of \d\d\d"))


def test_an_upload_is_seen_as_conversation_as_text_as_tokens_and_raw(page, app, rows):
    uploaded(page, app, rows)
    expect(page.locator("#data-facts")).to_contain_text("ShareGPT with tools")
    expect(page.locator("#row-total")).to_have_text("of 3")
    spoken = page.locator("#view-conversation")
    expect(spoken).to_contain_text("Is it cold in Oslo?")
    expect(spoken.locator(".call")).to_contain_text("get_weather")
    expect(spoken.locator(".call dd")).to_have_text('"Oslo"')
    expect(spoken.locator(".turn.tool")).to_contain_text('{"celsius": 4}')
    expect(spoken.locator(".tools summary")).to_contain_text("1 tool")
    view(page, "What the model reads")
    expect(page.locator("#view-text pre")).to_contain_text("<|im_start|>user\nIs it cold in Oslo?")
    expect(page.locator("#view-text .length")).to_contain_text("tokens")
    view(page, "Tokens")
    learned = "".join(page.locator("#view-tokens .tokens mark").all_inner_texts())
    assert "It is 4 degrees in Oslo." in learned
    assert "celsius" not in learned
    view(page, "Raw row")
    expect(page.locator("#view-raw pre")).to_contain_text('"from": "function_call"')


def test_rows_are_turned_one_by_one_and_by_number(page, app, rows):
    uploaded(page, app, rows)
    spoken = page.locator("#view-conversation")
    expect(page.locator("#row-total")).to_have_text("of 3")
    page.locator("#row-next").click()
    expect(spoken).to_contain_text("Bergen")
    page.locator("#row-previous").click()
    expect(spoken).to_contain_text("Oslo")
    page.locator("#row-number input").fill("2")
    page.locator("#row-number input").press("Enter")
    expect(spoken).to_contain_text("Bergen")


def test_markup_and_code_in_a_row_are_shown_and_never_run(page, app, rows):
    uploaded(page, app, rows)
    expect(page.locator("#row-total")).to_have_text("of 3")
    page.locator("#row-number input").fill("3")
    page.locator("#row-number input").press("Enter")
    expect(page.locator("#view-conversation .turn.user")).to_contain_text(EVIL)
    for name, id in {"What the model reads": "text", "Tokens": "tokens", "Raw row": "raw"}.items():
        view(page, name)
        expect(page.locator(f"#view-{id} .exact")).to_contain_text("onerror")
    assert page.evaluate("window.ran") is None
    assert page.locator("#tabs img, #tabs script").count() == 0


def test_the_format_can_be_chosen_by_hand(page, app, rows):
    uploaded(page, app, rows)
    page.locator("#field-data__format input").click()
    page.get_by_role("option", name="Alpaca").click()
    expect(page.locator("#data-trouble")).to_contain_text("Row 1")
    expect(page.locator("#data-facts")).to_contain_text("as you chose")


def test_a_compressed_file_is_read_too(page, app, tmp_path):
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(row("Oslo")).encode()))
    uploaded(page, app, path)
    expect(page.locator("#row-total")).to_have_text("of 1")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.jsonl", "", "is empty"),
        ("broken.jsonl", (json.dumps(row("Oslo")) + "\n") * 6 + "{broken\n", "Line 7 is not JSON"),
        ("table.csv", "a,b\n1,2\n", "columns of this dataset are not known"),
    ],
)
def test_a_file_that_cannot_be_used_says_why_beside_the_source(page, app, tmp_path, name, content, words):
    path = tmp_path / name
    path.write_text(content)
    upload(data_page(page, app), path)
    expect(page.locator("#data-trouble, #selection-trouble").filter(has_text=words)).to_be_visible()


def test_rows_around_a_broken_line_are_shown_all_the_same(page, app, tmp_path):
    path = tmp_path / "broken.jsonl"
    path.write_text(json.dumps(row("Oslo")) + "\n{broken\n" + json.dumps(row("Rome")) + "\n")
    uploaded(page, app, path)
    expect(page.locator("#data-trouble")).to_contain_text("Line 2 is not JSON")
    expect(page.locator("#view-conversation")).to_contain_text("Is it cold in Oslo?")
    page.locator("#row-next").click()
    expect(page.locator("#row-number input")).to_have_value("2")
    expect(page.locator("#data-trouble")).to_contain_text("Line 2 is not JSON")
    page.locator("#row-next").click()
    expect(page.locator("#view-conversation")).to_contain_text("Is it cold in Rome?")
    expect(page.locator("#data-trouble")).to_be_empty()


def test_what_is_wrong_with_the_file_stands_there_still_when_one_comes_back_and_its_cure_helps(page, app, tmp_path):
    path = tmp_path / "broken.jsonl"
    path.write_text(json.dumps(row("Oslo")) + "\n{broken\n" + json.dumps(row("Rome")) + "\n")
    uploaded(page, app, path)
    trouble = page.locator("#data-trouble")
    expect(trouble).to_contain_text("All rows › Check every row")
    page.get_by_role("tab", name="Train", exact=True).click()
    expect(page.locator("#notes")).to_contain_text("Line 2 is not JSON")
    page.get_by_role("tab", name="Data", exact=True).click()
    page.wait_for_timeout(1000)  # it went away when the page had asked whether anything is new
    expect(trouble).to_contain_text("Line 2 is not JSON")
    page.get_by_role("tab", name="All rows").click()
    page.locator("#check-start").click()
    page.get_by_role("button", name="Leave this row out").click()
    expect(trouble).to_be_empty()
    page.get_by_role("tab", name="Train", exact=True).click()
    expect(page.locator("#notes")).to_contain_text("2 rows can be read, 1 left out as you asked")


def test_the_examples_say_what_a_file_looks_like_and_can_be_downloaded(page, app):
    data_page(page, app)
    page.get_by_text("What should my file look like?").click()
    with page.expect_download() as download:
        page.get_by_text("Download tools.jsonl").click()
    uploaded_again = json.loads(download.value.path().read_text())
    assert uploaded_again["messages"][1]["tool_calls"][0]["function"]["name"] == "get_weather"


def test_a_model_that_cannot_be_had_leaves_the_conversation_to_be_read(page, app, tmp_path):
    folder = tmp_path / "outside"
    folder.mkdir()
    data_page(page, app)
    expect(page.locator("#view-conversation .turn").first).to_be_visible()
    model = page.locator("#field-model__name input")
    model.fill(str(folder))
    model.press("Enter")
    expect(page.locator("#data-trouble")).to_contain_text("outside the folders this page may read")
    expect(page.locator("#view-conversation .turn").first).to_be_visible()
    view(page, "What the model reads")
    expect(page.locator("#view-text")).to_have_text("Nothing to show yet.")


def test_columns_with_names_of_their_own_are_mapped(page, app, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("id,question,antwort\n1,What is LoRA?,A small adapter.\n2,And TRL?,A library.\n")
    upload(data_page(page, app), path)
    expect(page.locator("#data-trouble")).to_contain_text("columns of my own")
    page.locator("#field-data__format input").click()
    page.get_by_role("option", name="columns of my own").click()
    expect(page.locator("#field-data__prompt_column input")).to_have_value("question")
    expect(page.locator("#row-wrong")).to_contain_text("Choose which column is the answer.")
    expect(page.locator("#data-trouble")).to_be_hidden()
    page.locator("#field-data__answer_column input").click()
    page.get_by_role("option", name="antwort").click()
    expect(page.locator("#view-conversation")).to_contain_text("A small adapter.")
    page.get_by_role("tab", name="Train", exact=True).click()
    expect(page.locator("#notes")).to_contain_text("2 rows can be read")


@pytest.mark.parametrize("width", [1440, 390])
def test_columns_that_nobody_could_guess_are_asked_for_in_plain_words(new_page, app, tmp_path, width):
    page = new_page(viewport={"width": width, "height": 900})
    path = tmp_path / "table.csv"
    path.write_text("a,b\nWhat is LoRA?,A small adapter.\n")
    upload(data_page(page, app), path)
    expect(page.locator("#data-trouble")).to_contain_text("columns of my own")
    page.locator("#field-data__format input").click()
    page.get_by_role("option", name="columns of my own").click()
    expect(page.locator("#row-wrong")).to_contain_text("Choose which column is the question and which the answer.")
    expect(page.locator("#data-trouble")).to_be_hidden()
    format = page.locator("#field-data__format input")
    assert format.evaluate("(field) => field.scrollWidth <= field.clientWidth")  # its name is there to its end


def test_what_is_wrong_with_a_row_stands_above_it_and_the_next_one_is_a_click_away(page, app, tmp_path):
    fine = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]}
    odd = {"messages": [fine["messages"][0], *fine["messages"]]}
    path = tmp_path / "odd.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in (fine, fine, odd, fine)))
    uploaded(page, app, path)
    expect(page.locator("#row-total")).to_have_text("of 4")
    expect(page.locator("#view-conversation")).to_contain_text("Ho")
    expect(page.locator("#data-facts")).to_contain_text("tools: yes")
    expect(page.locator("#row-wrong")).to_be_hidden()
    page.locator("#row-problem").click()
    expect(page.locator("#row-number input")).to_have_value("3")
    expect(page.locator("#row-wrong")).to_contain_text("turns 1 and 2 are both of the user")
    page.locator("#row-problem").click()
    expect(page.locator("#row-wrong")).to_contain_text("Nothing is wrong in the rows after 3.")


def test_what_is_only_worth_knowing_of_a_row_says_how_grave_it_is_and_folds_the_rest(new_page, app, tmp_path):
    page = data_page(new_page(viewport={"width": 390, "height": 844}), app)
    note = page.locator("#row-wrong .note")
    expect(note).to_contain_text("Most models cope with either form.")
    expect(note.get_by_text("<|im_end|>")).to_be_hidden()
    note.get_by_text("What exactly").click()
    expect(note.get_by_text("<|im_end|>")).to_be_visible()
    right = note.locator("details p").evaluate("(words) => words.getBoundingClientRect().right")
    assert right <= 390 and note.evaluate("(note) => note.scrollWidth <= note.clientWidth")
    path = tmp_path / "broken.jsonl"
    path.write_text("{broken\n")
    upload(page, path)
    expect(page.locator("#data-trouble")).to_contain_text("Line 1 is not JSON")
    expect(note).to_have_count(0)


def test_plain_text_is_shown_as_a_conversation_too_and_said_to_teach_no_answers(page, app, tmp_path):
    path = tmp_path / "chat.txt"
    path.write_text("[12:01] Ann: Is it open today?\n[12:02] Bo: Until six.\n")
    uploaded(page, app, path)
    expect(page.locator("#view-conversation")).to_contain_text("[12:01] Ann: Is it open today?")
    expect(page.locator("#row-wrong")).to_contain_text("Plain text: the model learns to continue it, not to answer.")
    view(page, "What the model reads")
    expect(page.locator("#view-text")).to_contain_text("Ann: Is it open")  # all of the row is there
    expect(page.locator("#row-wrong .note")).to_have_count(1)


def test_a_prompt_and_its_completion_are_shown_as_such(page, app, tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"prompt": "2 + 2 = ", "completion": "4"}\n')
    uploaded(page, app, path)
    shown = page.locator("#view-conversation .turn")
    expect(shown).to_have_text([re.compile(r"Prompt\s*2 \+ 2 ="), re.compile(r"Completion\s*4")])
    view(page, "What the model reads")
    expect(page.locator("#view-text")).to_contain_text("2 + 2 = 4")
    expect(page.locator("#row-wrong")).to_be_hidden()
