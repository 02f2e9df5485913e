"""Rows that TRL trains wrongly without a word, or not at all: its text beside ours, both spelled out.

Everywhere else ours is TRL's, token for token: test_every_template.py. Should one of these fail after an update of TRL,
it may have been mended there, and what is done about it here can go.
"""

import json
from typing import Any

import pytest
from jinja2 import TemplateError

from dfgui.config import Data
from dfgui.data.conversation import RowError
from dfgui.data.formats import detect, to_conversation
from dfgui.data.prepare import prepare
from dfgui.data.tokens import tokenize
from tests.data.oracle import trl_rows
from tests.data.rows import WEATHER, answered, assistant, calls, user


def weather(arguments: Any) -> dict:
    turns = [user("Weather in Oslo?"), calls(arguments), answered("4"), assistant("4 C.")]
    return {"messages": turns, "tools": [WEATHER]}


OBJECT, TEXT = weather({"city": "Oslo"}), weather('{"city": "Oslo"}')


def of_trl(tokenizer: Any, *rows: dict, **options: Any) -> list[str]:
    return [tokenizer.decode(ids) for ids, _ in trl_rows(tokenizer, list(rows), **options)]


def of_ours(tokenizer: Any, *rows: dict, train_on: str = "everything") -> list[str]:
    talks = [to_conversation(row, detect([row])) for row in rows]
    return [tokenizer.decode(tokenize(talk, tokenizer, None, train_on).input_ids) for talk in talks]


TWICE = {
    "deepseekv3": (
        'get_weather\n```json\n"{\\"city\\": \\"Oslo\\"}"\n```',
        'get_weather\n```json\n{"city": "Oslo"}\n```',
    ),
    "qwen2_5": ('"arguments": "{\\"city\\": \\"Oslo\\"}"}', '"arguments": {"city": "Oslo"}}'),
    "gptoss": ('<|message|>"{\\"city\\": \\"Oslo\\"}"<|call|>', '<|message|>{"city": "Oslo"}<|call|>'),
}


@pytest.mark.parametrize("name", TWICE)
def test_arguments_that_are_json_text_are_encoded_twice_by_trl(tokenizer_of, name):
    """As OpenAI and DeepFabric write them. Ours are the same as if the row held the object."""
    tokenizer, (twice, once) = tokenizer_of(name), TWICE[name]
    (theirs,) = of_trl(tokenizer, TEXT, assistant_only_loss=True)
    assert twice in theirs
    assert once not in theirs
    ours, of_object = of_ours(tokenizer, TEXT, OBJECT, train_on="assistant")
    assert once in ours and ours == of_object
    assert of_trl(tokenizer, OBJECT, assistant_only_loss=True) == [ours]


ALSO_TWICE = {  # templates that TRL cannot mark: it trains every token of them
    "llama3_1": ('"parameters": "{\\"city\\": \\"Oslo\\"}"}', '"parameters": {"city": "Oslo"}}'),
    "gemma4": ('call:get_weather{{"city": "Oslo"}}<tool_call|>', 'call:get_weather{city:<|"|>Oslo<|"|>}<tool_call|>'),
}


@pytest.mark.parametrize("name", ALSO_TWICE)
def test_they_are_encoded_twice_where_every_token_is_learned_too(tokenizer_of, name):
    tokenizer, (twice, once) = tokenizer_of(name), ALSO_TWICE[name]
    (theirs,) = of_trl(tokenizer, TEXT)
    assert twice in theirs
    assert once not in theirs
    assert once in of_ours(tokenizer, TEXT)[0]
    assert of_trl(tokenizer, OBJECT) == of_ours(tokenizer, TEXT)


STOPPED = {
    "qwen3_8": "Can only get item pairs from a mapping",
    "nemotron_3_nano": "Can only get item pairs from a mapping",
    "glm4moe": "'str object' has no attribute 'items'",
    "lfm2_2_5": "'str object' has no attribute 'items'",
    "muse_glimmer": "arguments to be a dict",
    "diffusion_gemma": "arguments must be a JSON object",
}


