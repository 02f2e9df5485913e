"""The pictures that README and docs show: taken by this test, and true to the pages of today.

    python -m pytest tests/browser/test_pictures.py --pictures          trains the demo (minutes), renews docs/pictures
    python -m pytest tests/browser/test_pictures.py --pictures HOME     the same with a demo run that this home has

A picture remembers the words of its page: headings, labels, buttons, columns. Without --pictures the same places are
visited with a run that is written into the store, and a picture fails whose page now has other words.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from playwright.sync_api import expect

from dfgui import recipe
from dfgui.presets import PRESETS
from dfgui.store import Store
from tests.browser.form import preset
from tests.browser.runs import leave_a_checkpoint
from tests.browser.trainer import Trainer
from tests.server.processes import PROJECT

PICTURES = PROJECT / "docs" / "pictures"
MOST_BYTES = 150_000
WORDS = "words"  # in a picture's text: the words of its page, as JSON
RENEW = "python -m pytest tests/browser/test_pictures.py --pictures"
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
NAME = "weather-lora"
SETTLES, PATIENCE = 500, 10  # ms until what changes slowly has changed; so often

expect.set_options(timeout=60_000)


def data(page):
    expect(page.locator("#data-facts")).to_contain_text("arguments as object")  # the first row is there
    page.locator("#row-number input").fill("158")
    page.locator("#row-number input").press("Enter")
    expect(page.locator("#view-conversation")).to_contain_text("Santiago")


def tokens(page):
    page.get_by_role("tab", name="Tokens", exact=True).click()
    expect(page.locator("#view-tokens")).to_contain_text("Santiago")
    page.get_by_role("group", name="Tokens").evaluate("(box) => box.scrollTo(0, box.scrollHeight)")  # what is learned


def train(page):
    preset(page, "cpu")
    expect(page.locator("#notes .note").first).to_be_visible()


def is_estimated(page):
    """A model is measured beside, which takes a while."""
    for waiting in ("being worked out", "looked up"):
        expect(page.locator("#notes")).not_to_contain_text(waiting, timeout=300_000)


def monitor(page):
    page.wait_for_function("() => (window.dfgui?.monitor?.held()?.get('loss')?.steps.length || 0) > 10")


def chat(page):
    expect(page.locator("#chat-prompt textarea")).not_to_have_value("")


def ask(page):
    page.locator("#chat-ask").click()
    for side in ("base", "tuned"):
        expect(page.locator(f"#chat-{side}")).to_contain_text("exactly as written")


def export(page):
    expect(page.locator(".offer")).to_have_count(4)


PLACES = {  # by the picture's name: the page, what is done there, what only a real run can do, how large it is
    "data": ("data", data, None, DESK),
    "tokens": ("data", tokens, None, DESK),
    "train": ("train", train, is_estimated, DESK),
    "monitor": ("monitor", monitor, None, DESK),
    "chat": ("chat", chat, ask, DESK),
    "export": ("export", export, None, DESK),
    "phone": ("monitor", monitor, None, PHONE),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory, pytestconfig):
    given = pytestconfig.getoption("pictures")
    folder = tmp_path_factory.mktemp("home")
    return Path(shutil.copytree(given, folder, dirs_exist_ok=True)) if isinstance(given, str) else folder


@pytest.fixture(scope="module")
def run(home, app, pytestconfig):
    """A run of the demo that has finished: a real one for pictures, one that is written down for their words."""
    if not pytestconfig.getoption("pictures"):
        return written_down(home)
    runs = Store(home / "dfgui.db").runs.all()
    return runs[0]["id"] if runs else trained(home)


def trained(home):
    values = recipe.nested(PRESETS["cpu"].values) | {"name": NAME}
    file = home / "run.yaml"
    file.write_text(recipe.to_yaml(recipe.parse(values)), encoding="utf-8")
    command = [sys.executable, "-m", "dfgui", "train", str(file), "--home", str(home), "--json"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=1200, check=True)
    return json.loads(done.stdout)["run"]


def written_down(home):
    store = Store(home / "dfgui.db")
    with Trainer(store, NAME, rate=1000, max_steps=60) as trainer:
        trainer._thread.join()
    leave_a_checkpoint(home, trainer.run, 60, std=0.01)
    return trainer.run


def test_a_picture_shows_the_page_of_today(new_page, app, run, tmp_path, pytestconfig):
    """All of them in two tabs, one as wide as a desk and one as a phone: going from page to page loads nothing anew."""
    renewing = pytestconfig.getoption("pictures")
    tabs, stale = {}, []
    for name, (view, there, with_a_real_run, size) in PLACES.items():
        page = tabs.get(size["width"])
        if page:
            page.locator(f"#tab-{view}-button").click()
        else:
            page = tabs[size["width"]] = new_page(viewport=size, color_scheme="light", reduced_motion="reduce")
            page.goto(f"{app.url}/?view={view}&run={run}")
        there(page)
        picture = PICTURES / f"{name}.png"
        words = spoken(page, None if renewing else words_of(picture))
        if renewing and with_a_real_run:
            with_a_real_run(page)
            page.wait_for_timeout(SETTLES)
        page.screenshot(path=tmp_path / picture.name)
        if renewing:
            keep(tmp_path / picture.name, picture, words)
        stale += told(name, set(words_of(picture)), set(words))
    assert stale == [], f"Renew the pictures, look at them and commit them: {RENEW}"


def test_words_that_a_picture_has_no_longer_or_not_yet_are_named():
    assert told("data", {"Row", "Next"}, {"Row", "Onward"}) == [
        "data: no longer on the page: Next",
        "data: new on the page: Onward",
    ]
    assert told("data", {"Row"}, {"Row"}) == []


def test_each_picture_is_shown_and_each_shown_one_is_there():
    pages = [PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")]
    shown = {
        (page.parent / picture).resolve()
        for page in pages
        for picture in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    }
    assert shown == set(PICTURES.glob("*")) == {PICTURES / f"{name}.png" for name in PLACES}


def spoken(page, known):
    """The words of a page once they are those that are known, or after a while: not all is drawn at once."""
    for _ in range(PATIENCE):
        words = page.evaluate(SPOKEN)
        if words == known:
            break
        page.wait_for_timeout(SETTLES)
    return words


def keep(taken, file, words):
    """The picture with its words, in as many of 256 colours as make it small."""
    file.parent.mkdir(exist_ok=True)
    text = PngImagePlugin.PngInfo()
    text.add_itxt(WORDS, json.dumps(words, ensure_ascii=False))
    drawn = Image.open(taken).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    drawn.save(file, optimize=True, pnginfo=text)
    assert file.stat().st_size < MOST_BYTES


def words_of(file):
    return json.loads(Image.open(file).text[WORDS]) if file.is_file() else []


def told(name, before, now):
    """A line for words that are gone from the page of a picture, one for those that are new there."""
    gone = [f"{name}: no longer on the page: {', '.join(sorted(before - now))}"] if before - now else []
    return gone + ([f"{name}: new on the page: {', '.join(sorted(now - before))}"] if now - before else [])


# What stands on the page whatever the run: headings, labels, buttons, columns. Numbers are left out, and so is what a
# row, a run or an answer says.
SPOKEN = """() => {
  const written = (one) => {
    const copy = one.cloneNode(true);
    copy.querySelectorAll("select, output, textarea").forEach((part) => part.remove());
    return copy.textContent;
  };
  const spoken = "h1, h2, h3, h4, th, label, legend, summary, button, [role=tab], [role=button], [aria-label]";
  const told = `.chip, .events, .marks, .plot, #view-conversation, #view-tokens .tokens,
    #chat-before, #chat-base, #chat-tuned, #chat-expected`;
  const seen = [...document.querySelectorAll(spoken)].filter((one) => one.checkVisibility() && !one.closest(told));
  const words = seen.map((one) => one.getAttribute("aria-label") || written(one));
  const plain = words.map((one) => one.replace(/[\\d.,]*\\d( [KMG]B)?/g, "").replace(/\\s+/g, " ").trim());
  return [...new Set(plain)].filter(Boolean).sort();
}"""
