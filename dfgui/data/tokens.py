"""A conversation as tokens, and which of them are learned. The preview shows what this returns and the trainer gets it.

    tokenize(conversation, tokenizer, max_length=1024, train_on="assistant")
        -> Tokens(text="<|im_start|>user\\nHi...", input_ids=[3, 90, ...], labels=[-100, -100, ..., 17, 4], ...)

What is learned (`train_on`), with the template each is rendered by:

    assistant       every assistant turn: words, calls, the token that ends it. By TRL's training template where it has
                    one, otherwise by rendering the conversation up to each turn; refused where that is not exact.
    last_assistant  the last assistant turn, after the prompt as the model's own template renders it for an answer.
                    What follows it is left out: nothing in it could be learned.
    completion      of prompt/completion rows what follows the prompt; of other chats the same as last_assistant.
    everything      every token, also of questions and tool results.

Rows of plain text are learned whole, with the end-of-sequence token appended; of prompt/completion rows all settings
but `everything` learn the completion. Tool results are learned by `everything` alone. Where TRL's own preparation is
right, the result equals it, token for token.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

from dfgui.data import probe, template
from dfgui.data.conversation import Conversation, RowError, require_answer
from dfgui.data.turns import turns
from dfgui.errors import UserError

IGNORED = -100  # the label of a token that is read, not learned
HALF_CHARACTER = re.compile("[\ud800-\udfff]")

Spans = list[tuple[int, int]]


@dataclass(frozen=True)
class Tokens:
    text: str  # of the whole row, also of what was cut
    input_ids: list[int]
    labels: list[int]
    spans: Spans  # characters of `text` from..to, per token: their slices, joined, are the text up to the cut
    roles: list[str] = field(default_factory=list)  # per token; empty when they were not asked for
    cut: int = 0  # tokens lost at max_length
    cut_learned: int = 0  # how many of them would have been learned

    @property
    def trained(self) -> int:
        """How many tokens are learned."""
        return len(self.labels) - self.labels.count(IGNORED)


@dataclass(frozen=True)
class _Marked:
    text: str
    input_ids: list[int]
    spans: Spans
    learned: Spans  # tokens from..to
    roles: Callable[[], list[tuple[str, int, int]]]


def tokenize(
    conversation: Conversation, tokenizer: Any, max_length: int | None, train_on: str, roles: bool = True
) -> Tokens:
    """Ids and labels, cut at max_length (None: uncut). `roles=False` spares the rendering that only people need.

    Raises RowError when the row has nothing to learn or does not render, UserError when the tokenizer cannot do this.
    """
    row = (
        _plain(conversation, tokenizer, train_on) if conversation.segments else _chat(conversation, tokenizer, train_on)
    )
    if not row.learned:
        raise RowError(
            "has no token to learn from.",
            "The chat template prints nothing of what the assistant says.",
            "Remove it.",
            check="nothing_learned",
        )
    kept, lost = slice(max_length), slice(max_length, None) if max_length else slice(0)
    labels = [IGNORED] * len(row.input_ids)
    for start, end in row.learned:
        labels[start:end] = row.input_ids[start:end]
    return Tokens(
        text=row.text,
        input_ids=row.input_ids[kept],
        labels=labels[kept],
        spans=row.spans[kept],
        roles=_roles(row.spans[kept], row.roles()) if roles else [],
        cut=len(labels[lost]),
        cut_learned=len(labels[lost]) - labels[lost].count(IGNORED),
    )


def _plain(conversation: Conversation, tokenizer: Any, train_on: str) -> _Marked:
    """Text without a template. A prompt ends where its own tokens and those of the whole part, as in TRL."""
    segments = conversation.segments or []
    prompt = "".join(text for text, learned in segments if not learned)
    text = "".join(text for text, _ in segments)
    if tokenizer.eos_token and not segments[-1][0].endswith(tokenizer.eos_token):
        text += tokenizer.eos_token
    ids, spans = _encode(text, tokenizer, special=True)
    asked = prompt if train_on != "everything" else ""
    start = _common(_encode(asked, tokenizer, special=True)[0], ids) if asked else 0
    named = [("prompt", 0, len(prompt)), ("completion", len(prompt), len(text))] if prompt else [("text", 0, len(text))]
    return _Marked(text, ids, spans, _from(start, ids), lambda: named)


def _chat(conversation: Conversation, tokenizer: Any, train_on: str) -> _Marked:
    messages, tools = conversation.messages, conversation.tools
    own = template.original(tokenizer, bool(tools))
    if train_on == "everything":
        return _whole(messages, tools, tokenizer, own)
    require_answer(conversation)
    answers = [number for number, message in enumerate(messages) if message["role"] == "assistant"]
    if train_on == "last_assistant" or (train_on == "completion" and conversation.train_from is None):
        return _after_prompt(messages[: answers[-1] + 1], answers[-1], tools, tokenizer, own)
    start = conversation.train_from
    if start is not None and all(message["role"] == "assistant" for message in messages[start:]):
        return _after_prompt(messages, start, tools, tokenizer, own)
    marking = probe.examine(own).training
    if marking is None:
        wanted = [number for number in answers if number >= (start or 0)]
        return _by_beginnings(messages, wanted, tools, tokenizer, own)
    row = _by_marks(messages, tools, tokenizer, marking)
    return row if start is None else _only_after(row, messages[:start], tools, tokenizer, marking)


def _whole(messages: list[dict], tools: list[dict], tokenizer: Any, own: str) -> _Marked:
    """The row as the model's own template renders it, all of it learned."""
    text = template.rendered(messages, tools, tokenizer, own)
    ids, spans = _encode(text, tokenizer)
    return _Marked(text, ids, spans, _from(0, ids), lambda: turns(messages, tools, tokenizer, own, text))