@pytest.mark.parametrize("name", STOPPED)
def test_other_templates_stop_the_training_over_them(tokenizer_of, name):
    with pytest.raises((TypeError, TemplateError), match=STOPPED[name]):
        of_trl(tokenizer_of(name), TEXT)
    assert of_ours(tokenizer_of(name), TEXT) == of_trl(tokenizer_of(name), OBJECT)


def test_deepseek_marked_and_unmarked_want_them_in_two_forms(tokenizer_of):
    """Its own template wants text, TRL's version of it an object: what trains one way breaks in the other."""
    tokenizer = tokenizer_of("deepseekv3")
    with pytest.raises(TypeError, match="can only concatenate str"):
        of_trl(tokenizer, OBJECT)
    assert of_trl(tokenizer, TEXT) == of_ours(tokenizer, OBJECT) == of_ours(tokenizer, TEXT)
    assert of_trl(tokenizer, OBJECT, assistant_only_loss=True) == of_ours(tokenizer, TEXT, train_on="assistant")


def news(arguments: dict) -> dict:
    turns = [user("News?"), calls(arguments, name="get_news"), answered("none"), assistant("None.")]
    return {"messages": turns, "tools": [WEATHER]}


NULLS = {
    "qwen3": ('{"city": "Oslo", "topic": null}', '{"city": null, "topic": "rain"}'),
    "gemma4": ('{city:<|"|>Oslo<|"|>,topic:None}', '{city:None,topic:<|"|>rain<|"|>}'),
    "qwen3_8": ("<parameter=topic>\nnull\n</parameter>", "<parameter=city>\nnull\n</parameter>"),
    "nemotron_3_nano": ("<parameter=topic>\nNone\n</parameter>", "<parameter=city>\nNone\n</parameter>"),
}


@pytest.mark.parametrize("name", NULLS)
def test_arguments_of_other_rows_are_trained_as_nulls_once_arrow_has_them(tokenizer_of, name):
    """One schema for all rows: a tool is taught the arguments of another. Ours read such a row without them."""
    tokenizer, rows = tokenizer_of(name), [OBJECT, news({"topic": "rain"})]
    for theirs, null in zip(of_trl(tokenizer, *rows, as_arrow_fits_them=True), NULLS[name], strict=True):
        assert null in theirs
    ours = of_ours(tokenizer, weather({"city": "Oslo", "topic": None}), news({"city": None, "topic": "rain"}))
    assert ours == of_ours(tokenizer, *rows) == of_trl(tokenizer, *rows)
    assert not any(null in text for text in ours for null in NULLS[name])


def test_null_keys_of_a_tool_are_shown_to_the_model_by_trl(tokenizer_of):
    tokenizer = tokenizer_of("qwen3")
    fitted = {**OBJECT, "tools": [{**WEATHER, "function": {**WEATHER["function"], "strict": None}}]}
    assert '"strict": null' in of_trl(tokenizer, fitted)[0]
    assert of_ours(tokenizer, fitted) == of_ours(tokenizer, OBJECT) == of_trl(tokenizer, OBJECT)


EMPTY = {
    "llama3_1": (OBJECT, "object of type 'NoneType' has no len"),
    "gptoss": (OBJECT, "None has no element 0"),
    "lfm2_2_5": (OBJECT, "'NoneType' object is not iterable"),
    "deepseekv3": (TEXT, "'NoneType' object is not iterable"),
}


@pytest.mark.parametrize("name", EMPTY)
def test_a_null_in_place_of_calls_stops_the_training(tokenizer_of, name):
    tokenizer, (clean, reason) = tokenizer_of(name), EMPTY[name]
    row = {**clean, "messages": [{"tool_calls": None, **turn} for turn in clean["messages"]]}
    with pytest.raises((TypeError, TemplateError), match=reason):
        of_trl(tokenizer, row)
    assert of_ours(tokenizer, row) == of_ours(tokenizer, clean) == of_trl(tokenizer, clean)


def test_tools_that_the_first_row_lacks_are_lost_to_all_rows(qwen3):
    rows = [{"messages": [user("Hi"), assistant("Ho")]}, OBJECT]
    assert not any("Weather of a city" in text for text in of_trl(qwen3, *rows, as_arrow_fits_them=True))
    assert ["Weather of a city" in text for text in of_ours(qwen3, *rows)] == [False, True]


