"""The dataset as the trainer gets it: nothing lost in silence, nothing on both sides of the split."""

import json

import pytest

from dfgui.config import Data
from dfgui.data import held_out
from dfgui.data.conversation import called
from dfgui.data.formats import to_conversation
from dfgui.data.prepare import prepare, split
from dfgui.data.tokens import IGNORED
from dfgui.errors import UserError
from tests.data.oracle import trl_rows
from tests.data.rows import NEWS, ROWS, SHARED, WEATHER, assistant, deepfabric, jsonl, sharegpt, user

CITIES = [f"City {number}" for number in range(20)]


@pytest.fixture
def prepared(qwen3, written, home):
    def run(rows: list[dict], max_length: int = 4096, progress=None, **options):
        path = written("rows.jsonl", jsonl(rows))
        return prepare(Data(source=str(path), **options), qwen3, max_length, 42, home, progress)

    return run


def refusal(run, *rows, **options) -> UserError:
    with pytest.raises(UserError) as caught:
        run(*rows, **options)
    return caught.value


def test_the_trainer_gets_input_ids_and_labels_and_nothing_else(prepared):
    result = prepared([deepfabric(city) for city in CITIES])
    assert result.train.column_names == result.eval.column_names == ["input_ids", "labels"]
    assert (len(result.train), len(result.eval), result.rows) == (18, 2, 20)
    assert result.total_tokens == sum(map(len, result.train["input_ids"]))
    assert result.trained_tokens == sum(label != IGNORED for labels in result.train["labels"] for label in labels)
    assert (result.cut_rows, result.left_out) == ([], [])


def test_what_is_prepared_is_what_trl_makes_of_the_same_rows(prepared, qwen3):
    rows = [{"messages": [user(city), assistant(f"{city} is far.")]} for city in CITIES]
    train = prepared(rows, eval_fraction=0).train
    assert list(zip(train["input_ids"], train["labels"], strict=True)) == trl_rows(
        qwen3, rows, assistant_only_loss=True
    )


def test_sftrainer_leaves_prepared_rows_as_they_are(prepared, qwen3, tmp_path):
    from transformers import Qwen2Config, Qwen2ForCausalLM
    from trl import SFTConfig, SFTTrainer

    train = prepared([deepfabric(city) for city in CITIES[:4]], eval_fraction=0).train
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1}
    model = Qwen2ForCausalLM(Qwen2Config(vocab_size=len(qwen3), num_attention_heads=1, num_key_value_heads=1, **sizes))
    skip = {"skip_prepare_dataset": True}
    config = SFTConfig(str(tmp_path), use_cpu=True, bf16=False, report_to="none", dataset_kwargs=skip, max_steps=1)
    trainer = SFTTrainer(model=model, args=config, train_dataset=train, processing_class=qwen3)
    batch = next(iter(trainer.get_train_dataloader()))
    kept = [
        [token for token, seen in zip(*row, strict=True) if seen]
        for row in zip(batch["input_ids"].tolist(), batch["attention_mask"].tolist(), strict=True)
    ]
    assert sorted(kept) == sorted(train["input_ids"])
    assert (batch["labels"] != IGNORED).sum() == sum(label != IGNORED for labels in train["labels"] for label in labels)


def test_the_split_is_the_same_for_the_same_seed():
    numbers = list(range(1, 101))
    train, held, test = split(numbers, 0.1, 42)
    assert (len(train), len(held), test) == (90, 10, [])
    assert sorted(train + held) == numbers
    assert split(numbers, 0.1, 42) == (train, held, [])
    assert split(numbers, 0.1, 43) != (train, held, [])
    assert split(numbers, 0, 42) == (numbers, [], [])
    assert len(split([1, 2, 3], 0.1, 42)[1]) == 1


@pytest.mark.parametrize("seed", range(10))
def test_duplicate_rows_never_straddle_the_split(seed):
    prints = {number: bytes([number % 7]) for number in range(1, 51)}
    train, held, test = split(list(prints), 0.3, seed, prints, test_fraction=0.2)
    sides = [{prints[number] for number in part} for part in (train, held, test)]
    assert sum(map(len, sides)) == len(set(prints.values()))
    assert sorted(train + held + test) == list(prints)
    assert 0 < len(held) <= 15 and 0 < len(test) <= 10


def test_eighty_ten_ten():
    train, held, test = split(list(range(1, 101)), 0.1, 42, test_fraction=0.1)
    assert (len(train), len(held), len(test)) == (80, 10, 10)
    assert held == split(list(range(1, 101)), 0.1, 42)[1]


