"""The offline demo: what ships, that it loads without a network, and that its dataset keeps DeepFabric's rules."""

import json
import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest
import trl
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl.chat_template_utils import get_training_chat_template

from dfgui.models import demo
from dfgui.models.demo import corpus, dataset, everyday, render
from dfgui.models.demo.tools import TOOLS

MESSAGE_KEYS = {"role", "content", "tool_calls", "tool_call_id"}
ROW_KEYS = {"messages", "tools", "metadata", "question", "final_answer"}


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(demo.BASE, local_files_only=True)


@pytest.fixture(scope="module")
def rows():
    return [json.loads(line) for line in demo.ROWS.read_text(encoding="utf-8").splitlines()]


def calls(rows):
    return [call["function"] for row in rows for message in row["messages"] for call in message.get("tool_calls", [])]


def test_the_base_is_small_and_bf16():
    path = demo.BASE / "model.safetensors"
    assert path.stat().st_size <= 8_000_000
    with safe_open(path, "pt") as weights:
        assert {weights.get_slice(name).get_dtype() for name in weights.keys()}  # noqa: SIM118 == {"BF16"}


def test_the_base_loads_and_writes_without_a_network(tokenizer, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model = AutoModelForCausalLM.from_pretrained(demo.BASE, local_files_only=True)
    assert model.config.architectures == ["Qwen3ForCausalLM"]
    assert model.config.tie_word_embeddings and model.config.max_position_embeddings >= 2048
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Repeat: Velmorin 42"}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    written = model.generate(**prompt, max_new_tokens=24, do_sample=False)[0, prompt["input_ids"].shape[1] :]
    assert tokenizer.decode(written).endswith("Velmorin 42<|im_end|>")


def test_the_template_is_the_one_trl_ships_and_knows_how_to_train(tokenizer):
    assert tokenizer.chat_template == (Path(trl.__file__).parent / "chat_templates" / "qwen3.jinja").read_text(
        encoding="utf-8"
    )
    assert "generation %}" in get_training_chat_template(tokenizer)
    assert "generation -%}" not in tokenizer.chat_template


def test_the_special_tokens_are_qwens(tokenizer):
    assert (tokenizer.eos_token, tokenizer.pad_token) == ("<|im_end|>", "<|endoftext|>")
    for token in (
        "<tool_call>",
        "</tool_call>",
        "<tool_response>",
        "</tool_response>",
        "<think>",
        "</think>",
        "<|im_start|>",
    ):
        assert len(tokenizer(token)["input_ids"]) == 1
    call = tokenizer("<tool_call>{}</tool_call><|im_end|>")["input_ids"]
    assert tokenizer.decode(call, skip_special_tokens=True) == "<tool_call>{}</tool_call>"


def test_any_text_survives_the_tokenizer(tokenizer):
    text = 'São Paulo, 東京 \U0001f327 «è»\t{"a": [1, -2.5e3, null]}  two  spaces\r\n\n end '
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_a_value_has_the_same_tokens_in_a_question_and_in_json(tokenizer):
    asked, written = tokenizer("Weather in Copenhagen?")["input_ids"], tokenizer('{"city": "Copenhagen"}')["input_ids"]
    value = tokenizer("Copenhagen")["input_ids"]
    for ids in (asked, written):
        assert any(ids[i : i + len(value)] == value for i in range(len(ids)))


def test_what_is_asked_at_inference_begins_what_was_trained(tokenizer, rows):
    training = get_training_chat_template(tokenizer)
    for row in rows[:60]:
        messages = parsed(row["messages"])
        first = next(i for i, message in enumerate(messages) if message["role"] == "assistant")
        asked = tokenizer.apply_chat_template(
            messages[:first], tools=row["tools"], add_generation_prompt=True, return_dict=False
        )
        trained = tokenizer.apply_chat_template(messages, tools=row["tools"], chat_template=training, return_dict=False)
        assert trained[: len(asked)] == asked


def test_the_corpus_is_rendered_as_the_template_renders_it(tokenizer):
    training = get_training_chat_template(tokenizer)
    rng = Random(11)
    for _ in range(100):
        talk = corpus.conversation(rng)
        ours = "".join(text for text, _learned in render.pieces(talk))
        assert ours == tokenizer.apply_chat_template(
            talk["messages"], tools=talk["tools"], chat_template=training, tokenize=False
        )


def test_the_corpus_knows_none_of_the_demo_and_never_answers_in_its_form(rows):
    rng = Random(12)
    questions = {message["content"] for row in rows for message in row["messages"] if message["role"] == "user"}
    for _ in range(3000):
        talk = corpus.conversation(rng)
        assert not {tool["function"]["name"] for tool in talk["tools"] or []} & set(TOOLS)
        for message in talk["messages"]:
            assert "<tool_call>" not in message["content"] or message["role"] == "system"
            assert message["content"] not in questions


@pytest.mark.parametrize("plan", everyday.PLANS, ids=lambda plan: plan.names[0])
def test_an_everyday_question_says_all_that_its_tool_needs(plan):
    required = {part.label for part in plan.parts if not part.optional}
    known = {part.label for part in plan.parts}
    for question in plan.questions:
        assert required <= set(everyday.SLOT.findall(everyday.SEGMENT.sub("", question)))
        assert set(everyday.SLOT.findall(question)) <= known
    assert all(part.kind in everyday.KINDS if not part.options else not part.kind for part in plan.parts)


def test_an_everyday_call_takes_its_values_from_the_question_and_its_names_from_the_schema():
    rng = Random(13)
    for tool in everyday.everyday_tools(rng, len(everyday.PLANS)) * 20:
        question, values = tool.ask(rng)
        takes = tool.schema()["function"]["parameters"]
        assert set(takes["required"]) <= set(values) <= set(takes["properties"])
        assert all(str(value).lower() in question.lower() for value in values.values())


def test_the_corpus_is_the_same_for_a_seed():
    one, two = Random(5), Random(5)
    assert [corpus.conversation(one) for _ in range(20)] == [corpus.conversation(two) for _ in range(20)]


def test_the_committed_rows_are_what_the_generator_makes(rows):
    assert rows == dataset.rows()


def test_another_seed_makes_other_rows_as_many_as_asked():
    other = dataset.rows(seed=8, count=50)
    assert len(other) == 50 and other != dataset.rows(seed=9, count=50)


def test_every_row_keeps_deepfabrics_rules(rows):
    for row in rows:
        assert set(row) == ROW_KEYS
        assert isinstance(row["question"], str) and isinstance(row["final_answer"], str)
        schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in row["tools"]}
        pending = []
        for message in row["messages"]:
            assert set(message) <= MESSAGE_KEYS and isinstance(message["content"], str)
            for call in message.get("tool_calls", []):
                assert re.fullmatch("[a-zA-Z0-9]{9}", call["id"]) and call["type"] == "function"
                pending.append(call["id"])
                check_arguments(call["function"]["arguments"], schemas[call["function"]["name"]])
            if message["role"] == "tool":
                assert message["tool_call_id"] == pending.pop(0)
        assert row["messages"][-1]["role"] == "assistant"


