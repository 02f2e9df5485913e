"""A chat template at work: messages in, text out. transformers does the rendering; here it is asked from one thread.

run("{{ messages }}...", [{"role": "user", "content": "Hi"}], None, marks=False, special={"eos_token": "</s>"})
-> ("<|im_start|>user\\nHi...", [])
"""

import threading
from typing import Any

# transformers keeps the marks of a rendering in the compiled template, which all threads share.
RENDERING = threading.RLock()


def run(template: str, messages: list[dict], tools: list[dict] | None, marks: bool, special: dict) -> Any:
    from transformers.utils.chat_template_utils import render_jinja_template

    with RENDERING:
        texts, spans = render_jinja_template(  # type: ignore[str-unpack]  # it is annotated as giving the text alone
            conversations=[messages],
            tools=tools,  # type: ignore[arg-type]
            chat_template=template,
            return_assistant_tokens_mask=marks,
            **special,
        )
    return texts[0], list(spans[0]) if marks else []
