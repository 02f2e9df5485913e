"""One row of a dataset in its four shapes: spoken, as the model reads it, in tokens, as it stands.

wrong = gr.HTML(...)                       # what is wrong with the row, wherever the page has it
with gr.Tabs():
    shown = shapes.build(wrong)            # four tabs
yield from shown.drawn(turns, look, 17, "sharegpt")
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from dfgui.data.checks import CHECKS, Check
from dfgui.data.conversation import Conversation
from dfgui.errors import UserError
from dfgui.ui import messages
from dfgui.ui.components import check, conversation, tokens
from dfgui.ui.samples import Look
from dfgui.ui.uploads import unmarked
from dfgui.views import sample

TITLES = {"conversation": "Conversation", "text": "What the model reads", "tokens": "Tokens", "raw": "Raw row"}
PLAIN = "the model learns to continue it, not to answer."
PLAIN_DO = "To train answers, bring rows of questions and answers: see What should my file look like?"
WAITING = '<p class="faint">Loading the tokenizer …</p>'
BLANK = '<p class="faint">Nothing to show yet.</p>'

Updates = dict[Any, Any]  # component -> its new value


@dataclass(frozen=True)
class Shapes:
    wrong: gr.HTML
    views: dict[str, gr.HTML]

    @property
    def outputs(self) -> list[gr.HTML]:
        return [self.wrong, *self.views.values()]

    def emptied(self) -> Updates:
        return {self.wrong: "", **dict.fromkeys(self.views.values(), BLANK)}

    def waiting(self) -> Updates:
        """What takes a tokenizer, while that is loaded."""
        return dict.fromkeys((self.views["text"], self.views["tokens"]), WAITING)

    def drawn(self, turns: list[int], look: Look, number: int, format: str) -> Iterator[Updates]:
        """The row in its shapes, until another row is asked for. `turns` is this visitor's own."""
        turns[0] = mine = turns[0] + 1
        for update in self._one_by_one(look, number, format):
            if turns[0] != mine:
                return
            yield update

    def _one_by_one(self, look: Look, number: int, format: str) -> Iterator[Updates]:
        """Each shape as soon as it is there. What cannot be shown is emptied, and says why."""
        missing = [self.views[name] for name in ("raw", "conversation", "text", "tokens")]
        try:
            row = look.row(number)
            yield {missing.pop(0): conversation.raw(row.raw), self.wrong: ""}
            spoken = look.conversation(row, format)
            plain = _plain(spoken)
            yield {missing.pop(0): _spoken(spoken), self.wrong: _notes(plain)}
            made = look.preview(row, format)
        except UserError:
            yield {**dict.fromkeys(missing, BLANK), self.wrong: ""}
            raise
        length = _length(made, look.max_length)
        yield {
            self.views["text"]: length + conversation.text(made["text"]),
            self.views["tokens"]: length + tokens.draw(made["tokens"], made["cut"], look.special(format)),
            self.wrong: _notes(plain + _problems(made["problems"])),
        }


def build(wrong: gr.HTML) -> Shapes:
    return Shapes(wrong, {name: _view(title, name) for name, title in TITLES.items()})


def _view(title: str, name: str) -> gr.HTML:
    with gr.Tab(title, id=name):
        return gr.HTML(BLANK, elem_id=f"view-{name}", elem_classes="sample")


def _spoken(given: Conversation) -> str:
    if given.segments is not None:
        return conversation.pieces(given.segments)
    return conversation.draw(given.messages, given.tools)


def _plain(given: Conversation) -> str:
    """Whoever uploads a chat as .txt expects answers of the model; there is nothing in such a row to answer."""
    if given.segments is None or not all(learned for _, learned in given.segments):
        return ""
    return messages.note("tell", "Plain text:", PLAIN, PLAIN_DO)


def _problems(found: list[dict[str, str]]) -> str:
    """What a check says of the row on show."""
    return "".join(_problem(CHECKS[one["check"]], one["detail"]) for one in found)


def _problem(about: Check, detail: str) -> str:
    """What is wrong with the row, and what to do; of what is no more than worth knowing, the row's part is folded."""
    kind = check.KINDS[about.severity]
    if about.severity != "info":
        return messages.note(kind, about.title, detail)
    return (
        f'<li class="note {kind}"><span class="kind">{messages.KINDS[kind]}</span><div><b>{escape(about.title)}</b> '
        f"{escape(about.advice)}<details><summary>What exactly</summary><p>{escape(unmarked(detail))}</p></details>"
        "</div></li>"
    )


def _notes(lines: str) -> str:
    return f'<div class="notes"><ul>{lines}</ul></div>' if lines else ""


def _length(made: dict, max_length: int) -> str:
    words = sample.length(made["token_count"], made["trained_count"], made["cut"], max_length)
    return f'<p class="length">{escape(words)}</p>'
