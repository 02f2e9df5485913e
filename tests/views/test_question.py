"""A held-out row becomes a question: what is asked, what stands before it, what the row answers."""

from dfgui.views import question

CALL = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "get_weather", "arguments": {}}}]}
SYSTEM = {"role": "system", "content": "Be brief."}


def said(role: str, content: str) -> dict:
    return {"role": role, "content": content}


def row(*messages: dict) -> dict:
    return {"row": 17, "messages": list(messages), "tools": [{"function": {"name": "get_weather"}}]}


def test_the_first_turn_that_calls_a_tool_is_asked_for():
    chat = [SYSTEM, said("user", "Hi"), said("assistant", "Hello"), said("user", "Weather in Oslo?"), CALL]
    found = question.of(row(*chat, said("tool", "{}"), said("assistant", "4 degrees")))
    assert found.prompt == "Weather in Oslo?"
    assert found.history == chat[:3]
    assert found.answer == [CALL]
    assert question.label(found) == "Row 17 · Weather in Oslo? · calls get_weather"


def test_a_row_without_calls_asks_for_its_first_answer():
    found = question.of(row(said("user", "Hi"), said("assistant", "Hello")))
    assert (found.prompt, found.answer) == ("Hi", [said("assistant", "Hello")])


def test_a_row_in_which_nobody_asks_is_no_question():
    assert question.of(row(said("user", "Hi"))) is None
    assert question.of(row(said("assistant", "Hello"))) is None


def test_a_failure_shows_the_last_words_before_its_turn():
    messages = [said("user", "First"), CALL, said("tool", "{}"), said("user", "Second"), CALL]
    assert question.asked_before(messages, 2) == "First"
    assert question.asked_before(messages, 5) == "Second"
    assert question.asked_before([], 5) == ""
