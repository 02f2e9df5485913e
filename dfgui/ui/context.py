"""What a page is given: the settings, the store, and the few components that several pages share.

The shared components are ordinary Gradio ones, so a page listens to them or writes to them like to its own:

    context.run.change(show, inputs=[context.run], outputs=[...])         another run was chosen, anywhere
    button.click(start, outputs=[context.run, context.tabs])              ... return run_id, gr.Tabs(selected="monitor")
    context.news.change(refresh, outputs=[...])                            a run or a checkpoint came, ended or went

The address of the page follows `run` and the tab by itself.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from dfgui.integrations.connections import Connections, visitor_of
from dfgui.settings import Settings
from dfgui.store import Store


@dataclass
class Context:
    settings: Settings
    store: Store
    tabs: gr.Tabs
    run: gr.Textbox  # hidden: id of the run that Monitor, Evaluate, Chat and Export show; "" for none
    step: gr.Textbox  # hidden: the checkpoint of that run which another page asked for; "" for none in particular
    news: gr.Textbox  # hidden: changes when the list of runs or checkpoints does; its text means nothing else
    cure: gr.Textbox  # hidden: settings that the Data page wants Train to have: '{"training.max_length": 1344, ...}'
    cured: gr.Textbox  # hidden: the same text, once Train has them
    fill: gr.Textbox  # hidden: what Train is to be filled with, as ui/fill/ says: '{"run": "7h2k...", "step": 60}'
    connections: Connections
    given: gr.HTML  # changes when the visitor gives a key under Connections
    selection: Any = None  # components.selection.Selection: the model and the dataset chosen

    def settings_of(self, request: gr.Request) -> Settings:
        """The settings with the keys that this visitor has given."""
        return self.settings.with_secrets(self.connections.secrets(visitor_of(request)))
