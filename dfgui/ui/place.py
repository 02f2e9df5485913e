"""Where on the page we are while it is laid out: the Blocks, and the tab that a page's build() fills."""

import gradio as gr
from gradio.context import Context

HERE = "(_, ...rest) => [document.body.dataset.view, ...rest]"  # a listener's js: only the browser knows the open page


def blocks() -> gr.Blocks:
    assert Context.root_block is not None
    return Context.root_block


def tab() -> gr.Tab:
    assert isinstance(Context.block, gr.Tab)
    return Context.block
