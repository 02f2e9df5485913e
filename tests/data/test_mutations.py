"""Rows broken in every way that chance finds: one clear finding each, never a traceback, and nothing trained unseen."""

import copy
import json
from random import Random
from typing import Any

import pytest

from dfgui.data.checks import CHECKS
from dfgui.data.formats import FORMATS
from dfgui.data.preview import preview
from dfgui.data.rows import Options, examine
from dfgui.data.sources import Row
from dfgui.data.tokens import IGNORED
from tests.data.broken import FINE
from tests.data.rows import deepfabric, sharegpt

EACH = 2_500  # rows a format, over two templates
JUNK: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        3.5,
        10**30,
        "",
        " ",
        "\n",
        "text",
        "{",
        "[]",
        "{}",
        "null",
        '"',
        "\x00",
        "\ud83d",
        "<|im_end|>",
    ),
    *(
        [],
        {},
        [None],
        [[]],
        [{}],
        {"a": None},
        {"role": "user"},
        {"type": "image"},
        [{"type": "text", "text": "x"}],
        "x" * 3000,
    ),
]
KEYS = [
    "role",
    "content",
    "from",
    "value",
    "tool_calls",
    "function",
    "name",
    "arguments",
    "tools",
    "messages",
    "text",
    "x",
]
ROWS = {**FINE, "messages": deepfabric("Oslo"), "sharegpt": sharegpt("Oslo")}


def mutated(rng: Random, row: dict) -> dict:
    """A copy with one to four things changed somewhere inside; always an object, as every row of a file is."""
    row = copy.deepcopy(row)
    for _ in range(rng.randint(1, 4)):
        holder, key = rng.choice(list(places(row)))
        kind = rng.random()
        if kind < 0.45:
            holder[key] = copy.deepcopy(rng.choice(JUNK))
        elif kind < 0.65:
            del holder[key]
        elif kind < 0.8 and isinstance(holder, list):
            holder.insert(rng.randint(0, len(holder)), copy.deepcopy(holder[key]))
        elif kind < 0.9 and isinstance(holder, dict):
            holder[rng.choice(KEYS)] = holder.pop(key)
        else:
            holder[key] = json.dumps(holder[key])
        if not list(places(row)):
            break
    return row


def places(value: Any) -> Any:
    """(holder, key) of everything inside a value."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from places(value[key])


@pytest.mark.parametrize("name", ["qwen3", "llama3_1"])
@pytest.mark.parametrize("format", FORMATS)
def test_whatever_a_row_holds_it_is_a_finding_or_trains_as_shown(tokenizer_of, format, name):
    rng = Random(f"{format} {name}")
    tokenizer, trained = tokenizer_of(name), 0
    for number in range(1, EACH // 2 + 1):
        row = Row(number, mutated(rng, ROWS[format]))
        how = Options(format, 2048, rng.choice(("assistant", "last_assistant", "completion", "everything")))
        seen = examine(row, how, tokenizer)
        assert all(problem.check in CHECKS and problem.detail for problem in seen.problems)
        if seen.tokens is None:
            assert seen.trouble and any(CHECKS[problem.check].severity == "error" for problem in seen.problems)
            continue
        trained += 1
        if number % 5:
            continue
        shown = preview(row, how, tokenizer)["tokens"][:2048]
        assert [token["id"] for token in shown] == seen.tokens.input_ids
        assert [token["trained"] for token in shown] == [label != IGNORED for label in seen.tokens.labels]
    assert trained > EACH / 20  # the rest is broken beyond use, and said to be
