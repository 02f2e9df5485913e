"""Prompt and completion: {"prompt": "2 + 2 =", "completion": " 4"}, or both as lists of messages.

Text is trained as it stands, without a chat template; messages go through it. Only the completion is learned.
"""

from typing import Any

from dfgui.data.conversation import Conversation, RowError, from_json, to_messages, to_text
from dfgui.data.formats.messages import tools_of

ORDER = 40
LABEL = "prompt and completion"
NEEDS = "`prompt` and `completion`"


def matches(row: dict) -> bool:
    return "prompt" in row and "completion" in row


def to_conversation(row: dict) -> Conversation:
    prompt, completion = _chat(row["prompt"]), _chat(row["completion"])
    if not completion:
        raise RowError("has no completion.", "There is nothing in it for the model to learn.", "Remove the row.")
    if not isinstance(prompt, list) and not isinstance(completion, list):
        return Conversation(messages=[], tools=[], segments=[(to_text(prompt), False), (to_text(completion), True)])
    asked = to_messages(prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}], "prompt")
    answer = completion if isinstance(completion, list) else [{"role": "assistant", "content": completion}]
    return Conversation(asked + to_messages(answer, "completion"), tools_of(row), train_from=len(asked))


def _chat(value: Any) -> Any:
    """A list of messages where the value is one, also as JSON text; otherwise the value itself."""
    turns = from_json(value)
    is_chat = isinstance(turns, list) and turns and all(isinstance(turn, dict) and "role" in turn for turn in turns)
    return turns if is_chat else value
