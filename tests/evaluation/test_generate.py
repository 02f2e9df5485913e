import threading
import time

import pytest
import torch

from dfgui.data.template import prompt_ids
from dfgui.errors import UserError
from dfgui.evaluation.generate import ends, generate, generate_all
from tests.tiny import WEATHER, tiny_adapter, tiny_model, tiny_tokenizer

QUESTIONS = [
    "Hi",
    "What is the weather in Oslo?",
    "And in Bergen, for the next three days, please, if you can tell?",
    "You may call one or more functions.",
    "Was ist das für ein Wetter? 雨",
    "five",
]


def asked(question: str) -> list[dict]:
    return [{"role": "user", "content": question}]


def saying(model, token: int, times: int = 1):
    """The same model made to say one token for a while, and then to end its turn."""
    words = {"said": 0}

    def bend(module, args, output):
        output.logits[:, -1] = 0
        output.logits[:, -1, token if words["said"] < times else model.generation_config.eos_token_id] = 1
        words["said"] += 1
        return output

    return model.register_forward_hook(bend)


def test_an_answer_comes_in_pieces_and_is_what_transformers_says_itself(model, tokenizer):
    pieces = list(generate(model, tokenizer, asked("What is the weather?"), [WEATHER], max_new_tokens=24))
    ids = torch.tensor([prompt_ids(asked("What is the weather?"), [WEATHER], tokenizer)])
    whole = model.generate(ids, max_new_tokens=24, do_sample=False)[0, ids.shape[1] :]
    assert len(pieces) > 5
    assert "".join(pieces) == tokenizer.decode(whole).removesuffix("<|im_end|>")


def test_marks_of_a_call_stay_visible_and_the_end_of_turn_does_not(tokenizer):
    model = tiny_model(tokenizer)
    with saying(model, tokenizer.convert_tokens_to_ids("<tool_call>")):
        assert "".join(generate(model, tokenizer, asked("Hi"), [])) == "<tool_call>"


def test_marks_that_the_tokenizer_calls_special_stay_visible_too(tokenizer):
    model = tiny_model(tokenizer)
    with saying(model, tokenizer.convert_tokens_to_ids("<|im_start|>")):
        assert "".join(generate(model, tokenizer, asked("Hi"), [])) == "<|im_start|>"


def test_a_character_of_several_tokens_comes_in_one_piece(tokenizer, monkeypatch):
    model = tiny_model(tokenizer)
    rain = tokenizer("雨", add_special_tokens=False)["input_ids"]
    assert len(rain) == 3
    said = iter([*rain, tokenizer.eos_token_id])

    def bend(module, args, output):
        output.logits[:, -1] = 0
        output.logits[:, -1, next(said)] = 1
        return output

    with model.register_forward_hook(bend):
        assert list(generate(model, tokenizer, asked("Hi"), [])) == ["雨"]


def test_the_turn_ends_at_the_models_end_the_tokenizers_and_the_templates():
    tokenizer = tiny_tokenizer()
    model = tiny_model(tokenizer)
    model.generation_config.eos_token_id = [5, 6]
    tokenizer.eos_token = "<|endoftext|>"  # as base models have it, while their template ends a turn with <|im_end|>
    assert set(ends(model.generation_config, tokenizer)) == {
        5,
        6,
        *tokenizer.convert_tokens_to_ids(["<|endoftext|>", "<|im_end|>"]),
    }


def test_many_prompts_at_once_get_the_same_answers_as_one_by_one(model, tokenizer):
    prompts = [(asked(question), [WEATHER] if place % 2 else []) for place, question in enumerate(QUESTIONS)]
    done: list[tuple[int, int]] = []
    together = [text for text, _ in generate_all(model, tokenizer, prompts, 30, 4, lambda *count: done.append(count))]
    assert together == ["".join(generate(model, tokenizer, *prompt, max_new_tokens=30)) for prompt in prompts]
    assert len(set(together)) == len(prompts)  # they do differ
    assert done == [(4, 6), (6, 6)]


