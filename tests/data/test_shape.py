"""A conversation as the run wants it: tools, reasoning, system message."""

from dataclasses import replace

import pytest

from dfgui.data.conversation import Conversation
from dfgui.data.shape import shaped, with_used_tools
from tests.data.rows import NEWS, PLAIN, SYSTEM, TOOLS, WEATHER, assistant, user

KEY = [user("2 + 2?"), assistant("4", reasoning_content="Two and two.")]
TAGS = [user("2 + 2?"), assistant("<think>\nTwo and two.\n</think>\n\n4")]
NONE = [user("2 + 2?"), assistant("4")]
RULES = {"role": "system", "content": "Rules."}


def talk(messages: list[dict], **more) -> Conversation:
    return Conversation(messages, [NEWS, WEATHER], **more)


def test_nothing_asked_nothing_changed():
    for conversation in (talk(KEY), talk(SYSTEM), Conversation([], [], [("Once", True)])):
        assert shaped(conversation) is conversation


@pytest.mark.parametrize("written", [KEY, TAGS])
@pytest.mark.parametrize(("place", "wanted"), [("none", NONE), ("think", TAGS), ("reasoning_content", KEY)])
def test_reasoning_is_found_where_it_stands_and_put_where_it_is_wanted(written, place, wanted):
    assert shaped(talk(written), reasoning=place).messages == wanted


@pytest.mark.parametrize("place", ["none", "think", "reasoning_content"])
def test_turns_without_reasoning_and_those_of_others_stay_as_they_are(place):
    asked = [
        user("What does <think>x</think> mean?"),
        assistant("A thought."),
        user("<think>y</think> Hm."),
        assistant("?"),
    ]
    assert shaped(talk(asked), reasoning=place).messages == asked


def test_a_system_message_takes_the_place_of_the_rows_own():
    assert shaped(talk(SYSTEM), system="Rules.").messages == [RULES, *PLAIN]
    assert shaped(talk(PLAIN), system="Rules.").messages == [RULES, *PLAIN]


def test_where_the_completion_begins_moves_with_the_system_message():
    assert shaped(talk(PLAIN, train_from=1), system="Rules.").train_from == 2
    assert shaped(talk(SYSTEM, train_from=2), system="Rules.").train_from == 2


def test_used_tools_are_those_that_are_called():
    assert shaped(talk(TOOLS), tools="used").tools == [WEATHER]
    assert with_used_tools(talk(PLAIN)).tools == [NEWS, WEATHER]


def test_plain_text_has_nothing_to_shape():
    text = Conversation([], [], [("Once", True)])
    assert shaped(text, "used", "none", "Rules.") == text


def test_the_row_itself_is_not_changed():
    row = talk(KEY)
    before = replace(row, messages=[dict(message) for message in row.messages])
    shaped(row, "used", "think", "Rules.")
    assert row == before
