"""One row at every stage, and what is shown is what trains."""

import json

import pytest

from dfgui.config import Data
from dfgui.data.formats import FORMATS
from dfgui.data.prepare import prepare
from dfgui.data.preview import preview
from dfgui.data.rows import Options
from dfgui.data.sources import Row, open_source
from dfgui.data.tokens import IGNORED
from dfgui.errors import UserError
from tests.data.rows import ROWS, SHARED, deepfabric, jsonl, sharegpt, user


def test_all_stages_of_a_row(qwen3):
    row = Row(7, sharegpt("Oslo"))
    shown = preview(row, Options("sharegpt", 4096), qwen3)
    assert shown["raw"] == row.raw
    assert [message["role"] for message in shown["conversation"]["messages"]] == [
        "user",
        "assistant",
        "tool",
        "assistant",
    ]
    assert shown["conversation"]["tools"][0]["function"]["name"] == "get_weather"
    assert shown["tool_arguments"] == "object"
    assert "".join(token["text"] for token in shown["tokens"]) == shown["text"]
    assert shown["token_count"] == len(shown["tokens"])
    assert shown["trained_count"] == sum(token["trained"] for token in shown["tokens"])
    assert {token["role"] for token in shown["tokens"] if token["trained"]} == {"assistant"}
    assert json.loads(json.dumps(shown)) == shown


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("train_on", ["assistant", "last_assistant", "completion", "everything"])
def test_what_is_shown_is_what_trains(qwen3, written, home, format, train_on):
    rows = [ROWS[format], ROWS[format]]
    data = Data(source=str(written("rows.jsonl", jsonl(rows))), train_on=train_on, eval_fraction=0)
    trained = prepare(data, qwen3, 4096, 42, home).train[0]
    shown = preview(Row(1, ROWS[format]), Options(format, 4096, train_on), qwen3)["tokens"]
    assert [token["id"] for token in shown] == trained["input_ids"]
    assert [token["trained"] for token in shown] == [label != IGNORED for label in trained["labels"]]


def test_tokens_beyond_max_length_are_shown_but_not_trained(qwen3):
    row = Row(1, deepfabric("Oslo"))
    whole = preview(row, Options("messages", None), qwen3)
    cut = preview(row, Options("messages", whole["token_count"] - 3), qwen3)
    assert (whole["cut"], cut["cut"]) == (0, 3)
    assert cut["text"] == whole["text"]
    assert [token["trained"] for token in cut["tokens"][-3:]] == [False] * 3
    assert cut["trained_count"] == whole["trained_count"] - 3


def test_only_used_tools_are_previewed_when_only_they_train(qwen3):
    other = {"name": "get_news", "parameters": {}}
    row = Row(1, deepfabric("Oslo") | {"tools": [other, *deepfabric("Oslo")["tools"]]})
    assert "get_news" in preview(row, Options("messages", None), qwen3)["text"]
    assert "get_news" not in preview(row, Options("messages", None, tools="used"), qwen3)["text"]


def test_a_row_that_cannot_train_is_refused_by_its_number(qwen3):
    with pytest.raises(UserError) as caught:
        preview(Row(212, {"messages": [user("Hi")]}), Options("messages", 100), qwen3)
    assert caught.value.what == "Row 212 has no assistant turn."


def test_values_that_are_no_json_are_shown_as_text(qwen3):
    from datetime import date

    row = Row(1, ROWS["text"] | {"day": date(2026, 1, 2), "bytes": b"x"})
    assert preview(row, Options("text", 100), qwen3)["raw"] == ROWS["text"] | {"day": "2026-01-02", "bytes": "b'x'"}


def test_real_tool_calling_rows_are_shown_whole(tokenizer_of, home):
    path = SHARED / "glaive_toolcall_en_demo.json"
    if not path.exists():
        pytest.skip("the rows are not beside this checkout")
    for row in open_source(str(path), home).head(20):
        shown = preview(row, Options("sharegpt", 100_000), tokenizer_of("qwen2_5"))
        assert "".join(token["text"] for token in shown["tokens"]) == shown["text"]
        for message in shown["conversation"]["messages"]:
            for call in message.get("tool_calls", []):
                assert json.dumps(call["function"]["arguments"], ensure_ascii=False) in shown["text"]
