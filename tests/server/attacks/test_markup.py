"""Markup and code in every text of a dataset, a run or a model: shown as it is on every page, and never run."""

import json
import os

import pytest
from playwright.sync_api import expect

from dfgui.config import RunConfig
from dfgui.data import held_out
from dfgui.data.conversation import Conversation
from dfgui.errors import UserError
from dfgui.store import Store, Writer
from tests.chromium import launched

EVIL = (
    "</script><script>window.hit=1</script></textarea></style><img src=x onerror=window.hit=1><svg/onload=window.hit=1>"
    "\"' onmouseover=window.hit=1 autofocus onfocus=window.hit=1 `${window.hit=1}`{{hit}}{{#if hit}}{{/if}}"
    "[x](javascript:window.hit=1)![x](http://x.invalid/x) <a href=javascript:window.hit=1>x</a> &lt;b&gt; --><!--"
)
MARK = "onerror=window.hit=1"  # what a page shows where it shows EVIL
TABS = {"Conversation": "conversation", "What the model reads": "text", "Tokens": "tokens", "Raw row": "raw"}
INJECTED = """() => [...document.querySelectorAll("*")].filter((one) =>
    [...one.attributes].some((is) => /^on/i.test(is.name) && /hit/.test(is.value) || /^\\s*javascript:/i.test(is.value))
    || one.matches("img[src=x], img[src*=invalid], script:not([src])") && /hit=1/.test(one.outerHTML)
    && !/gradio_config/.test(one.outerHTML)).map((one) => one.outerHTML.slice(0, 200))"""


def row():
    call = {"type": "function", "function": {"name": EVIL, "arguments": {EVIL: EVIL}}}
    parameters = {"type": "object", "properties": {EVIL: {"type": "string", "description": EVIL}}, "required": [EVIL]}
    return {
        "messages": [
            {"role": "system", "content": EVIL},
            {"role": "user", "content": EVIL},
            {"role": "assistant", "content": EVIL, "tool_calls": [call]},
            {"role": "tool", "content": EVIL},
            {"role": "assistant", "content": EVIL, "reasoning_content": EVIL},
        ],
        "tools": [{"type": "function", "function": {"name": EVIL, "description": EVIL, "parameters": parameters}}],
        EVIL: EVIL,
    }


@pytest.fixture(scope="module")
def runs(server, folder):
    """(one that failed, one that has a checkpoint, a score and held-out rows): every text of theirs is markup."""
    home = folder / "home"
    store = Store(home / "dfgui.db")
    failed, ended = (store.runs.create(RunConfig(name=EVIL), f"pid:{os.getpid()}") for _ in range(2))
    for run in (failed, ended):
        store.runs.update(run, name=EVIL, note=EVIL)
        store.runs.update(run, status="running")
    store.runs.lay(ended, "config", {"model": {"name": EVIL}})
    kept = home / "runs" / ended
    (kept / "checkpoint-20").mkdir(parents=True)
    held_out.save(kept, [(1, Conversation(row()["messages"], row()["tools"]))], [])
    with Writer(store.path, ended) as writer:
        writer.facts(base=EVIL, dtype="float32")
        writer.log(10, {"loss": 1.0, EVIL: 1.0})
        writer.event("note", EVIL, 10)
        writer.checkpoint(20, "checkpoint-20", "adapter", 1000, 0.7)
    store.runs.move(ended, "finished", EVIL)
    store.runs.move(failed, "failed", EVIL, UserError(EVIL, EVIL, EVIL, details=EVIL))
    wrong = {"row": 1, "turn": 2, "right": False, "expected": [], "got": [], "text": EVIL, "why": EVIL}
    for step in (0, 20):
        store.scores.begin(ended, step, 1)
        store.scores.finish(ended, step, 0, [wrong])
    return failed, ended


@pytest.fixture(scope="module")
def page(playwright, server, ada, runs):
    browser = launched(playwright)
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": "dfgui", "value": ada.cookies["dfgui"], "url": server.url}])
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    browser.close()


@pytest.fixture(autouse=True)
def nothing_has_run(page):
    yield
    page.mouse.move(700, 450)
    assert page.evaluate("window.hit") is None
    assert page.evaluate(INJECTED) == []


def shows(page, where):
    expect(page.locator(where).first).to_contain_text(MARK, timeout=30_000)


@pytest.fixture(scope="module")
def uploads(folder):
    """Two uploads, whose names are as bad as what is in them; of one no format can be told."""
    found = []
    for name, rows in {"rows-00000001.jsonl": [row(), row()], "rows-00000002.jsonl": [{EVIL: EVIL, "x": 1}]}.items():
        path = folder / "home" / "uploads" / name
        path.write_text("".join(json.dumps(one) + "\n" for one in rows))
        path.with_name(f"{name}.name").write_text(f"{EVIL}.jsonl")
        found.append(path)
    return found


def choose(page, path):
    field = page.locator("#field-data__source input")
    field.fill(str(path))
    field.press("Enter")


def test_a_dataset_is_shown_as_text(page, server, uploads):
    page.goto(f"{server.url}/?view=data")
    expect(page.locator("#data-facts")).to_contain_text("detected", timeout=30_000)
    page.locator("#field-data__source input").click()
    expect(page.get_by_role("option").filter(has_text=MARK)).to_have_count(2)
    choose(page, uploads[0])
    shows(page, "#view-conversation")
    for tab, view in TABS.items():
        page.get_by_role("tab", name=tab).click()
        shows(page, f"#view-{view}")
    page.get_by_role("tab", name="All rows").click()
    page.locator("#check-start").click()
    shows(page, "#check-result")
    choose(page, uploads[1])
    shows(page, "#data-trouble")
    page.locator("#tab-train-button").click()
    shows(page, "#notes")


def test_a_failure_is_shown_as_text(page, server, runs):
    page.goto(f"{server.url}/?view=monitor&run={runs[0]}")
    for where in (".monitor .name", ".saying .words", ".saying .more"):
        shows(page, where)
    page.locator(".told summary").click()
    shows(page, ".told pre")


def test_a_run_and_its_checkpoint_are_shown_as_text(page, server, runs):
    page.goto(f"{server.url}/?view=monitor&run={runs[1]}")
    shows(page, ".monitor .name")
    shows(page, ".events")
    for tab, where in {"runs": ".runs", "evaluate": "#failures", "chat": "#chat-expected", "export": "#export"}.items():
        page.locator(f"#tab-{tab}-button").click()
        shows(page, where)


def test_two_runs_side_by_side_and_their_models_are_shown_as_text(page, server, runs):
    page.goto(f"{server.url}/?view=runs&compare={runs[0]},{runs[1]}")
    shows(page, ".runs")
    page.locator("#tab-data-button").click()
    page.locator("#models button").first.click()
    shows(page, "dialog[open]")


def test_what_is_refused_at_the_login_is_no_markup(page, server):
    page.context.clear_cookies()
    page.goto(f"{server.url}/login?next=/%3C/input%3E%3Cimg src=x onerror=window.hit=1%3E")
    page.get_by_label("Name").fill(EVIL)
    page.get_by_label("Password").fill("x")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("[role=alert]")).to_contain_text("do not belong together")
