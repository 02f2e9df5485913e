"""A conversation by the chat template of a tokenizer, with its calls in the form that the template needs.

    rendered(messages, tools, tokenizer, text) -> "<|im_start|>user\\nHi<|im_end|>..."
    describe(tokenizer) -> Template(tools=True, arguments="object", note="tools: yes, arguments as object", ...)

What a template cannot carry (probe.py finds out) is refused here, row by row, and never trained in silence.
"""

import json
from collections.abc import Iterator
from typing import Any

from dfgui.data import jinja
from dfgui.data.conversation import Conversation, RowError, shortly
from dfgui.data.probe import THOUGHTS, TOOL, Template, examine, reads_back
from dfgui.errors import UserError


def describe(tokenizer: Any) -> Template:
    """What the tokenizer's template can carry. Raises UserError when it has none, or it is broken."""
    return examine(original(tokenizer, tools=True))


def remarks(conversation: Conversation, tokenizer: Any, train_on: str, text: str) -> Iterator[tuple[str, str]]:
    """(check, detail) of what this template does to a conversation whose `text` trains: words it drops, tools it does
    not show, answers it asks otherwise than they are trained.
    """
    form = examine(original(tokenizer, bool(conversation.tools)))
    roles = [message["role"] for message in conversation.messages]
    asked_again = "assistant" in roles and "user" in roles[roles.index("assistant") :]
    if train_on == "assistant" and form.rewritten and asked_again:
        yield "asked_differently", f"earlier answers are {form.rewritten}"
    if train_on != "everything":
        yield from (("opened_differently", detail) for detail in _opened_otherwise(conversation.messages, form))
    between = form.ends_between and asked_again and train_on == "assistant"
    if train_on != "everything" and not form.ends and not between and "assistant" in roles:
        yield "no_end", "the template prints nothing after it that could be learned"
    if conversation.tools and not form.offered:
        yield "tools_not_shown", "the list of its tools is not shown to the model"
    last = max((number for number, role in enumerate(roles) if role == "assistant"), default=0)
    for number, message in enumerate(conversation.messages, start=1):
        if message.get("tool_calls") and message["content"].strip() and not form.beside:
            yield "words_dropped", f"turn {number} speaks and calls a tool: {shortly(message['content'])} is dropped"
        learned = train_on in ("assistant", "everything") or number > last
        if learned and message.get(THOUGHTS[0], "").strip() not in text:
            yield "reasoning_dropped", f"the reasoning of turn {number} is dropped"


def _opened_otherwise(messages: list[dict], form: Template) -> Iterator[str]:
    thinking = {bool(message.get(THOUGHTS[0])) for message in messages if message["role"] == "assistant"}
    if form.opened and False in thinking:
        yield f"answers without thoughts are {form.opened}"
    if form.opened_thinking and True in thinking:
        yield f"answers with thoughts are {form.opened_thinking}"


def prompt_ids(messages: list[dict], tools: list[dict], tokenizer: Any) -> list[int]:
    """What the model is given to answer: the history as the saved template renders it, and the start of its turn."""
    text = rendered(messages, tools, tokenizer, original(tokenizer, bool(tools)), add_generation_prompt=True)
    return tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]


def original(tokenizer: Any, tools: bool = False) -> str:
    """The template's text; a tokenizer with several has one for tools."""
    try:
        return tokenizer.get_chat_template(tools=[TOOL] if tools else None)
    except ValueError as error:
        raise UserError(
            "This model has no chat template.",
            "It does not say how a conversation becomes text.",
            "Choose an instruction-tuned model, or a dataset of plain text.",
        ) from error


def rendered(
    messages: list[dict], tools: list[dict], tokenizer: Any, template: str, add_generation_prompt: bool = False
) -> str:
    """Messages as text by this template. Raises RowError when it cannot carry them."""
    return _render(messages, tools, tokenizer, template, add_generation_prompt, marks=False)[0]


def rendered_with_marks(
    messages: list[dict], tools: list[dict], tokenizer: Any, template: str
) -> tuple[str, list[tuple[int, int]]]:
    """Text, and the characters from..to of each {% generation %} block: what the assistant says."""
    return _render(messages, tools, tokenizer, template, False, marks=True)


def _render(
    messages: list[dict], tools: list[dict], tokenizer: Any, template: str, add_generation_prompt: bool, marks: bool
) -> tuple[str, list[tuple[int, int]]]:
    form = examine(template)
    _refuse_what_is_lost(messages, form)
    if form.careless:
        _refuse_what_is_garbled(messages, tools, template)
    turns = [_in_form(message, form) for message in messages]
    special = {**tokenizer.special_tokens_map, "add_generation_prompt": add_generation_prompt}
    try:
        return jinja.run(template, turns, tools or None, marks, special)
    except Exception as error:  # a template is a program of somebody else's and may raise anything
        raise RowError(
            "cannot be rendered by this model's chat template.",
            f"The template says: {error}." if str(error) else f"It ends in {type(error).__name__}.",
            "Change or remove the row, or choose another model.",
            check="not_rendered",
        ) from error


def _refuse_what_is_lost(messages: list[dict], form: Template) -> None:
    most = max((len(message.get("tool_calls", ())) for message in messages), default=0)
    lost = (
        "a tool call" if most and form.arguments is None
        else "several tool calls in one turn" if most > 1 and not form.several
        else "a tool result" if not form.results and any(message["role"] == "tool" for message in messages)
        else None
    )  # fmt: skip
    if lost:
        raise RowError(
            f"has {lost}, which this model's chat template cannot carry.",
            f"Found by rendering one ({form.note}).",
            "Have tools written into the system message (tools_in), or choose another chat template.",
            check="not_rendered",
        )


def _refuse_what_is_garbled(messages: list[dict], tools: list[dict], template: str) -> None:
    for message in messages:
        calls = [call["function"] for call in message.get("tool_calls", ())]
        if calls and not reads_back(template, message, calls, tools):
            raise RowError(
                "has a tool call that this model's chat template would garble.",
                "Quotes or backslashes in its arguments are written as they stand, and cannot be read back.",
                "Change these arguments, leave such rows out, or choose another model.",
                check="not_rendered",
            )


def _in_form(message: dict, form: Template) -> dict:
    """A copy as the template wants it: arguments as text, thoughts under its own key."""
    if form.arguments == "string" and "tool_calls" in message:
        calls = [{**call, "function": _with_text_arguments(call["function"])} for call in message["tool_calls"]]
        message = {**message, "tool_calls": calls}
    if form.thoughts not in (None, THOUGHTS[0]) and THOUGHTS[0] in message:
        message = {**message, form.thoughts: message[THOUGHTS[0]]}
        del message[THOUGHTS[0]]
    return message


def _with_text_arguments(function: dict) -> dict:
    return {**function, "arguments": json.dumps(function["arguments"], ensure_ascii=False)}
