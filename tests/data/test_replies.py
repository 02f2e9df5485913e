import random
import re
from pathlib import Path

import pytest
import trl

from dfgui.data import template
from dfgui.data.conversation import Conversation
from dfgui.data.replies import parse
from tests.data.sides import render
from tests.tiny import WEATHER, tiny_tokenizer

CALL = {"name": "get_weather", "arguments": {"city": "Oslo", "days": 3}}
JSON = '{"name": "get_weather", "arguments": {"city": "Oslo", "days": 3}}'
TEMPLATES = sorted(file.stem for file in (Path(trl.__file__).parent / "chat_templates").glob("*.jinja"))
OTHERS = ("llava_next", "idefics3")  # take no plain text
TURN_ENDS = [
    "<|im_end|>\n",
    "<|call|>",
    "<|eot_id|>",
    "<|eot|>",
    "<|observation|>",
    "<｜end▁of▁sentence｜>",
    "<|tool_response>",
]


@pytest.fixture(scope="module")
def qwen():
    return tiny_tokenizer()


def written(name: str, content: str = "") -> tuple[str, object]:
    """What a model trained on this template would write for a call, and the tokenizer that has the template."""
    tokenizer = tiny_tokenizer(name)
    call = {"role": "assistant", "content": content, "tool_calls": [{"type": "function", "function": CALL}]}
    question = [{"role": "user", "content": "Weather in Oslo?"}]
    prompt = render(Conversation(question, [WEATHER]), tokenizer, add_generation_prompt=True)
    whole = render(Conversation([*question, call], [WEATHER]), tokenizer)
    parted = next((place for place in range(len(prompt)) if prompt[place] != whole[place]), len(prompt))
    answer = whole[len(whole[:parted].rstrip("<")) :]
    for end in TURN_ENDS:
        answer = answer.removesuffix(end)
    return answer, tokenizer


@pytest.mark.parametrize("name", [name for name in TEMPLATES if not name.startswith(OTHERS)])
def test_the_call_that_a_template_writes_is_read_back(name):
    if template.describe(tiny_tokenizer(name)).arguments is None:
        return  # this template carries no calls
    answer, tokenizer = written(name)
    reply = parse(answer, tokenizer, [WEATHER])
    assert (reply.calls, reply.broken, reply.content) == ([CALL], None, "")


def test_words_around_calls_are_kept(qwen):
    reply = parse(f"Let me look.\n<tool_call>\n{JSON}\n</tool_call>\nOne moment.", qwen)
    assert reply.content == "Let me look.\n\nOne moment."
    assert reply.calls == [CALL]


def test_several_calls_are_read_in_order(qwen):
    other = '<tool_call>\n{"name": "ping", "arguments": {}}\n</tool_call>'
    assert [call["name"] for call in parse(f"<tool_call>\n{JSON}\n</tool_call>\n{other}", qwen).calls] == [
        "get_weather",
        "ping",
    ]


def test_reasoning_is_set_aside_even_when_it_muses_about_a_call(qwen):
    reply = parse(f"<think>\nI could write <tool_call>.\n</think>\n\n<tool_call>\n{JSON}\n</tool_call>", qwen)
    assert (reply.reasoning, reply.content, reply.calls) == ("I could write <tool_call>.", "", [CALL])


def test_reasoning_that_never_ends_is_no_answer(qwen):
    reply = parse("<think>\nWell, let me see", qwen)
    assert (reply.reasoning, reply.content) == ("Well, let me see", "")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('<tool_call>\n{"name": "get_weather", "argu', "<tool_call> is never closed"),
        ('<tool_call>\n{"name": "get_weather", "arguments": {"city": Oslo}}\n</tool_call>', "not JSON"),
        ('<tool_call>\n{"arguments": {"city": "Oslo"}}\n</tool_call>', "has no name"),
        ('<tool_call>\n{"name": "get_weather", "arguments": "{}"}\n</tool_call>', "get_weather are not an object"),
        ("<tool_call>\n[]\n</tool_call>", "has no name"),
        ("<tool_call>\n<function=>\n</function>\n</tool_call>", "has no name"),
        ("<tool_call></tool_call>", "not JSON"),
    ],
)
def test_a_broken_call_is_reported_and_not_taken_for_words(qwen, text, why):
    reply = parse(text, qwen)
    assert why in reply.broken
    assert reply.calls == []


def test_a_good_call_beside_a_broken_one_is_kept(qwen):
    reply = parse(f"<tool_call>\n{JSON}\n</tool_call>\n<tool_call>\n{{", qwen)
    assert reply.calls == [CALL]
    assert reply.broken == "<tool_call> is never closed"


def test_a_call_without_arguments_has_none(qwen):
    assert parse('<tool_call>\n{"name": "ping"}\n</tool_call>', qwen).calls == [{"name": "ping", "arguments": {}}]


def test_plain_json_is_an_answer_where_the_template_marks_its_calls(qwen):
    assert parse(JSON, qwen).calls == []
    assert parse(JSON, qwen).content == JSON


