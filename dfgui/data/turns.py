"""Which message each character of a rendered text belongs to: found by rendering the conversation up to each message.

    "<|im_start|>user\\nHi<|im_end|>\\n<|im_start|>assistant\\n..."  ->  [("user", 0, 29), ("assistant", 29, 57)]

For the eye only: what is learned is decided in tokens.py. Where a template renders a beginning differently from the
whole, the border falls where the message's own words begin.
"""

from functools import lru_cache
from itertools import pairwise
from typing import Any

from dfgui.data.conversation import RowError
from dfgui.data.template import rendered

Span = tuple[str, int, int]


def turns(messages: list[dict], tools: list[dict], tokenizer: Any, template: str, text: str) -> list[Span]:
    """(role, from, to) over the whole text, in order. What stands before the first message is the system's."""
    bos_token = tokenizer.bos_token or ""
    header = _header(template, bos_token)
    starts = [_first(messages[0], header, bos_token, text)]
    for number in range(1, len(messages)):
        before = _rendered_or_nothing(messages[:number], tools, tokenizer, template)
        starts.append(max(starts[-1], _border(before, messages[number], header, text)))
    borders = pairwise([*starts, len(text)])
    spans = [(message["role"], start, end) for message, (start, end) in zip(messages, borders, strict=True)]
    return [("system", 0, starts[0]), *spans] if starts[0] else spans


def _first(message: dict, header: str, bos_token: str, text: str) -> int:
    """Where the first message begins: after the list of tools, or a system text of the template's own."""
    start = text.find(header) if header and message["role"] == "user" else 0
    return start if start > 0 and text[:start] != bos_token else 0


def _border(before: str, message: dict, header: str, text: str) -> int:
    """Where a message begins, given the text of all that stands before it."""
    if text.startswith(before):
        return len(before)
    common = next((n for n, (one, other) in enumerate(zip(before, text, strict=False)) if one != other), 0)
    opening = header if message["role"] == "user" else ""
    start = text.find(opening + message["content"], common) if message["content"] else -1
    return start if start >= 0 else common


def _rendered_or_nothing(messages: list[dict], tools: list[dict], tokenizer: Any, template: str) -> str:
    try:
        return rendered(messages, tools, tokenizer, template)
    except RowError:  # some templates refuse a conversation that ends here
        return ""


@lru_cache(maxsize=64)
def _header(template: str, bos_token: str) -> str:
    """What a user's turn opens with: "<|im_start|>user\\n". Empty when it cannot be told."""
    tokens = _Specials({"bos_token": bos_token})
    talk = [
        {"role": "user", "content": "first_probe"},
        {"role": "assistant", "content": "answer_probe"},
        {"role": "user", "content": "second_probe"},
    ]
    text = _rendered_or_nothing(talk, [], tokens, template)
    opened = text.partition("answer_probe")[2].partition("second_probe")[0]
    ended = _rendered_or_nothing(talk[:2], [], tokens, template).partition("answer_probe")[2]
    if opened.startswith(ended) and opened.removeprefix(ended).strip():
        return opened.removeprefix(ended)
    return _common_end(opened, text.partition("first_probe")[0])


def _common_end(one: str, other: str) -> str:
    pairs = zip(reversed(one), reversed(other), strict=False)
    length = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
    return one[len(one) - length :]


class _Specials:
    def __init__(self, special_tokens_map: dict[str, str]):
        self.special_tokens_map = special_tokens_map