def test_test_rows_are_neither_trained_nor_evaluated_on_and_are_those_to_judge_by(prepared, tmp_path):
    result = prepared([deepfabric(city) for city in CITIES], eval_fraction=0.1, test_fraction=0.2)
    assert (len(result.train), len(result.eval), len(result.test)) == (14, 2, 4)
    held_out.save(tmp_path, result.held_out, result.test)
    assert held_out.load(tmp_path) == result.test
    assert not {number for number, _ in result.test} & {number for number, _ in result.held_out}


def test_test_rows_are_taken_of_the_dataset_where_evaluation_has_a_file_of_its_own(prepared, written):
    other = written("eval.jsonl", jsonl([deepfabric("Rome")]))
    result = prepared([deepfabric(city) for city in CITIES], eval_source=str(other), test_fraction=0.1)
    assert (len(result.train), len(result.eval), len(result.test)) == (18, 1, 2)


@pytest.mark.parametrize("options", [{"system": "Rules."}, {"reasoning": "none"}])
def test_rows_are_evaluated_in_the_shape_in_which_they_train(prepared, qwen3, options):
    rows = [{"messages": [user(city), assistant("Far.", reasoning_content="Thinking of it.")]} for city in CITIES]
    result = prepared(rows, **options)
    text = qwen3.decode(result.eval[0]["input_ids"])
    spoken = result.held_out[0][1].messages
    assert ("Rules." in text) == ("system" in options) == (spoken[0]["role"] == "system")
    assert ("Thinking of it." in text) == ("system" in options) == ("reasoning_content" in spoken[-1])


def test_duplicates_are_told_by_what_they_say_not_by_how_they_are_written(prepared):
    rows = [deepfabric("Oslo") | {"metadata": {"topic_id": str(number)}} for number in range(10)]
    result = prepared([*rows, deepfabric("Rome"), deepfabric("Lima")], eval_fraction=0.5)
    assert {number for number, _ in result.held_out} <= {11, 12}


def test_held_out_rows_are_written_down_and_found_again_for_evaluation(prepared, tmp_path):
    result = prepared([deepfabric(city) for city in CITIES], eval_fraction=0.2)
    held_out.save(tmp_path, result.held_out, result.test)
    again = held_out.load(tmp_path)
    assert again == result.held_out
    assert len(again) == 4
    assert all(CITIES[number - 1] in conversation.messages[0]["content"] for number, conversation in again)
    assert [path.name for path in tmp_path.glob("held_out*")] == ["held_out.jsonl"]


def test_an_evaluation_file_takes_the_place_of_the_split(prepared, written):
    other = written("eval.json", f"[{jsonl([sharegpt('Rome')]).strip()}]")
    result = prepared([deepfabric(city) for city in CITIES], eval_source=str(other), eval_fraction=0.5)
    assert (len(result.train), len(result.eval), result.rows) == (20, 1, 20)
    assert [number for number, _ in result.held_out] == [1]


def test_a_bad_row_of_the_evaluation_file_is_named_with_its_file(prepared, written):
    other = written("eval.jsonl", jsonl([deepfabric("Rome"), {"messages": [user("Hi")]}]))
    error = refusal(prepared, [deepfabric(city) for city in CITIES], eval_source=str(other))
    assert error.what == f"Row 2 of {other} has no assistant turn."


@pytest.mark.parametrize("format", ROWS)
def test_held_out_rows_of_every_format_come_back_whole(prepared, tmp_path, format):
    rows = [
        ROWS[format],
        *[
            json.loads(
                json.dumps(ROWS[format]).replace("Ho", f"Ho {n}").replace("Once", f"Once {n}").replace("Fine", f"{n}")
            )
            for n in range(3)
        ],
    ]
    held_out.save(tmp_path, prepared(rows, eval_fraction=0.5).held_out, [])
    for number, conversation in held_out.load(tmp_path):
        assert conversation == to_conversation(rows[number - 1], format)


def test_only_used_tools_are_shown_while_training_and_all_of_them_while_evaluating(prepared):
    rows = [deepfabric(city) | {"tools": [NEWS, WEATHER]} for city in CITIES]
    everything, used = prepared(rows), prepared(rows, tools="used")
    assert used.total_tokens < everything.total_tokens
    assert used.trained_tokens == everything.trained_tokens
    assert [len(conversation.tools) for _, conversation in used.held_out] == [2, 2]
    assert called(used.held_out[0][1]) == ["get_weather"]


