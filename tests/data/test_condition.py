"""Which rows are wanted."""

import pytest

from dfgui.config import Data
from dfgui.data.condition import matches
from dfgui.data.prepare import prepare
from tests.data.rows import deepfabric, jsonl

ROW = {"language": "en", "metadata": {"topic": "city trips", "stars": 4, "tags": ["a"]}, "empty": None, "a=b": "c"}


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ("language = en", True),
        ("language=en", True),
        ("language = de", False),
        ("language != de", True),
        ("language != en", False),
        ("metadata.topic ~ trip", True),
        ("metadata.topic ~ ship", False),
        ("metadata.stars = 4", True),
        ('metadata.tags = ["a"]', True),
        ("metadata.tags ~ a", True),
        ("language.more = en", False),
        ("nowhere = en", False),
        ("nowhere != en", True),
        ("empty = ", False),
        ("nothing that makes sense", False),
    ],
)
def test_a_condition_is_about_a_column(condition, fits):
    assert matches(ROW, condition) is fits


@pytest.mark.parametrize("condition", ["language", "= en", "!"])
def test_what_is_no_condition_is_refused(condition):
    with pytest.raises(ValueError, match="Write a column"):
        Data(where=condition)


def test_rows_that_do_not_fit_are_not_trained_on_and_keep_their_numbers(written, home, qwen3):
    rows = [deepfabric(f"City {n}") | {"language": "en" if n % 2 else "de"} for n in range(20)]
    path = written("rows.jsonl", jsonl(rows))
    data = Data(source=str(path), where="language = en", limit=6, eval_fraction=0.5)
    prepared = prepare(data, qwen3, 4096, 42, home)
    assert (prepared.rows, len(prepared.train), len(prepared.eval)) == (6, 3, 3)
    assert all(number % 2 == 0 and number <= 12 for number, _ in prepared.held_out)
