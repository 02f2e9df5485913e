"""Tools for a chat template that knows none: words in the system message, calls and results as tagged JSON.

    wrap(template)          a template that carries tools, calls and results, and otherwise renders as the one given
    unwrap(wrapped)         (what was put before it, the template given)

It is a template and no change of rows, so that a model asks for tools in the same words wherever it is taken:
`tokenizer.apply_chat_template(messages, tools=tools)` writes what was trained.
"""

from pathlib import Path
from typing import Literal

WORDS = Path(__file__).with_name("tools_in_words.jinja").read_text(encoding="utf-8")  # its last newline is not printed
BORDER = WORDS.splitlines(keepends=True)[-1]
PLACE = '{%- set place = "system" %}'


def wrap(template: str, place: Literal["system", "user"] = "system") -> str:
    """`place` is the message that lists the tools: the first of the user where a template takes none of the system."""
    return WORDS.replace(PLACE, PLACE.replace("system", place)) + template


def unwrap(template: str) -> tuple[str, str]:
    """("", template) for a template that was not wrapped."""
    before, border, own = template.partition(BORDER)
    return (before + border, own) if border else ("", template)