DROPPED = {  # an answer that is empty where the call was
    "llama3": "<|start_header_id|>assistant<|end_header_id|>\n\n<|eot_id|>",
    "phi3": "<|assistant|>\n<|end|>\n",
    "deepseek_r1_distill": "<｜Assistant｜><｜end▁of▁sentence｜>",
    "lfm2": "<|im_start|>assistant\n<|im_end|>\n",
}


@pytest.mark.parametrize("name", DROPPED)
def test_calls_that_a_template_drops_are_trained_as_empty_answers(tokenizer_of, name):
    (theirs,) = of_trl(tokenizer_of(name), OBJECT)
    assert DROPPED[name] in theirs
    assert '"Oslo"' not in theirs
    with pytest.raises(RowError, match="has a tool call, which this model's chat template cannot carry"):
        of_ours(tokenizer_of(name), OBJECT)


def test_the_second_call_of_a_turn_is_dropped_by_gpt_oss(tokenizer_of):
    turns = [user("Oslo, Rome?"), calls({"city": "Oslo"}, {"city": "Rome"}), answered("4"), answered("9")]
    row = {"messages": [*turns, assistant("4 and 9.")], "tools": [WEATHER]}
    (theirs,) = of_trl(tokenizer_of("gptoss"), row, assistant_only_loss=True)
    assert '{"city": "Oslo"}<|call|>' in theirs and '{"city": "Rome"}' not in theirs
    with pytest.raises(RowError, match="has several tool calls in one turn"):
        of_ours(tokenizer_of("gptoss"), row)


def test_calls_in_openais_older_style_are_dropped_with_their_tools(tokenizer_of):
    called = assistant("", function_call={"name": "get_weather", "arguments": '{"city": "Oslo"}'})
    turns = [user("Weather in Oslo?"), called, {"role": "function", "content": "4"}, assistant("4 C.")]
    row = {"messages": turns, "functions": [WEATHER["function"]]}
    (theirs,) = of_trl(tokenizer_of("qwen2_5"), row)
    empty, answer = "<|im_start|>assistant\n<|im_end|>\n", "<|im_start|>assistant\n4 C.<|im_end|>\n"
    assert theirs.endswith(f"Weather in Oslo?<|im_end|>\n{empty}{answer}")
    assert of_ours(tokenizer_of("qwen2_5"), row) == of_ours(tokenizer_of("qwen2_5"), OBJECT)


def test_speakers_of_sharegpt_are_not_known_to_trl(tokenizer_of):
    row = {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}]}
    (theirs,) = of_trl(tokenizer_of("qwen2_5"), row)
    assert theirs.startswith("<|im_start|>system\n") and "Hi" not in theirs and "Ho" not in theirs
    (theirs,) = of_trl(tokenizer_of("llama3"), row)
    assert "<|start_header_id|>gpt<|end_header_id|>\n\nHo<|eot_id|>" in theirs
    (ours,) = of_ours(tokenizer_of("llama3"), row)
    assert ours.endswith("<|start_header_id|>assistant<|end_header_id|>\n\nHo<|eot_id|>")


THOUGHT = {"gptoss": "analysis<|message|>Hmm.<|end|>", "lfm2_2_5": "<think>Hmm.</think>"}


@pytest.mark.parametrize(("name", "shown"), THOUGHT.items())
def test_reasoning_under_another_key_than_the_templates_is_dropped(tokenizer_of, name, shown):
    row = {"messages": [user("Hi"), assistant("Ho", reasoning_content="Hmm.")]}
    assert "Hmm." not in of_trl(tokenizer_of(name), row)[0]
    assert shown in of_ours(tokenizer_of(name), row)[0]


def test_a_row_whose_answer_is_cut_away_vanishes(qwen3, written, home):
    """TRL counts fewer rows and says nothing; here it is listed by number."""
    long, short = ({"messages": [user(text), assistant("Ho")]} for text in ("x " * 99, "Hi"))
    path = written("rows.jsonl", "".join(json.dumps(row) + "\n" for row in (short, long, short)))
    assert len(of_trl(qwen3, short, long, short, assistant_only_loss=True, max_length=40)) == 2
    found = prepare(Data(source=str(path), eval_fraction=0), qwen3, 40, 42, home)
    assert found.left_out == [(2, "all that would be learned lies beyond max_length")]