def _by_marks(messages: list[dict], tools: list[dict], tokenizer: Any, marking: str) -> _Marked:
    """Learned is what stands in the template's {% generation %} blocks."""
    text, blocks = template.rendered_with_marks(messages, tools, tokenizer, marking)
    ids, spans = _encode(text, tokenizer)
    return _Marked(text, ids, spans, _inside(spans, blocks), lambda: turns(messages, tools, tokenizer, marking, text))


def _by_beginnings(messages: list[dict], answers: list[int], tools: list[dict], tokenizer: Any, own: str) -> _Marked:
    """Learned is what each assistant turn adds to the prompt before it, both rendered by themselves."""
    row = _whole(messages, tools, tokenizer, own)
    blocks = []
    for number in answers:
        prompt = template.rendered(messages[:number], tools, tokenizer, own, add_generation_prompt=True)
        last = number == len(messages) - 1
        answered = row.text if last else template.rendered(messages[: number + 1], tools, tokenizer, own)
        if not (row.text.startswith(answered) and answered.startswith(prompt) and len(answered) > len(prompt)):
            raise RowError(
                f"cannot be marked: its turn {number + 1} is rendered differently with and without what follows.",
                "The model's chat template does not say which part is the assistant's, nor does TRL know it.",
                "Learn from last_assistant or everything instead, or choose a model whose template TRL knows.",
                check="not_rendered",
            )
        blocks.append((len(prompt), len(answered)))
    return replace(row, learned=_inside(row.spans, blocks))


def _after_prompt(messages: list[dict], start: int, tools: list[dict], tokenizer: Any, own: str) -> _Marked:
    """Learned is all that follows the prompt."""
    if not start:
        raise RowError(
            "begins with its only answer.",
            "There is no prompt that it could follow.",
            "Remove it.",
            check="no_question",
        )
    return _only_after(_whole(messages, tools, tokenizer, own), messages[:start], tools, tokenizer, own)


def _only_after(row: _Marked, prompt: list[dict], tools: list[dict], tokenizer: Any, own: str) -> _Marked:
    """The prompt ends where its own tokens and those of the whole part, as in TRL."""
    asked = template.rendered(prompt, tools, tokenizer, own, add_generation_prompt=True)
    start = _common(_encode(asked, tokenizer)[0], row.input_ids)
    return replace(row, learned=[(max(start, from_), to) for from_, to in row.learned if to > start])


def _encode(text: str, tokenizer: Any, special: bool = False) -> tuple[list[int], Spans]:
    """Token ids, and slices of the text that join to it. `special`: with the tokens a tokenizer adds to plain text."""
    if not tokenizer.is_fast:
        raise UserError(
            "This model's tokenizer cannot say which characters a token stands for.",
            "It is one of the slow kind, without a tokenizer.json.",
            "Choose a model with a fast tokenizer.",
        )
    if HALF_CHARACTER.search(text):
        raise RowError(
            "has half of a character in its text.",
            "A lone surrogate such as \\ud83d cannot be written as UTF-8.",
            "Remove it, or write the file again as UTF-8.",
        )
    encoded = tokenizer(text, add_special_tokens=special, return_offsets_mapping=True, verbose=False)
    return encoded["input_ids"], _slices(encoded["offset_mapping"], len(text))


def _slices(offsets: Spans, length: int) -> Spans:
    """Offsets without gaps or overlaps.

    Tokenizers leave blanks out, and give each of several tokens that share a character the whole of it. Here a token
    ends where its offset ends and begins where the one before it ended: the second of a shared character is empty.
    """
    ends = list(accumulate((end for _, end in offsets[:-1]), max))
    return list(zip([0, *ends], [*ends, length], strict=False)) if offsets else []


def _inside(spans: Spans, blocks: Spans) -> Spans:
    """The tokens that overlap each block of characters; those with an empty slice go with the token before them."""
    ends = [end for _, end in spans]
    touched = []
    for start, end in blocks:
        if start < end:
            last = bisect_left(ends, end)
            touched.append((bisect_right(ends, start), bisect_right(ends, ends[last])))
    return touched


def _from(start: int, ids: list[int]) -> Spans:
    return [(start, len(ids))] if start < len(ids) else []


def _roles(spans: Spans, turns: list[tuple[str, int, int]]) -> list[str]:
    """Per token the role of the turn in which it begins."""
    roles = []
    at = 0
    for start, _ in spans:
        while at < len(turns) - 1 and start >= turns[at][2]:
            at += 1
        roles.append(turns[at][0])
    return roles


def _common(ids: list[int], others: list[int]) -> int:
    """How many tokens two lists share at their beginning."""
    return next(
        (n for n, (one, other) in enumerate(zip(ids, others, strict=False)) if one != other), min(len(ids), len(others))
    )