def test_rows_that_are_cut_are_listed_and_those_without_a_learned_token_left_out(prepared):
    rows = [{"messages": [user("Hi"), assistant("Ho")]} for _ in range(5)]
    rows[1] = {"messages": [user("Hi"), assistant("x " * 100)]}
    rows[3] = {"messages": [user("x " * 100), assistant("Ho")]}
    result = prepared(rows, max_length=64, eval_fraction=0)
    assert result.cut_rows == [2, 4]
    assert result.left_out == [(4, "all that would be learned lies beyond max_length")]
    assert (len(result.train), result.rows) == (4, 5)
    assert max(map(len, result.train["input_ids"])) == 64


def test_the_first_bad_row_stops_the_preparation_by_its_number(prepared):
    rows = [deepfabric(city) for city in CITIES]
    rows[11] = rows[15] = rows[16] = {"messages": [user("Nobody answers.")]}
    error = refusal(prepared, rows)
    assert error.what == "Row 12 has no assistant turn."
    assert "2 more rows" in error.why
    assert error.do


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (
            {"messages": [user("Hi"), {"role": "narrator", "content": "x"}]},
            "Row 3 has a message with the role 'narrator'.",
        ),
        ({"messages": []}, "Row 3 has no messages: `messages` is empty."),
        ({"text": "Once"}, "Row 3 is not written as DeepFabric / OpenAI messages."),
        (
            {"messages": [user("Hi"), assistant("", tool_calls=[{"name": "a", "arguments": "x"}])]},
            "Row 3 calls a with arguments that are not a JSON object.",
        ),
    ],
)
def test_a_row_that_cannot_be_a_conversation_is_named(prepared, row, what):
    rows = [deepfabric("Oslo"), deepfabric("Rome"), row, deepfabric("Lima")]
    assert refusal(prepared, rows).what == what


def test_a_row_that_the_template_refuses_is_named(tokenizer_of, written, home):
    rows = [{"messages": [user("Hi"), assistant("Ho")]}, {"messages": [user("Hi"), user("Hi"), assistant("Ho")]}]
    path = written("rows.jsonl", jsonl(rows))
    with pytest.raises(UserError) as caught:
        prepare(Data(source=str(path)), tokenizer_of("gemma3"), 100, 42, home)
    assert caught.value.what == "Row 2 cannot be rendered by this model's chat template."
    assert "roles must alternate" in caught.value.why


@pytest.mark.parametrize(("count", "options"), [(1, {}), (2, {"eval_fraction": 0.5}), (3, {"max_length": 8})])
def test_too_few_rows_to_train_on_are_refused_with_where_they_went(prepared, count, options):
    error = refusal(prepared, [deepfabric(city) for city in CITIES[:count]], **options)
    assert "to train on" in error.what
    assert f"Of {count}," in error.why


def test_a_csv_without_known_columns_is_refused(written, qwen3, home):
    path = written("rows.csv", "question,reply\nHi,Ho\n")
    with pytest.raises(UserError, match="The columns of this dataset are not known"):
        prepare(Data(source=str(path)), qwen3, 100, 42, home)


def test_a_chosen_format_is_used_instead_of_the_seen_one(written, qwen3, home):
    rows = [{"messages": [user("Hi"), assistant("Ho")], "text": f"Once {number}"} for number in range(4)]
    path = written("rows.jsonl", jsonl(rows))
    result = prepare(Data(source=str(path), format="text", eval_fraction=0), qwen3, 100, 42, home)
    assert qwen3.decode(result.train[0]["input_ids"]) == "Once 0<|im_end|>"


def test_progress_is_told(prepared):
    told = []
    prepared(
        [deepfabric(str(number)) for number in range(250)], progress=lambda done, total: told.append((done, total))
    )
    assert told == [(0, 250), (100, 250), (200, 250), (250, 250)]


@pytest.mark.parametrize("name", ["glaive_toolcall_en_demo.json", "alpaca_en_demo.json"])
def test_real_rows_are_prepared_whole(tokenizer_of, home, name):
    if not (SHARED / name).exists():
        pytest.skip(f"{name} is not beside this checkout")
    result = prepare(Data(source=str(SHARED / name)), tokenizer_of("qwen3"), 100_000, 42, home)
    assert result.rows == len(result.train) + len(result.eval)
    assert (result.cut_rows, result.left_out) == ([], [])
    assert 0 < result.trained_tokens < result.total_tokens