def check_arguments(text, schema):
    arguments = json.loads(text)
    assert text == json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
    assert set(schema["required"]) <= set(arguments) <= set(schema["properties"])
    for name, value in arguments.items():
        about = schema["properties"][name]
        assert isinstance(value, {"string": str, "integer": int, "number": (int, float)}[about["type"]])
        assert value in about.get("enum", [value])


def test_no_question_and_no_set_of_arguments_occurs_twice(rows):
    questions = Counter(message["content"] for row in rows for message in row["messages"] if message["role"] == "user")
    arguments = Counter(
        (call["name"], json.dumps(json.loads(call["arguments"]), sort_keys=True)) for call in calls(rows)
    )
    assert max(questions.values()) == 1
    assert max(arguments.values()) == 1


def test_the_rows_are_varied(rows):
    assert 300 <= len(rows) <= 600
    assert min(Counter(call["name"] for call in calls(rows)).values()) >= 30
    assert {call["name"] for call in calls(rows)} == set(TOOLS)
    assert {len(row["tools"]) for row in rows} == {2, 3}
    without = [row for row in rows if not any("tool_calls" in message for message in row["messages"])]
    twice = [row for row in rows if sum(message["role"] == "user" for message in row["messages"]) == 2]
    results = [row for row in rows if any(message["role"] == "tool" for message in row["messages"])]
    both = [row for row in rows if any(len(message.get("tool_calls", [])) == 2 for message in row["messages"])]
    assert min(map(len, (without, twice, results, both))) >= 20


def test_every_row_is_under_700_tokens(tokenizer, rows):
    training = get_training_chat_template(tokenizer)
    for row in rows:
        ids = tokenizer.apply_chat_template(
            parsed(row["messages"]), tools=row["tools"], chat_template=training, return_dict=False
        )
        assert len(ids) < 700


def parsed(messages):
    """Messages with arguments as objects, the form the app hands to templates."""
    copies = json.loads(json.dumps(messages))
    for message in copies:
        for call in message.get("tool_calls", []):
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return copies
