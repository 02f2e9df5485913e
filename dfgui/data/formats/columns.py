"""Rows whose columns have names of their own: somebody says which is the prompt, which the answer.

    to_conversation({"frage": "Hallo?", "antwort": "Hello."}, {"prompt": "frage", "answer": "antwort"})
    guess(["question", "reply", "id"])  -> {"prompt": "question", "answer": "reply"}

Prompt and context become one user turn, as in Alpaca.
"""

from dfgui.data.conversation import Conversation, RowError
from dfgui.data.formats import alpaca

LABEL = "columns of my own"
PLACES = {"prompt": "instruction", "answer": "output", "context": "input", "system": "system", "tools": "tools"}
USUAL = {
    "prompt": ("prompt", "question", "instruction", "query", "input", "user", "human", "text", "source"),
    "answer": ("answer", "response", "output", "completion", "reply", "assistant", "target", "label", "chosen"),
    "context": ("context", "document", "passage", "background"),
    "system": ("system", "system_prompt", "system_message"),
    "tools": ("tools", "functions", "available_tools"),
}


def to_conversation(row: dict, columns: dict[str, str]) -> Conversation:
    """The row as a conversation. Raises RowError when a column that is named is not there, or holds nothing."""
    return alpaca.to_conversation({PLACES[place]: value for place, value in renamed(row, columns).items()})


def renamed(row: dict, columns: dict[str, str]) -> dict:
    """What stands in the columns, by what it is. Raises RowError when a column that is named is not there."""
    missing = next((column for column in columns.values() if column not in row), None)
    if missing is not None:
        raise RowError(
            f"has no column `{missing}`.",
            f"It has {', '.join(f'`{column}`' for column in row) or 'none'}.",
            "Choose another column, or leave the row out.",
        )
    return {place: row[column] for place, column in columns.items()}


def guess(columns: list[str]) -> dict[str, str]:
    """Which column is what, by usual names; places for which there is none are left out."""
    free = {column.lower().replace(" ", "_"): column for column in columns}
    found = {}
    for place, names in USUAL.items():
        if name := next((name for name in names if name in free), None):
            found[place] = free.pop(name)
    return found
