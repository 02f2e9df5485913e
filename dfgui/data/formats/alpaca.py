"""Alpaca rows: {"instruction": "Translate.", "input": "Hallo", "output": "Hello"}, perhaps with `system` and `history`.

Instruction and input become one user turn, the output the assistant's.
"""

from dfgui.data.conversation import Conversation, RowError, from_json, shortly, to_text, to_tools

ORDER = 30
LABEL = "Alpaca"
NEEDS = "`instruction` and `output`, and perhaps `input`"


def matches(row: dict) -> bool:
    return "instruction" in row and "output" in row


def to_conversation(row: dict) -> Conversation:
    if row["output"] is None:
        raise RowError("has no output.", "There is nothing in it for the model to learn.", "Remove the row.")
    question = "\n".join(part for part in (to_text(row["instruction"]), to_text(row.get("input"))) if part)
    if not question:
        raise RowError("has neither instruction nor input.", "Nothing is asked in it.", "Remove the row.")
    turns = [("system", to_text(row.get("system")))] if row.get("system") else []
    for asked, answered in _history(row):
        turns += [("user", to_text(asked)), ("assistant", to_text(answered))]
    turns += [("user", question), ("assistant", to_text(row["output"]))]
    messages = [{"role": role, "content": content} for role, content in turns]
    return Conversation(messages=messages, tools=to_tools(row.get("tools")))


def _history(row: dict) -> list:
    pairs = from_json(row.get("history")) or []
    if not isinstance(pairs, list) or not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs):
        raise RowError(
            "has a history that cannot be read.", f"It is {shortly(pairs)}.", 'It is written [["question", "answer"]].'
        )
    return pairs
