"""Where on the page we are while it is laid out: the Blocks, and the tab that a page's build() fills."""

import gradio as gr
from gradio.context import Context

# A listener's js: it fills the first input with the page that is open, which only the browser knows.
HERE = "(_, ...rest) => [document.body.dataset.view, ...rest]"


def opened(page: str) -> str:
    """The same for a tab's own `select`, which comes before the browser has noted the new page."""
    return f"(_, ...rest) => ['{page}', ...rest]"


def blocks() -> gr.Blocks:
    assert Context.root_block is not None
    return Context.root_block


def tab() -> gr.Tab:
    assert isinstance(Context.block, gr.Tab)
    return Context.block
