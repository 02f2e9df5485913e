"""One class says what a run is asked to do; form, YAML and command line read it."""

import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dfgui import config
from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.fields import specs
from dfgui.recipe import from_yaml, parse, problems, to_short_yaml, to_yaml

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


def test_a_block_that_asks_for_nothing_may_stand_there():
    assert parse({"early_stopping": None, "callbacks": None, "extra": None, "trackers": []}) == RunConfig()


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
        ({"training": {"warmup": 3}}, "training.warmup", "Did you mean warmup_steps?"),
        ({"adaptor": {"r": 8}}, "adaptor", "There is no setting of this name."),
        ({"adapter": {"rank": 8}}, "adapter.rank", "There is no setting of this name."),
        ({"training": {"push_to_hub": True}}, "training.push_to_hub", "exported once it is saved"),
        ({"training": {"bf16": True, "fp16": True}}, "training.precision", "choose one"),
        ({"extra": {"learning_rate": 1e-3}}, "extra", "training.learning_rate"),
        ({"extra": {"adam_beta": 0.9}}, "extra", "Did you mean adam_beta"),
        ({"extra": {"adam_beta1": "high"}}, "extra", "takes float"),
        ({"extra": {"deepspeed": "ds.json"}}, "extra", "run.accelerate_config"),
        ({"extra": "a: ["}, "extra", "name: value"),
        ({"training": {"lr_scheduler_kwargs": "min_lr"}}, "training.lr_scheduler_kwargs", "dictionary"),
        ({"training": {"save_total_limit": 1}}, "training.save_total_limit", "0 to keep all"),
        ({"data": {"eval_fraction": 0.9}}, "data.eval_fraction", "at most 0.5"),
        ({"data": {"source": ""}}, "data.source", "Name a dataset"),
        ({"adapter": {"target_modules": " , "}}, "adapter.target_modules", "all-linear"),
        ({"method": "magic"}, "method", "lora"),
        ({"early_stopping": {"threshold": 0.01}}, "early_stopping.patience", "for example to 3"),
        ({"early_stopping": {"metric": "eval_loss"}}, "early_stopping.patience", "for example to 3"),
        ({"early_stopping": {"patience": 0, "threshold": 0.01}}, "early_stopping.patience", "for example to 3"),
        (
            {"early_stopping": {"load_best_model_at_end": True, "threshold": 1}},
            "early_stopping.patience",
            "nothing stops",
        ),
        ({"early_stopping": {"patience": 3, "metric": "bleu"}}, "early_stopping.metric", "eval_loss"),
        ({"callbacks": ["just_a_name"]}, "callbacks.0.use", "package.module:Class"),
        ({"callbacks": ["../else.py:Class"]}, "callbacks.0.use", "callbacks folder"),
        ({"callbacks": [{"use": "a:B", "args": {"api_key": "12345"}}]}, "callbacks.0.args", "@env:NAME"),
    ],
)
def test_what_is_wrong_is_named_beside_its_field_with_the_cure(values, path, advice):
    assert advice in problems(values)[path]
    with pytest.raises(UserError) as caught:
        parse(values)
    assert caught.value.field == path and advice in str(caught.value)


KEPT_BEST = {"early_stopping": {"load_best_model_at_end": True}}


