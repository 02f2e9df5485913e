"""The Blocks: a title, the tabs, the chip of the live run, help, and the Model and Data header over Data and Train.

Above all of it stands what a visitor should know of this server, where there is such a thing (components/live.js).

Which tab and which run are shown stands in the address (`?view=monitor&run=7h2k...`), so a reload, a bookmark and a
second person land on the same thing. (`page` would be the better word, but Gradio keeps it for itself.)
shell.js does that in the browser, without asking the server.
"""

import gradio as gr

from dfgui.integrations.connections import Connections
from dfgui.settings import Settings
from dfgui.store import Store
from dfgui.ui.components import connections, help, live, models, selection
from dfgui.ui.context import Context
from dfgui.ui.pages import chat, data, evaluate, export, monitor, runs, train, welcome

PAGES = {  # in the order of the tabs; "welcome" has no tab of its own, the title leads to it
    "welcome": ("Welcome", welcome),
    "data": ("Data", data),
    "train": ("Train", train),
    "monitor": ("Monitor", monitor),
    "runs": ("Runs", runs),
    "evaluate": ("Evaluate", evaluate),
    "chat": ("Chat", chat),
    "export": ("Export", export),
}
WANTED = """() => {
  const { run, step, fill, page } = dfgui.view.wanted;
  return [run, step, fill ?? "", dfgui.view.to(page)];
}"""
# How often Gradio's queue looks for work, and for a gr.Progress, of which dfgui has none. By itself it looks 1,000 and
# 100 times a second, which costs 6 % of a core while nothing happens; on Windows 20 and 10 times.
QUEUE_SECONDS, PROGRESS_SECONDS = 0.05, 1.0


def build(settings: Settings, connected: Connections | None = None) -> gr.Blocks:
    """The whole page. Nothing is read from the store until a visitor comes."""
    store = Store(settings.store_path)
    connected = connected or Connections(store)
    with gr.Blocks(title="dfgui", analytics_enabled=False, fill_width=True) as demo:
        gr.HTML("", html_template="<p role='status' hidden></p>", elem_id="notice", apply_default_css=False)
        with gr.Column(elem_id="shell"):
            brand = "<button type='button' class='brand' aria-label='dfgui: the start'>dfgui</button>"
            title = gr.HTML("", html_template=brand, elem_id="title", apply_default_css=False)
            pulse = live.build(settings, store, connected)
            given = connections.build()
            help.build(settings)
            shared = {name: _hidden(name) for name in ("run", "step", "news", "cure", "cured", "fill")}
            with gr.Column(elem_id="selection"):
                chosen = selection.build(settings, connected)
            with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:
                context = Context(settings, store, tabs, connections=connected, given=given, selection=chosen, **shared)
                for page, (name, module) in PAGES.items():
                    with gr.Tab(name, id=page, elem_id=f"tab-{page}"):
                        module.build(context)
            _wire(demo, context, title, pulse)
    demo.queue()
    demo._queue.sleep_when_free = QUEUE_SECONDS
    demo._queue.progress_update_sleep_when_free = PROGRESS_SECONDS
    return demo


def _hidden(name: str) -> gr.Textbox:
    return gr.Textbox(visible="hidden", elem_id=f"shared-{name}", container=False)


def _wire(demo: gr.Blocks, context: Context, title: gr.HTML, pulse: gr.HTML) -> None:
    """Everything here runs in the browser alone."""
    demo.load(None, None, [context.run, context.fill, context.tabs], js="async () => await dfgui.view.start()")
    context.run.change(None, context.run, None, js="(run) => dfgui.view.chose(run)")
    title.click(None, None, context.tabs, js="() => dfgui.view.to('welcome')")
    pulse.click(None, None, [context.run, context.tabs], js="() => [dfgui.live.chip.run, dfgui.view.to('monitor')]")
    pulse.select(None, None, [context.run, context.step, context.fill, context.tabs], js=WANTED)
    context.selection.picker.select(None, None, context.fill, js=models.WANTED)
    pulse.change(None, None, context.news, js="() => dfgui.live.news")
