"""One row at every stage, from the file to the tokens that train: for the page and the command line.

preview(row, Options("sharegpt", max_length=1024), tokenizer)
    -> {"raw": {...}, "conversation": {"messages": [...], "tools": [...]}, "text": "<|im_start|>user\\n...",
        "tokens": [{"id": 3, "text": "<|im_start|>", "role": "user", "trained": False}, ...],
        "tool_arguments": "object", "token_count": 212, "trained_count": 41, "cut": 0,
        "problems": [{"check": "unknown_tool", "detail": "turn 2 calls get_wether, which is not among its tools"}]}
"""

import json
from dataclasses import asdict
from typing import Any

from dfgui.data import template
from dfgui.data.conversation import RowError
from dfgui.data.rows import Options, examine
from dfgui.data.sources import Row
from dfgui.data.tokens import IGNORED, tokenize


def preview(row: Row, how: Options, tokenizer: Any) -> dict:
    """All stages of a row; every value is JSON. Raises UserError naming the row when it cannot be used.

    `text` is what was tokenised and the texts of `tokens` join to it. The last `cut` tokens lie beyond max_length: they
    are shown, and not trained; the trainer gets those before them. `token_count` counts all, `trained_count` what is
    learned. `problems` are what a check of all rows would say of this one.
    """
    try:
        return _stages(row, how, tokenizer)
    except RowError as error:
        raise error.at(row.number) from error


def _stages(row: Row, how: Options, tokenizer: Any) -> dict:
    shown = how.shaped(how.conversation(row))
    tokens = tokenize(shown, tokenizer, None, how.train_on)
    kept = len(tokens.input_ids) if how.max_length is None else how.max_length
    columns = zip(tokens.input_ids, tokens.spans, tokens.roles, tokens.labels, strict=True)
    listed = [
        {"id": token, "text": tokens.text[start:end], "role": role, "trained": label != IGNORED and position < kept}
        for position, (token, (start, end), role, label) in enumerate(columns)
    ]
    return {
        "raw": json.loads(json.dumps(row.raw, default=str)),
        "conversation": {"messages": shown.messages, "tools": shown.tools},
        "text": tokens.text,
        "tokens": listed,
        "tool_arguments": None if shown.segments else template.describe(tokenizer).arguments,
        "token_count": len(listed),
        "trained_count": sum(token["trained"] for token in listed),
        "cut": max(0, len(listed) - kept),
        "problems": [asdict(problem) for problem in examine(row, how, tokenizer).problems],
    }