@pytest.mark.parametrize(
    ("values", "path", "advice"),
    [
        (KEPT_BEST | {"training": {"eval_strategy": "epoch"}}, "training.save_strategy", "Save by epoch"),
        (KEPT_BEST | {"training": {"eval_steps": 40, "save_steps": 100}}, "training.save_steps", "Save every 80 steps"),
        (KEPT_BEST | {"training": {"eval_strategy": "no"}}, "training.eval_strategy", "Evaluate by steps"),
        (KEPT_BEST | {"data": {"eval_fraction": 0}}, "data.eval_fraction", "Hold out a tenth"),
        ({"early_stopping": {"patience": 2}, "data": {"eval_fraction": 0}}, "data.eval_fraction", "Hold out a tenth"),
        (
            {"training": {"lr_scheduler_type": "reduce_lr_on_plateau", "eval_strategy": "no"}},
            "training.eval_strategy",
            "Evaluate by steps",
        ),
        (
            {"training": {"lr_scheduler_type": "cosine_with_min_lr"}},
            "training.lr_scheduler_kwargs",
            "`min_lr: 1.0e-5`",
        ),
        (
            {"training": {"lr_scheduler_type": "warmup_stable_decay"}},
            "training.lr_scheduler_kwargs",
            "`num_decay_steps: 100`",
        ),
        (
            {"training": {"lr_scheduler_type": "cosine", "lr_scheduler_kwargs": {"min_lr": 1e-5}}},
            "training.lr_scheduler_kwargs",
            "can be told num_cycles: take min_lr out",
        ),
        ({"training": {"lr_scheduler_kwargs": "power: 2"}}, "training.lr_scheduler_kwargs", "is told nothing"),
        ({"training": {"optim": "galore_adamw"}}, "extra", "`optim_target_modules: all-linear`"),
        ({"training": {"use_liger_kernel": True, "loss_type": "chunked_nll"}}, "training.loss_type", "auto or nll"),
        (
            {"training": {"packing": True, "train_sampling_strategy": "group_by_length"}},
            "training.train_sampling_strategy",
            "packing off",
        ),
        ({"adapter": {"use_dora": True}, "run": {"backend": "unsloth"}}, "adapter.use_dora", "choose TRL"),
    ],
)
def test_what_is_wrong_together_is_named_beside_the_field_to_change(values, path, advice):
    assert advice in problems(values)[path]


def test_all_that_is_wrong_together_is_named_at_once():
    wrong = problems({"training": {"optim": "galore_adamw", "lr_scheduler_type": "cosine_with_min_lr"}})
    assert set(wrong) == {"extra", "training.lr_scheduler_kwargs"}
    with pytest.raises(UserError) as caught:
        from_yaml("training: {max_steps: 0, seed: -1}")
    assert caught.value.what == "2 settings are not usable." and caught.value.field == "training.max_steps"
    assert "Max steps (training.max_steps)" in caught.value.why and "Seed (training.seed)" in caught.value.why


@pytest.mark.parametrize(
    "values",
    [
        KEPT_BEST | {"training": {"eval_steps": 40, "save_steps": 80}},
        KEPT_BEST | {"training": {"eval_strategy": "epoch", "save_strategy": "epoch"}},
        KEPT_BEST | {"data": {"eval_fraction": 0, "eval_source": "held.jsonl"}},
        {"training": {"lr_scheduler_type": "cosine_with_min_lr", "lr_scheduler_kwargs": "min_lr_rate: 0.1"}},
        {"training": {"optim": "galore_adamw"}, "extra": {"optim_target_modules": "all-linear"}},
        {"training": {"use_liger_kernel": True}},
        {"method": "full", "adapter": {"use_dora": True}, "run": {"backend": "unsloth"}},
    ],
)
def test_what_fits_together_is_let_through(values):
    assert problems(values) == {}


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


def test_a_short_file_says_what_a_person_would_have_written():
    assert to_short_yaml(RunConfig()) == "model:\n  name: demo\ndata:\n  source: demo\nmethod: lora\n"
    run = parse({"method": "full", "training": {"max_steps": 60, "packing": True}, "early_stopping": {"patience": 3}})
    assert yaml.safe_load(to_short_yaml(run)) == {
        "model": {"name": "demo"},
        "data": {"source": "demo"},
        "method": "full",
        "training": {"max_steps": 60, "packing": True},
        "early_stopping": {"patience": 3},
    }


def test_an_output_dir_of_nothing_names_nothing():
    assert parse({"training": {"output_dir": None}}).name == ""


def test_a_block_left_empty_takes_overrides():
    assert from_yaml("training:\n", ["training.max_steps=3"]).training.max_steps == 3


