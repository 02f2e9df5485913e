"""One class says what a run is asked to do; form, YAML and command line read it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfgui import config
from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.fields import specs
from dfgui.recipe import from_yaml, parse, problems, to_yaml

EXAMPLE = """
name: weather-lora
model: {name: demo}
data: {source: rows.jsonl, format: auto, eval_fraction: 0.1, tools: all}
method: lora
adapter: {r: 16, lora_alpha: 32, lora_dropout: 0.0, target_modules: all-linear}
training: {max_steps: 60, learning_rate: 2.0e-3, per_device_train_batch_size: 8, logging_steps: 1, save_steps: 20,
  max_length: 1024, seed: 42}
run: {placement: thread, backend: trl}
"""


def test_a_yaml_file_reads_as_it_is_written():
    read = from_yaml(EXAMPLE)
    assert (read.name, read.training.max_steps, read.training.learning_rate) == ("weather-lora", 60, 2e-3)
    assert from_yaml(to_yaml(read)) == read


def test_a_bare_no_is_the_word_and_not_the_truth_value():
    assert from_yaml("training: {eval_strategy: no}").training.eval_strategy == "no"
    assert from_yaml("", ["training.eval_strategy=no"]).training.eval_strategy == "no"
    assert "eval_strategy" in next(iter(problems({"training": {"eval_strategy": True}})))


def test_settings_on_the_command_line_win_over_the_file():
    read = from_yaml(EXAMPLE, ["training.max_steps=10", "training.learning_rate=2e-4", "model.name=./mine"])
    assert (read.training.max_steps, read.training.learning_rate, read.model.name) == (10, 2e-4, "./mine")


def test_a_learning_rate_nobody_chose_is_the_methods_own():
    assert RunConfig().training.learning_rate == 2e-4
    assert parse({"method": "full"}).training.learning_rate == 2e-5
    assert parse({"method": "full", "training": {"learning_rate": 1e-3}}).training.learning_rate == 1e-3


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ({"max_seq_length": 2048}, "max_length", 2048),
        ({"warmup_ratio": 0.1}, "warmup_steps", 0.1),
        ({"warmup_ratio": 0.0, "warmup_steps": 100}, "warmup_steps", 100),
        ({"bf16": True, "fp16": False}, "precision", "bf16"),
        ({"bf16": False, "fp16": True}, "precision", "fp16"),
        ({"bf16": False, "fp16": False}, "precision", "fp32"),
    ],
)
def test_older_names_of_the_reference_page_are_understood(given, name, value):
    assert getattr(parse({"training": given}).training, name) == value


def test_what_is_not_in_this_version_is_refused_as_such_unless_it_asks_for_nothing():
    asks_for_nothing = {"early_stopping": None, "callbacks": [], "trackers": []}
    assert parse(asks_for_nothing) == RunConfig()
    for asked in ({"early_stopping": {"patience": 3}}, {"trackers": ["wandb"]}):
        assert "not in this version" in next(iter(problems(asked).values()))


def test_output_dir_names_the_run():
    assert parse({"training": {"output_dir": "./out/weather"}}).title() == "weather"


@pytest.mark.parametrize(
    ("values", "path", "advice"),
    [
        ({"training": {"learning_rate": 0}}, "training.learning_rate", "more than 0"),
        ({"training": {"learning_rate": "fast"}}, "training.learning_rate", "not a number"),
        ({"training": {"learning_rate": float("nan")}}, "training.learning_rate", "finite"),
        ({"training": {"max_steps": 0}}, "training.max_steps", "-1"),
        ({"training": {"per_device_train_batch_size": 0}}, "training.per_device_train_batch_size", "at least 1"),
        ({"training": {"per_device_train_batch_size": 2.5}}, "training.per_device_train_batch_size", "whole number"),
        ({"training": {"save_steps": 0}}, "training.save_steps", "at least 1"),
        ({"training": {"warmup": 3}}, "training.warmup", "no setting of this name"),
        ({"training": {"bf16": True, "fp16": True}}, "training", "choose one"),
        ({"training": {"save_total_limit": 1}}, "training.save_total_limit", "0 to keep all"),
        ({"data": {"eval_fraction": 0.9}}, "data.eval_fraction", "at most 0.5"),
        ({"data": {"source": ""}}, "data.source", "Name a dataset"),
        ({"adapter": {"target_modules": " , "}}, "adapter.target_modules", "all-linear"),
        ({"method": "magic"}, "method", "lora"),
    ],
)
def test_what_is_wrong_is_named_beside_its_field_with_the_cure(values, path, advice):
    assert advice in problems(values)[path]
    with pytest.raises(UserError) as caught:
        parse(values)
    assert caught.value.field == path and advice in str(caught.value)


@pytest.mark.parametrize("text", ["a: [", "- just\n- a list", "training: 5", "nonsense: 1"])
def test_a_file_that_is_no_configuration_is_refused_in_words(text):
    with pytest.raises(UserError):
        from_yaml(text)


def test_target_modules_may_be_written_as_names():
    assert parse({"adapter": {"target_modules": "q_proj, v_proj"}}).adapter.target_modules == ["q_proj", "v_proj"]


def test_rows_per_step_counts_every_device():
    run = parse({"training": {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 8}})
    assert (run.rows_per_step(), run.rows_per_step(devices=4)) == (16, 64)


def test_every_setting_explains_itself():
    for spec in specs():
        assert spec.title and spec.help.endswith(".") and spec.group in config.GROUPS, spec.path
        assert spec.level in ("basic", "advanced")


@settings(max_examples=60, deadline=None)
@given(
    steps=st.integers(1, 10**6),
    rate=st.floats(1e-8, 1, allow_nan=False),
    rank=st.integers(1, 1024),
    method=st.sampled_from(["lora", "full"]),
    name=st.text(max_size=30),
)
def test_any_config_survives_yaml(steps, rate, rank, method, name):
    run = parse(
        {
            "name": name,
            "method": method,
            "adapter": {"r": rank},
            "training": {"max_steps": steps, "learning_rate": rate},
        }
    )
    assert from_yaml(to_yaml(run)) == run


def test_an_output_dir_of_nothing_names_nothing():
    assert parse({"training": {"output_dir": None}}).name == ""


def test_a_block_left_empty_takes_overrides():
    assert from_yaml("training:\n", ["training.max_steps=3"]).training.max_steps == 3


def test_an_override_that_is_not_yaml_is_refused_in_words():
    with pytest.raises(UserError, match="not YAML"):
        from_yaml("{}", ["name=[1"])
