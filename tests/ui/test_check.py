"""The report of a check is said in whole sentences."""

from types import SimpleNamespace

import pytest

from dfgui.ui.components import check


@pytest.mark.parametrize(
    ("sequences", "rows", "complete", "words"),
    [
        (1, 19, True, "1 sequence instead of 19 rows"),
        (1, 1, True, "1 sequence instead of 1 row"),
        (12, 1900, True, "12 sequences instead of 1,900 rows"),
        (0, 19, False, "… sequences instead of 19 rows"),
    ],
)
def test_how_many_sequences_the_rows_fill(sequences, rows, complete, words):
    lengths = {"median": 9, "p95": 9, "max": 9, "cut_share": 0, "recommended_max_length": 64}
    report = SimpleNamespace(
        lengths={**lengths, "packed_sequences": sequences},
        trainable_rows=rows,
        trained_token_share=0.5,
        complete=complete,
    )
    assert dict(check._facts(report))["Packed"] == words
