"""Plain text: {"text": "Once upon a time"}. Trained as it stands, without a chat template; all of it is learned."""

from dfgui.data.conversation import Conversation, RowError, to_text

ORDER = 90
LABEL = "plain text"
NEEDS = "`text`"


def matches(row: dict) -> bool:
    return "text" in row


def to_conversation(row: dict) -> Conversation:
    text = to_text(row["text"])
    if not text:
        raise RowError("has no text.", "There is nothing in it for the model to learn.", "Remove the row.")
    return Conversation(messages=[], tools=[], segments=[(text, True)])