def test_plain_json_is_a_call_where_the_template_writes_nothing_else():
    llama = tiny_tokenizer("llama3_2")
    assert parse(JSON.replace("arguments", "parameters"), llama).calls == [CALL]
    assert parse('{"name": "Bob", "age": 30}', llama).calls == []
    assert "not JSON" in parse('{"name": "get_weather", "parameters": {"city": ', llama).broken


def test_bare_text_gets_the_type_its_schema_says():
    tokenizer = tiny_tokenizer("qwen3_5_nothink")
    text = (
        "<tool_call>\n<function=get_weather>\n<parameter=city>\n4711\n</parameter>\n<parameter=days>\n3\n</parameter>"
    )
    reply = parse(f"{text}\n</function>\n</tool_call>", tokenizer, [WEATHER])
    assert reply.calls == [{"name": "get_weather", "arguments": {"city": "4711", "days": 3}}]


def test_mistrals_two_forms_are_read(qwen):
    assert parse(f"[TOOL_CALLS] [{JSON}]", qwen).calls == [CALL]
    assert parse('[TOOL_CALLS]get_weather[ARGS]{"city": "Oslo", "days": 3}', qwen).calls == [CALL]


def test_gpt_oss_channels_are_taken_apart():
    tokenizer = tiny_tokenizer("gptoss")
    call = (
        '<|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city": "Oslo"}'
    )
    reply = parse(f"<|channel|>analysis<|message|>They ask for Oslo.<|end|>{call}", tokenizer)
    assert reply.reasoning == "They ask for Oslo."
    assert reply.calls == [{"name": "get_weather", "arguments": {"city": "Oslo"}}]
    assert parse("<|channel|>final<|message|>It rains.", tokenizer).content == "It rains."


def test_muse_says_to_whom_it_speaks():
    tokenizer = tiny_tokenizer("muse_glimmer")
    invoked = '<atem:invoke name="{}">\n<atem:parameter name="city">{}</atem:parameter>\n</atem:invoke>\n'
    calling = "<atem:function_calls>\n{}</atem:function_calls>"
    two = calling.format(invoked.format("get_weather", "4711") + invoked.format("ping", "4711"))
    text = f" to=self<|message|>Hm.<|eom|><|start|>assistant to=get_weather<|message|>{two}"
    reply = parse(text, tokenizer, [WEATHER])
    assert (reply.reasoning, reply.content, reply.broken) == ("Hm.", "", None)
    # Only one of the two is on offer, so that its schema says what is text.
    assert [call["arguments"]["city"] for call in reply.calls] == ["4711", 4711]
    assert parse(" to=user<|message|>It rains.", tokenizer).content == "It rains."
    assert parse(" to=ping<|message|>" + calling.format("ping()"), tokenizer).broken == "the call has no name"
    assert "is never closed" in parse(text[:-9], tokenizer).broken


def test_gemmas_quotes_keep_what_would_be_marks_elsewhere():
    text = (
        '<|tool_call>call:get-news{a b:[1,None,{c:<|"|>,d:{"e": None}<|"|>}],f:null,g:{<|"|>h:i<|"|>:true}}<tool_call|>'
    )
    expected = {"a b": [1, None, {"c": ',d:{"e": None}'}], "f": None, "g": {"h:i": True}}
    for name in ("gemma4", "diffusion_gemma"):
        assert parse(text, tiny_tokenizer(name)).calls == [{"name": "get-news", "arguments": expected}]
        assert "not JSON" in parse("<|tool_call>call:ping{to:Oslo}<tool_call|>", tiny_tokenizer(name)).broken


def test_a_reply_of_nothing_is_nothing(qwen):
    assert parse("", qwen).content == ""


@pytest.mark.parametrize(
    ("name", "whole", "half"),
    [
        ("gemma4", 'Hm. <|tool_call>call:ping{to:<|"|>Oslo<|"|>}<tool_call|>', '<|tool_call>call:ping{to:<|"|>Os'),
        ("lfm2_2_5", "Hm. <|tool_call_start|>[ping(to='Oslo')]<|tool_call_end|>", "<|tool_call_start|>[ping(to='Os"),
    ],
)
def test_words_before_a_call_are_kept_and_half_a_call_is_broken(name, whole, half):
    tokenizer = tiny_tokenizer(name)
    reply = parse(whole, tokenizer)
    assert (reply.content, reply.calls) == ("Hm.", [{"name": "ping", "arguments": {"to": "Oslo"}}])
    assert "is never closed" in parse(half, tokenizer).broken
    assert parse(half, tokenizer).calls == []


def test_no_text_whatsoever_makes_the_reading_fail():
    pieces = re.findall(r"<[^>]*>|\W|\w+", Path(__file__).read_text(encoding="utf-8"))
    chance = random.Random(0)
    for name in ("qwen3", "llama3_2", "gemma4", "lfm2_2_5", "gptoss", "muse_glimmer", "phi3"):
        tokenizer = tiny_tokenizer(name)
        for _ in range(300):
            parse("".join(chance.choices(pieces, k=8)), tokenizer, [WEATHER])