def test_an_override_that_is_not_yaml_is_refused_in_words():
    with pytest.raises(UserError, match="not YAML"):
        from_yaml("{}", ["name=[1"])


def test_an_override_of_nothing_is_an_empty_text_or_what_may_be_absent():
    file = "{name: mine, data: {system: Be brief.}, run: {accelerate_config: fsdp.yaml}}"
    read = from_yaml(file, ["name=", "data.system=", "run.accelerate_config= "])
    assert (read.name, read.data.system, read.run.accelerate_config) == ("", None, "")
    assert from_yaml("trackers: [wandb]", ["trackers="]).trackers == []
    assert from_yaml("training: {learning_rate: 1}", ["training.learning_rate="]).training.learning_rate == 2e-4


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("model.name", "Name a model"),
        ("adapter.target_modules", "Write all-linear"),
        ("method", "It is empty: use 'lora' or 'full'."),
        ("training.max_steps", "A whole number is needed."),
        ("training.packing", "It is either true or false."),
        ("data.leave_out", "A list is needed."),
    ],
)
def test_an_override_of_nothing_is_refused_where_something_is_needed(path, advice):
    with pytest.raises(UserError, match=re.escape(advice)) as refused:
        from_yaml("", [f"{path}="])
    assert refused.value.field == path


def test_early_stopping_reads_as_on_the_reference_page():
    read = from_yaml("early_stopping: {patience: 3, threshold: 0.01}").early_stopping
    assert (read.patience, read.threshold, read.metric, read.greater) == (3, 0.01, "eval_loss", False)
    accuracy = from_yaml("", ["early_stopping.patience=2", "early_stopping.metric=mean_token_accuracy"]).early_stopping
    assert (accuracy.metric, accuracy.greater) == ("eval_mean_token_accuracy", True)
    assert parse({"early_stopping": {"patience": 1, "greater_is_better": True}}).early_stopping.greater


def test_the_best_may_be_kept_without_stopping_early():
    read = parse({"early_stopping": {"load_best_model_at_end": True, "metric": "eval_entropy"}})
    assert (read.early_stopping.patience, read.early_stopping.load_best_model_at_end) == (0, True)
    assert parse({"early_stopping": {"load_best_model_at_end": False}}) == RunConfig()


def test_a_callback_may_be_written_as_its_name_alone():
    read = from_yaml("callbacks: [my.module:Mine, {use: 'own.py:Own', args: {trainer: '@trainer'}, detach: false}]")
    assert [(one.use, one.args, one.detach) for one in read.callbacks] == [
        ("my.module:Mine", {}, True),
        ("own.py:Own", {"trainer": "@trainer"}, False),
    ]
    assert from_yaml(to_yaml(read)) == read


def test_trackers_are_a_list_one_name_or_none():
    for listed in ("tensorboard", ["tensorboard"], ["tensorboard", "tensorboard", "none"]):
        assert parse({"trackers": listed}).trackers == ["tensorboard"]
    for listed in (None, [], "none"):
        assert parse({"trackers": listed}).trackers == []
    assert parse({"training": {"report_to": ["wandb"]}}).trackers == ["wandb"]


@pytest.mark.parametrize("given", ["mlflow", [{"tensorboard": True}], 3])
def test_a_tracker_that_is_unknown_is_refused_by_name(given):
    with pytest.raises(UserError) as caught:
        parse({"trackers": given})
    assert caught.value.field.startswith("trackers")


@pytest.mark.parametrize(("given", "kept"), [(None, None), ("", None), (" main ", "main"), ("refs/pr/4", "refs/pr/4")])
def test_a_revision_is_a_branch_a_tag_or_a_commit(given, kept):
    assert RunConfig.model_validate({"model": {"revision": given}}).model.revision == kept


@pytest.mark.parametrize("given", ["../../x", "a b", "/etc", "-x", "a..b"])
def test_what_cannot_be_a_revision_is_refused(given):
    assert "letters, digits" in problems({"model": {"revision": given}})["model.revision"]
