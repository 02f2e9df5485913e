"""Each character of the rendered text belongs to a turn, for people to see who says what."""

import pytest

from dfgui.data.conversation import Conversation
from dfgui.data.template import original
from dfgui.data.turns import turns
from tests.data.rows import PLAIN, SYSTEM, TOOLS, WEATHER
from tests.data.sides import render


def said(tokenizer, messages, tools=()) -> list[tuple[str, str]]:
    text = render(Conversation(messages, list(tools)), tokenizer)
    spans = turns(messages, list(tools), tokenizer, original(tokenizer), text)
    assert "".join(text[start:end] for _, start, end in spans) == text
    return [(role, text[start:end]) for role, start, end in spans]


@pytest.mark.parametrize("name", ["qwen3", "qwen2_5", "llama3_1", "gptoss", "glm4moe", "gemma4", "qwen3_5_think"])
def test_every_turn_holds_its_own_words(tokenizer_of, name):
    found = [(role, text) for role, text in said(tokenizer_of(name), TOOLS, [WEATHER]) if role != "system"]
    assert [role for role, _ in found] == ["user", "assistant", "tool", "assistant"]
    for (_, text), words in zip(found, ["Weather in Oslo?", "get_weather", "4", "4 C."], strict=True):
        assert words in text


@pytest.mark.parametrize("name", ["qwen3", "qwen2_5", "glm4moe", "gptoss"])
def test_the_list_of_tools_is_the_systems_and_not_the_users(tokenizer_of, name):
    (role, system), (_, user), *_ = said(tokenizer_of(name), TOOLS, [WEATHER])
    assert role == "system"
    assert "Weather of a city" in system
    assert "Weather of a city" not in user


def test_a_turn_begins_with_its_header_even_where_beginnings_are_rendered_differently(qwen3):
    """Qwen3 writes <think> into the last answer only, so a beginning of the conversation is not one of the text."""
    found = said(qwen3, SYSTEM)
    assert [role for role, _ in found] == ["system", "user", "assistant", "user", "assistant"]
    assert all(text.startswith(f"<|im_start|>{role}\n") for role, text in found)


def test_without_tools_or_system_the_text_begins_with_the_user(tokenizer_of):
    for name in ("qwen3", "gemma3"):
        assert said(tokenizer_of(name), PLAIN)[0][0] == "user"
