"""What a chat template does with tool calls is found by rendering one; what it cannot carry is refused."""

import json
import threading

import pytest

from dfgui.data.conversation import Conversation, RowError
from dfgui.data.template import describe, original, prompt_ids, rendered_with_marks
from dfgui.data.tokens import tokenize
from dfgui.errors import UserError
from tests.data.rows import NEWS, PLAIN, TOOLS, WEATHER, answered, assistant, calls, user
from tests.data.sides import NAMES, render

OBJECT = [
    *(
        "qwen3",
        "qwen2_5",
        "llama3_1",
        "llama3_2",
        "gptoss",
        "glm4moe",
        "gemma4",
        "lfm2_2_5",
        "qwen3_5_think",
        "qwen3_6",
    ),
    *("qwen3_8", "qwen3_vl", "qwen3_instruct_2507", "nemotron_3_nano", "nemotron_3_super", "muse_glimmer"),
]
NONE = [
    *("llama3", "phi3", "phi3_5", "gemma", "gemma3", "cohere", "cohere2", "lfm2", "qwen2_5_vl", "deepseek_r1_distill"),
]
ARGUMENTS = {"city": "Os\"lo'\\", "days": [1, {"a": 2.5}], "ok": True}

# Prints arguments as they are: Python's way for an object, so it wants text.
AS_THEY_ARE = """{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content }}{% for c in m.tool_calls or [] %}<tool_call>{{ c.function.name }} {{ c.function.arguments }}</tool_call>
{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


@pytest.mark.parametrize("name", OBJECT)
def test_most_templates_want_arguments_as_an_object(tokenizer_of, name):
    template = describe(tokenizer_of(name))
    assert (template.tools, template.arguments) == (True, "object")
    assert template.note == "tools: yes, arguments as object"


def test_deepseek_wants_them_as_text_and_shows_no_list_of_tools(tokenizer_of):
    template = describe(tokenizer_of("deepseekv3"))
    assert (template.tools, template.arguments, template.offered) == (True, "string", False)
    assert template.note == "tools: yes, arguments as string; the list of tools is not shown to the model"


def test_a_template_that_prints_python_gets_text(tokenizer_of):
    assert describe(tokenizer_of(AS_THEY_ARE)).arguments == "string"
    text = render(Conversation([user("Hi"), calls(ARGUMENTS)], []), tokenizer_of(AS_THEY_ARE))
    assert f"get_weather {json.dumps(ARGUMENTS)}</tool_call>" in text


def test_a_template_that_prints_a_whole_call_as_python_gets_no_text_within_it(tokenizer_of):
    whole = tokenizer_of(AS_THEY_ARE.replace("{{ c.function.name }} {{ c.function.arguments }}", "{{ c.function }}"))
    assert describe(whole).arguments == "object"
    bare = tokenizer_of(whole.chat_template.replace("<tool_call>", "CALL ").replace("</tool_call>", ""))
    text = render(Conversation([user("Hi"), calls(ARGUMENTS)], []), bare)
    assert f"CALL {{'name': 'get_weather', 'arguments': {ARGUMENTS}}}" in text


@pytest.mark.parametrize("name", NONE)
def test_templates_that_lose_tool_calls_say_so_and_refuse_the_row(tokenizer_of, name):
    template = describe(tokenizer_of(name))
    assert (template.tools, template.arguments) == (False, None)
    assert template.note.startswith("tools: no, calls are ")
    with pytest.raises(RowError, match="has a tool call, which this model's chat template cannot carry"):
        render(Conversation(TOOLS, [WEATHER]), tokenizer_of(name))
    assert "Fine." in render(Conversation(PLAIN, []), tokenizer_of(name))


@pytest.mark.parametrize("name", ["qwen3", "qwen2_5", "llama3_1", "gptoss", "deepseekv3"])
def test_s3_arguments_in_the_text_are_those_of_the_row(tokenizer_of, name):
    """Read back from the text where the template writes JSON: not encoded twice, no Python, nothing lost."""
    text = render(Conversation([user("Hi"), calls(ARGUMENTS), answered("4"), assistant("4")], []), tokenizer_of(name))
    start = text.index('{"city"')
    assert json.JSONDecoder().raw_decode(text, start)[0] == ARGUMENTS


@pytest.mark.parametrize("name", ["llama3_1", "gptoss"])
def test_two_calls_in_a_turn_are_refused_where_the_template_takes_one(tokenizer_of, name):
    with pytest.raises(RowError, match="has several tool calls in one turn"):
        render(Conversation([user("Hi"), calls({}, {})], []), tokenizer_of(name))


def test_a_lost_tool_result_is_refused(tokenizer_of):
    with pytest.raises(RowError, match="has a tool result"):
        render(Conversation([user("Hi"), answered("4"), assistant("4")], []), tokenizer_of("phi3"))


@pytest.mark.parametrize(
    ("name", "key"),
    [("qwen3", "reasoning_content"), ("gptoss", "thinking"), ("lfm2_2_5", "thinking"), ("llama3_1", None)],
)
def test_reasoning_goes_under_the_key_that_the_template_reads(tokenizer_of, name, key):
    assert describe(tokenizer_of(name)).thoughts == key
    text = render(Conversation([user("Hi"), assistant("Ho", reasoning_content="Hmm.")], []), tokenizer_of(name))
    assert ("Hmm." in text) == (key is not None)


def test_what_a_template_refuses_is_said_in_its_own_words(tokenizer_of):
    with pytest.raises(RowError) as caught:
        render(Conversation([user("Hi"), user("Hi?")], []), tokenizer_of("gemma3"))
    assert "Conversation roles must alternate" in caught.value.why


@pytest.mark.parametrize("text", ["{{ 1 + }}", "{% for m in messages %}{{ m.nothing.at_all }}{% endfor %}"])
def test_a_broken_template_is_the_models_trouble_not_the_rows(tokenizer_of, text):
    with pytest.raises(UserError, match="The chat template of this model does not work") as caught:
        describe(tokenizer_of(text))
    assert not isinstance(caught.value, RowError)


def test_a_model_without_a_template_is_refused_with_advice(tokenizer_of):
    with pytest.raises(UserError) as caught:
        describe(tokenizer_of(None))
    assert caught.value.what == "This model has no chat template."
    assert "instruction-tuned" in caught.value.do


def test_the_training_template_is_trls_or_the_one_with_marks(tokenizer_of):
    marked = describe(tokenizer_of("qwen3")).training
    assert "{%- generation %}" in marked
    assert describe(tokenizer_of("lfm2_2_5")).training == tokenizer_of("lfm2_2_5").chat_template
    assert describe(tokenizer_of("llama3_1")).training is None
    assert describe(tokenizer_of(AS_THEY_ARE)).training is None


def test_a_tokenizer_with_a_template_for_tools_uses_it_for_tools(tokenizer_of):
    from tests.data.conftest import make_tokenizer

    tokenizer = make_tokenizer("llama3")
    tokenizer.chat_template = {"default": tokenizer.chat_template, "tool_use": tokenizer_of("qwen3").chat_template}
    assert describe(tokenizer).arguments == "object"
    assert "<tools>" in render(Conversation(TOOLS, [WEATHER]), tokenizer)
    assert "<|eot_id|>" in render(Conversation(PLAIN, []), tokenizer)


def test_a_prompt_is_the_history_and_the_start_of_the_answer(qwen3):
    ids = prompt_ids([user("Weather?")], [WEATHER, NEWS], qwen3)
    text = qwen3.apply_chat_template(
        [user("Weather?")], tools=[WEATHER, NEWS], tokenize=False, add_generation_prompt=True
    )
    assert qwen3.decode(ids) == text
    assert text.endswith("<|im_start|>assistant\n")


def test_a_preview_beside_a_training_run_disturbs_no_mask(qwen3):
    """transformers keeps the marks of a rendering in the compiled template, which all threads share."""
    template = describe(qwen3).training
    expected = rendered_with_marks(PLAIN, [], qwen3, template)
    found = []

    def look() -> None:
        found.extend(rendered_with_marks(PLAIN, [], qwen3, template) == expected for _ in range(50))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 200
    assert original(qwen3) != template


def test_what_is_asked_otherwise_than_it_was_trained_is_told(tokenizer_of):
    """Qwen3 takes the thoughts of earlier answers away, empty ones too; TRL's training template keeps them."""
    trained, _, asked = describe(tokenizer_of("qwen3")).rewritten.partition(", asked as ")
    assert "<think>" in trained and asked and "<think>" not in asked
    assert [describe(tokenizer_of(name)).rewritten for name in ("qwen2_5", "llama3", "qwen3_instruct_2507")] == [""] * 3


@pytest.mark.parametrize("name", NAMES)
def test_what_is_told_of_a_template_is_true_of_a_row(tokenizer_of, name):
    """The prompt of the second answer, as inference renders it, begins what is trained; or it is told not to."""
    tokenizer = tokenizer_of(name)
    talk = [user("One?"), assistant("One."), user("Two?"), assistant("Two.")]
    trained = tokenize(Conversation(talk, []), tokenizer, None, "assistant").input_ids
    asked = prompt_ids(talk[:3], [], tokenizer)
    form = describe(tokenizer)
    assert (trained[: len(asked)] == asked) == (form.rewritten == form.opened == "")
