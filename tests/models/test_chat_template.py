"""Which chat template a tokenizer gets: its own, one of TRL's with its marks as tokens, or one with tools in words."""

from pathlib import Path
from typing import get_args

import pytest
import trl

from dfgui.config import Model
from dfgui.config.model import CHAT_TEMPLATES
from dfgui.data import probe, replies, template, tools_in_words
from dfgui.data.conversation import Conversation
from dfgui.data.tokens import tokenize
from dfgui.models import chat_template
from tests.tiny import WEATHER, tiny_tokenizer, trl_template

SHIPPED = {file.stem for file in (Path(trl.__file__).parent / "chat_templates").glob("*.jinja")}
IN_PARTS = {"idefics3", "llava_next"}  # take content in parts only
NAMES = get_args(CHAT_TEMPLATES)[1:]
CALLS = [{"name": "get_weather", "arguments": {"city": 'Os"lo', "days": 2}}, {"name": "get_time", "arguments": {}}]
TALK = [
    {"role": "user", "content": "Weather in Oslo?"},
    {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": call} for call in CALLS]},
    {"role": "tool", "name": "get_weather", "content": '{"degrees": 4}'},
    {"role": "tool", "name": "get_time", "content": "12:00"},
    {"role": "assistant", "content": "It is 4 degrees."},
]


def given(own: str | None, **asked: str):
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = own and trl_template(own)
    chat_template.give(tokenizer, Model(**asked))
    return tokenizer


def test_every_template_of_trl_for_text_can_be_chosen():
    training = {name for name in SHIPPED if name.endswith("_training")}
    assert set(NAMES) == SHIPPED - training - IN_PARTS


def test_a_template_of_its_own_stays():
    tokenizer = given("qwen3")
    assert tokenizer.chat_template == trl_template("qwen3")
    assert len(tokenizer) == len(tiny_tokenizer())


def test_a_model_without_a_template_gets_the_one_whose_marks_it_knows():
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = None
    assert chat_template.chosen(tokenizer, Model()) == "qwen3_instruct_2507"
    tokenizer.add_tokens(["<start_of_turn>", "<end_of_turn>"])
    assert chat_template.chosen(tokenizer, Model()) == "qwen3_instruct_2507"


def test_plain_text_needs_no_template():
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = None
    chat_template.give(tokenizer, Model(), spoken=False)
    assert tokenizer.chat_template is None


@pytest.mark.parametrize("name", NAMES)
def test_the_marks_of_another_template_become_tokens(name):
    tokenizer = given("qwen3", chat_template=name)
    assert tokenizer.chat_template == trl_template(name)
    for text in probe.samples(tokenizer.chat_template):
        for mark in chat_template.MARK.findall(text):
            assert len(tokenizer(mark, add_special_tokens=False)["input_ids"]) == 1


def test_generation_ends_with_the_mark_that_ends_a_turn():
    assert given("qwen3", chat_template="gemma3").eos_token == "<end_of_turn>"
    assert given("qwen3", chat_template="cohere2").eos_token == "<|END_OF_TURN_TOKEN|>"


@pytest.mark.parametrize("name", NAMES)
def test_tools_in_words_reach_every_template_and_calls_are_read_back(name):
    tokenizer = given("qwen3", chat_template=name, tools_in="system")
    form = template.describe(tokenizer)
    assert form.tools and form.several and form.offered
    asked = template.rendered(TALK[:1], [WEATHER], tokenizer, tokenizer.chat_template, add_generation_prompt=True)
    text = template.rendered(TALK, [WEATHER], tokenizer, tokenizer.chat_template)
    assert "Weather in a city." in asked and "Weather in Oslo?" in asked
    assert replies.marked(text.partition("Weather in Oslo?")[2], [WEATHER]).calls == CALLS
    assert '{"degrees": 4}' in text and "12:00" in text and "It is 4 degrees." in text


@pytest.mark.parametrize("name", NAMES)
def test_tools_in_words_change_nothing_where_there_are_none(name):
    talk = [TALK[0], TALK[-1]]
    tokenizer = given("qwen3", chat_template=name, tools_in="system")
    plain = template.rendered(talk, [], tokenizer, trl_template(name))
    assert template.rendered(talk, [], tokenizer, tokenizer.chat_template) == plain


def test_tools_stand_with_the_user_where_a_template_takes_no_system_message():
    tokenizer = given("qwen3", chat_template="gemma", tools_in="system")
    text = template.rendered(TALK, [WEATHER], tokenizer, tokenizer.chat_template)
    assert text.startswith("<|endoftext|><start_of_turn>user\n# Tools")


def test_what_the_assistant_says_is_marked_in_a_template_with_tools_in_words():
    own = probe.with_tools_in_words(trl_template("gemma3"))
    marked = probe.examine(own).training
    tokenizer = tiny_tokenizer()
    text, blocks = template.rendered_with_marks(TALK, [WEATHER], tokenizer, marked)
    assert text == template.rendered(TALK, [WEATHER], tokenizer, own)
    said = [text[start:end] for start, end in blocks]
    assert said[0].startswith("<tool_call>") and said[1].startswith("It is 4 degrees.")


def test_of_several_templates_those_for_conversations_are_changed():
    tokenizer = tiny_tokenizer()
    rag = "{% for d in documents %}{{ d }}{% endfor %}"
    tokenizer.chat_template = {"default": trl_template("qwen3"), "tool_use": trl_template("gemma3"), "rag": rag}
    chat_template.give(tokenizer, Model(tools_in="system"))
    assert tokenizer.chat_template["rag"] == rag
    assert tools_in_words.unwrap(tokenizer.chat_template["tool_use"])[1] == trl_template("gemma3")


@pytest.mark.parametrize("name", ["gptoss", "lfm2_2_5", "nemotron_3_nano", "qwen3"])
def test_thoughts_beside_a_call_in_words_are_kept_or_missed(name):
    tokenizer = given("qwen3", chat_template=name, tools_in="system")
    talk = [TALK[0], {**TALK[1], "reasoning_content": "Let me think."}, *TALK[2:]]
    conversation = Conversation(talk, [WEATHER])
    text = tokenize(conversation, tokenizer, None, "everything").text
    told = dict(template.remarks(conversation, tokenizer, "everything", text))
    assert ("Let me think." in text) != ("reasoning_dropped" in told)
    alone = template.rendered(talk[:2], [WEATHER], tokenizer, tokenizer.chat_template)
    assert "Let me think." in alone


def test_a_template_that_begins_with_blanks_keeps_them():
    own = "\n\n{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    wrapped = probe.with_tools_in_words(own)
    assert tools_in_words.unwrap(wrapped)[1] == own
    tokenizer = tiny_tokenizer()
    assert template.rendered(TALK[:1], [], tokenizer, wrapped) == template.rendered(TALK[:1], [], tokenizer, own)


def test_the_trained_form_can_be_saved():
    assert template.describe(given("qwen3")).rewritten
    tokenizer = given("qwen3", saved_template="training")
    assert tokenizer.chat_template == trl_template("qwen3_training")
    assert not template.describe(tokenizer).rewritten


def test_a_template_is_known_by_name():
    assert chat_template.name_of(trl_template("qwen3")) == "qwen3"
    assert chat_template.name_of(probe.with_tools_in_words(trl_template("gemma"))) == ("gemma with tools in words")
    assert chat_template.name_of("{{ messages }}") is None
