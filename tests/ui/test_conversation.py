"""A conversation is drawn legibly, and what stands in it is text."""

import html
import re

from dfgui.ui.components import conversation, tokens

EVIL = '<img src=x onerror="alert(1)">${alert(1)}{{evil}}'
SAFE = html.escape(EVIL)


def tags(drawn: str) -> set[str]:
    return set(re.findall(r"<(\w+)", drawn))


def test_markup_in_any_place_of_a_row_is_text():
    messages = [
        {"role": "system", "content": EVIL},
        {"role": EVIL, "content": EVIL},
        {
            "role": "assistant",
            "content": EVIL,
            "reasoning_content": EVIL,
            "tool_calls": [{"function": {"name": EVIL, "arguments": {EVIL: EVIL}}}, {"function": {"name": EVIL}}],
        },
        {"role": "tool", "name": EVIL, "content": EVIL},
    ]
    parameters = {"properties": {EVIL: {"type": EVIL, "description": EVIL, "enum": [EVIL]}}, "required": [EVIL]}
    tools = [{"function": {"name": EVIL, "description": EVIL, "parameters": parameters}}]
    drawn = conversation.draw(messages, tools) + conversation.raw({EVIL: EVIL}) + conversation.text(EVIL)
    drawn += conversation.pieces([(EVIL, False), (EVIL, True)])
    drawn += tokens.draw([{"id": EVIL, "text": EVIL, "role": EVIL, "trained": True}] * 2, cut=1)
    assert "img" not in tags(drawn)
    assert "<img" not in drawn
    assert SAFE in drawn


def test_a_call_shows_its_name_and_each_argument():
    call = {"function": {"name": "get_weather", "arguments": {"city": "Oslo", "days": 3}}}
    drawn = conversation.draw([{"role": "assistant", "content": "", "tool_calls": [call]}])
    assert "get_weather" in drawn
    assert "<dt>city</dt><dd>&quot;Oslo&quot;</dd>" in drawn
    assert "<dt>days</dt><dd>3</dd>" in drawn


def test_a_call_whose_arguments_are_text_is_shown_all_the_same():
    call = {"function": {"name": "f", "arguments": '{"city": "Oslo"}'}}
    assert "<dt>city</dt>" in conversation.draw([{"role": "assistant", "content": None, "tool_calls": [call]}])
    call = {"function": {"name": "f", "arguments": "not json"}}
    assert "not json" in conversation.draw([{"role": "assistant", "content": None, "tool_calls": [call]}])


def test_tool_turns_and_system_turns_are_shown():
    drawn = conversation.draw([{"role": "system", "content": "Be brief."}, {"role": "tool", "content": '{"c": 4}'}])
    assert "Be brief." in drawn
    assert "Tool result" in drawn
    assert "{&quot;c&quot;: 4}" in drawn


def test_the_tools_of_a_row_are_listed_with_their_parameters():
    schema = {"properties": {"city": {"type": "string", "description": "Where"}}, "required": ["city"]}
    drawn = conversation.draw([], [{"type": "function", "function": {"name": "get_weather", "parameters": schema}}])
    assert "1 tool" in drawn
    assert "string, required" in drawn


def test_an_odd_row_is_drawn_rather_than_refused():
    odd = [{"role": "user"}, {}, {"role": "assistant", "tool_calls": ["x", {"function": "y"}]}, {"content": 3}]
    assert conversation.draw(odd, ["x", {"function": 3}, {"function": {"parameters": {"required": True}}}])


def test_a_very_long_text_is_shortened_and_says_so():
    assert "more characters" in conversation.text("x" * 1_000_000)


def test_learned_tokens_are_marked_and_others_are_not():
    drawn = tokens.draw(
        [
            {"id": 1, "text": "Hi", "role": "user", "trained": False},
            {"id": 2, "text": "Hello", "role": "assistant", "trained": True},
        ]
    )
    assert re.search(r"<mark><i [^>]*>Hello</i></mark>", drawn)
    assert re.search(r"<span><i [^>]*>Hi</i></span>", drawn)


def test_what_lies_beyond_max_length_stands_below_a_line():
    token = {"id": 1, "text": "a", "role": "user", "trained": False}
    drawn = tokens.draw([token, {**token, "text": "b"}], cut=1)
    kept, _, lost = drawn.partition("too long: the end is lost")
    assert ">a</i>" in kept
    assert ">b</i>" in lost
