import pytest

from dfgui.data.conversation import Conversation
from dfgui.evaluation.tool_calls import Question, difference, judge, questions, score
from tests.tiny import WEATHER, tiny_model


def call(city="Oslo", name="get_weather", **arguments) -> dict:
    return {"name": name, "arguments": {"city": city, **arguments}}


def turn(*calls: dict) -> dict:
    return {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": one} for one in calls]}


TALK = Conversation(
    messages=[
        {"role": "user", "content": "Weather in Oslo?"},
        turn(call()),
        {"role": "tool", "content": "4"},
        {"role": "assistant", "content": "Four degrees."},
        {"role": "user", "content": "And in Rome and Bonn?"},
        turn(call("Rome"), call("Bonn")),
    ],
    tools=[WEATHER],
)
CHAT = Conversation([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}], [])


def test_every_turn_that_calls_is_a_question_after_the_rows_own_history():
    asked = questions([(7, CHAT), (12, TALK)])
    assert [(question.row, question.turn) for question in asked] == [(12, 2), (12, 6)]
    assert asked[0].messages == TALK.messages[:1]
    assert asked[1].messages == TALK.messages[:5]
    assert asked[1].tools == [WEATHER]
    assert asked[1].expected == [call("Rome"), call("Bonn")]


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ([call("Rome"), call("Bonn")], [call("Bonn"), call("Rome")]),
        ([call(days=4)], [call(days=4.0)]),
        ([call(where={"a": [1, 2], "b": 3})], [call(where={"b": 3, "a": [1, 2]})]),
        ([call()], [call(unit=None)]),
        ([call(), call()], [call(), call()]),
    ],
)
def test_the_same_calls_are_right(expected, got):
    assert difference(expected, got) == ""


@pytest.mark.parametrize(
    ("expected", "got", "why"),
    [
        ([call()], [], "no tool call: expected get_weather"),
        ([call()], [call("Osl")], "argument city: expected Oslo, got Osl"),
        ([call(days=4)], [call(days="4")], 'argument days: expected 4, got "4"'),
        ([call(rain=True)], [call(rain=1)], "argument rain: expected true, got 1"),
        ([call(days=4)], [call()], "argument days is missing: expected 4"),
        ([call()], [call(days=4)], "argument days was not expected: got 4"),
        ([call(list=[1, 2])], [call(list=[2, 1])], "argument list: expected [1, 2], got [2, 1]"),
        ([call()], [call(name="get_time")], "name: expected get_weather, got get_time"),
        ([call(), call()], [call()], "expected 2 calls (get_weather, get_weather), got 1 (get_weather)"),
        ([call("Rome"), call("Bonn")], [call("Bonn"), call("Roma")], "argument city: expected Rome, got Roma"),
        (
            [call(), call(name="get_time")],
            [call("Osl", name="get_time"), call("Os")],
            "argument city: expected Oslo, got Os; argument city: expected Oslo, got Osl",
        ),
    ],
)
def test_what_differs_is_said_in_words(expected, got, why):
    assert difference(expected, got) == why


def judged(text: str, tokenizer, expected=None):
    return judge(Question(3, 2, TALK.messages[:1], [WEATHER], expected or [call()]), text, tokenizer)


def test_an_answer_is_judged_by_its_calls_and_not_by_its_words(tokenizer):
    right = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>'
    assert judged(right, tokenizer).right
    assert judged(f"<think>\n\n</think>\n\nOf course.\n{right}", tokenizer).right
    wrong = judged(right.replace("Oslo", "Osl"), tokenizer)
    assert (wrong.row, wrong.turn, wrong.right) == (3, 2, False)
    assert wrong.why == "argument city: expected Oslo, got Osl"
    assert wrong.got == [call("Osl")]


def test_a_call_that_cannot_be_read_is_wrong_and_says_so(tokenizer):
    result = judged('<tool_call>\n{"name": "get_weather", "argum', tokenizer)
    assert not result.right
    assert result.why == "<tool_call> is never closed"
    assert result.text.startswith("<tool_call>")


def test_a_model_that_learned_its_rows_by_heart_is_right_on_all_of_them(tokenizer):
    import torch

    from dfgui.data.template import prompt_ids

    model = tiny_model(tokenizer).train()
    asked = questions([(1, TALK)])
    answers = [
        "".join(
            f'<tool_call>\n{{"name": "get_weather", "arguments": {{"city": "{city}"}}}}\n</tool_call>' for city in turn
        )
        for turn in (["Oslo"], ["Rome", "Bonn"])
    ]
    rows = []
    for question, answer in zip(asked, answers, strict=True):
        prompt = prompt_ids(question.messages, question.tools, tokenizer)
        rows.append((prompt, tokenizer(answer + "<|im_end|>", add_special_tokens=False)["input_ids"]))
    before = score(model, tokenizer, asked, max_new_tokens=120)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(60):
        for prompt, answer in rows:
            labels = torch.tensor([[-100] * len(prompt) + answer])
            model(torch.tensor([prompt + answer]), labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    told: list[tuple[int, int]] = []
    after = score(model, tokenizer, asked, lambda *count: told.append(count), max_new_tokens=120)
    assert (before.right, before.total) == (0, 2)
    assert (after.right, after.total) == (2, 2), [result.why for result in after.results]
    assert told == [(2, 2)]
    assert [(result.row, result.turn) for result in after.results] == [(1, 2), (1, 6)]


def test_a_question_too_long_for_the_model_counts_as_wrong_and_the_others_are_asked(tokenizer):
    model = tiny_model(tokenizer, max_position_embeddings=300)
    long = Conversation([{"role": "user", "content": "word " * 400}, turn(call())], [WEATHER])
    result = score(model, tokenizer, questions([(1, long), (2, TALK)]), max_new_tokens=5)
    assert result.total == 3
    assert "not asked: the prompt has" in result.results[0].why
    assert result.results[1].text
    assert result.results[1].why.startswith("cut after 5 tokens: no tool call")


def test_no_questions_no_score(model, tokenizer):
    assert score(model, tokenizer, []).total == 0
