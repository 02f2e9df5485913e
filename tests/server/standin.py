"""The server around a page of four components, so that its tests ask nothing of the real one.

python -m tests.server.standin --port 7999
"""

import sys

from dfgui.server import main


def page():
    import os

    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr

    with gr.Blocks() as blocks:
        name, greeting = gr.Textbox(label="name", elem_id="name"), gr.Textbox(label="greeting", elem_id="greeting")
        gr.Button("Greet", elem_id="greet").click(greet, name, greeting, api_name="greet")
        gr.File(elem_id="file")
    return blocks


def greet(name):
    return f"Hello {name}"


if __name__ == "__main__":
    sys.exit(main(blocks=page()))
