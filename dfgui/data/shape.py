"""A conversation as the run wants it: which tools it shows, where its reasoning stands, whose system message opens it.

shaped(conversation, tools="used", reasoning="think", system="Be brief.")
"""

import re
from dataclasses import replace

from dfgui.data.conversation import Conversation, called

THOUGHT = re.compile(r"\s*<think>(.*?)</think>\s*", re.DOTALL)


def shaped(conversation: Conversation, tools: str = "all", reasoning: str = "keep", system: str = "") -> Conversation:
    """The conversation changed as asked, the same object if nothing is; the values are config.Data's."""
    if conversation.segments is not None:
        return conversation
    if tools == "used":
        conversation = with_used_tools(conversation)
    if reasoning != "keep":
        messages = [_with_thought(message, reasoning) for message in conversation.messages]
        conversation = replace(conversation, messages=messages)
    return _with_system(conversation, system) if system else conversation


def with_used_tools(conversation: Conversation) -> Conversation:
    """Only the tools that are called, if any is: a shorter prompt. A conversation without calls keeps them all."""
    names = set(called(conversation))
    used = [tool for tool in conversation.tools if tool.get("function", {}).get("name") in names]
    return replace(conversation, tools=used) if used else conversation


def _with_thought(message: dict, place: str) -> dict:
    """What the assistant thinks, wherever it stands, put where it is wanted: none, think or reasoning_content."""
    if message["role"] != "assistant":
        return message
    rest = dict(message)
    thought, content = rest.pop("reasoning_content", None), rest["content"]
    if thought is None and (found := THOUGHT.match(content)):
        thought, content = found[1].strip(), content[found.end() :]
    if place == "none" or not thought:
        return {**rest, "content": content}
    if place == "think":
        return {**rest, "content": f"<think>\n{thought}\n</think>\n\n{content}"}
    return {**rest, "content": content, "reasoning_content": thought}


def _with_system(conversation: Conversation, system: str) -> Conversation:
    """This system message in place of the row's own, or before the rest where it has none."""
    messages = conversation.messages
    has_own = bool(messages) and messages[0]["role"] == "system"
    start = conversation.train_from
    return replace(
        conversation,
        messages=[{"role": "system", "content": system}, *messages[has_own:]],
        train_from=start + (not has_own) if start is not None else None,
    )