def test_that_holds_for_prompts_near_the_end_of_the_context_too(tokenizer):
    model = tiny_model(tokenizer, max_position_embeddings=64)
    prompts = [(asked(question), []) for question in QUESTIONS]
    lengths = [len(prompt_ids(*prompt, tokenizer)) for prompt in prompts]
    assert max(lengths) > 64 - 30 > min(lengths)
    together = [text for text, _ in generate_all(model, tokenizer, prompts, 30)]
    assert together == ["".join(generate(model, tokenizer, *prompt, max_new_tokens=30)) for prompt in prompts]


def test_an_adapter_answers_like_any_model_and_its_base_differently(tokenizer):
    model = tiny_model(tokenizer)
    base = generate_all(model, tokenizer, [(asked("Hi"), [])], 20)
    assert generate_all(tiny_adapter(model), tokenizer, [(asked("Hi"), [])], 20) != base


def test_a_prompt_too_long_for_the_model_is_refused(tokenizer):
    model = tiny_model(tokenizer, max_position_embeddings=64)
    with pytest.raises(UserError, match="reads at most 64"):
        generate(model, tokenizer, asked("word " * 100), [])


def test_an_answer_that_is_as_long_as_one_may_be_says_that_it_was_cut(tokenizer):
    model = tiny_model(tokenizer)
    with saying(model, tokenizer.convert_tokens_to_ids("<tool_call>")):
        whole = generate(model, tokenizer, asked("Hi"), [], max_new_tokens=2)
        assert ("".join(whole), whole.cut) == ("<tool_call>", False)
    with saying(model, tokenizer.convert_tokens_to_ids("<tool_call>"), times=9):
        short = generate(model, tokenizer, asked("Hi"), [], max_new_tokens=2)
        assert ("".join(short), short.cut) == ("<tool_call>" * 2, True)
    with saying(model, tokenizer.convert_tokens_to_ids("<tool_call>"), times=9):
        assert generate_all(model, tokenizer, [(asked("Hi"), [])], 2) == [("<tool_call>" * 2, True)]


def test_an_answer_stops_when_told_to(model, tokenizer):
    told = iter([False, False, False, True])
    pieces = list(generate(model, tokenizer, asked("Hi"), [], 10_000, stop=lambda: next(told)))
    assert 0 < len(pieces) <= 4


def test_who_stops_reading_stops_the_writing(model, tokenizer):
    answer = iter(generate(model, tokenizer, asked("Hi"), [], max_new_tokens=1500))
    next(answer)
    began = time.monotonic()
    answer.close()
    assert time.monotonic() - began < 2
    assert not [thread for thread in threading.enumerate() if thread.name == "dfgui-generate"]


def test_an_error_while_writing_reaches_the_reader(tokenizer):
    model = tiny_model(tokenizer)

    def fail(*_):
        raise FloatingPointError("not a number")

    with model.register_forward_hook(fail), pytest.raises(FloatingPointError, match="not a number"):
        list(generate(model, tokenizer, asked("Hi"), []))


def test_a_model_that_was_training_goes_on_training_bit_by_bit(tokenizer):
    model = tiny_model(tokenizer).train()
    model.model.layers[0].eval()  # a part that is kept frozen
    before = torch.random.get_rng_state()
    list(generate(model, tokenizer, asked("Hi"), [], max_new_tokens=5))
    assert model.training
    assert not model.model.layers[0].training
    assert torch.equal(before, torch.random.get_rng_state())
    model(torch.tensor([[1, 2, 3]]), labels=torch.tensor([[1, 2, 3]])).loss.backward()  # and still learns


def test_a_models_own_penalties_and_sampling_do_not_bend_the_answer(tokenizer):
    model = tiny_model(tokenizer)
    plain = generate_all(model, tokenizer, [(asked("Hi"), [])], 30)
    model.generation_config.update(repetition_penalty=2.0, do_sample=True, temperature=2.0, num_beams=3)
    assert generate_all(model, tokenizer, [(asked("Hi"), [])], 30) == plain
