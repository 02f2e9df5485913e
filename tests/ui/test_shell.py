import re
from collections import Counter

import gradio as gr
import pytest

from dfgui import settings
from dfgui.ui import shell, theme


@pytest.fixture
def demo(tmp_path):
    return shell.build(settings.load(home=tmp_path))


def test_every_page_has_its_tab_in_the_order_of_the_work(demo):
    tabs = [block for block in demo.blocks.values() if isinstance(block, gr.Tab) and block.elem_id in _ids()]
    assert [tab.id for tab in tabs] == list(shell.PAGES)


def _ids():
    return {f"tab-{page}" for page in shell.PAGES}


def test_the_frame_is_wired_in_the_browser_alone(demo):
    """Opening the page, choosing a run and turning to a tab ask the server nothing of their own."""
    framed = [fn for fn in demo.fns.values() if fn.js and "dfgui.view" in str(fn.js)]
    assert framed
    assert all(fn.fn is None for fn in framed)


def test_no_event_has_two_listeners_that_wait_for_their_turn(demo):
    """Gradio wakes both whenever one is done, so that two which are busy together never come to rest."""
    waiting = Counter(
        (block, event)
        for fn in demo.fns.values()
        if fn.fn and fn.trigger_mode == "always_last"
        for block, event in fn.targets
        if block is not None
    )
    assert {demo.blocks[block].elem_id for (block, _), count in waiting.items() if count > 1} == set()


def test_while_nothing_happens_gradio_wakes_seldom(demo):
    """Its own loops are all that an idle app computes: each look of theirs wakes the process."""
    with gr.Blocks() as bare:
        bare.queue()
    loops = ("sleep_when_free", "progress_update_sleep_when_free")
    looks = [sum(1 / getattr(blocks._queue, loop) for loop in loops) for blocks in (bare, demo)]
    assert looks[1] <= 25 < looks[0]


def test_help_says_where_the_home_is_and_shows_its_name_as_text(tmp_path):
    home = tmp_path / "<b>home"
    demo = shell.build(settings.load(home=home))
    (help,) = (block for block in demo.blocks.values() if block.elem_id == "help")
    assert str(tmp_path) in help.value
    assert "&lt;b&gt;home" in help.value


def test_the_look_comes_with_the_page_and_from_nowhere_else():
    options = theme.launch_options()
    assert set(options) == {"theme", "css", "head"}
    assert "uPlot" in options["head"]
    assert not re.search(r"(src|href)=[\"']?(https?:)?//|@import|url\((?!data:)", options["head"])
    assert not [url for url in options["theme"]._stylesheets if "//" in url]


def test_colours_of_our_components_are_named_for_light_and_dark_alike():
    css = (theme.UI / "theme.css").read_text(encoding="utf-8")
    light, dark = re.findall(r"(?::root|\.dark) \{(.*?)\}", css, re.DOTALL)[:2]
    names = [set(re.findall(r"(--df-[a-z-]+):", block)) for block in (light, dark)]
    assert names[0] == names[1]


def test_every_script_stays_short():
    scripts = [*theme.UI.rglob("*.js"), *theme.UI.rglob("*.css")]
    long = [path.name for path in scripts if "vendor" not in path.parts and path.read_text().count("\n") > 400]
    assert long == []
