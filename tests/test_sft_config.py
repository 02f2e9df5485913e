"""Every setting of SFTConfig can be reached, or it is said why not; and files written for it read here."""

import dataclasses
import re
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter
from transformers.trainer_utils import SchedulerType
from transformers.training_args import OptimizerNames
from trl import SFTConfig

from dfgui.config import OPTIMIZERS, RunConfig, Training, older
from dfgui.config.optimisation import SCHEDULERS
from dfgui.config.sft_config import EXTRA, OWN
from dfgui.models.hardware import Hardware
from dfgui.recipe import parse
from dfgui.training import sft

FIELDS = {field.name: field for field in dataclasses.fields(SFTConfig)}
PAGE = Path(__file__).parents[2] / "shared" / "reference" / "training_frameworks.md"
CPU = Hardware("cpu", "CPU", False, 8 * 10**9)


def aliases() -> set[str]:
    """What of `training` has another name here."""
    return {path.removeprefix("training.") for path in older.OLDER} | {"bf16", "fp16"}


def test_each_field_is_a_setting_or_an_older_name_or_extra_or_dfguis_own():
    places = [set(Training.model_fields), aliases(), set(EXTRA), set(OWN)]
    for name in FIELDS:
        assert sum(name in place for place in places) == 1, name


def test_no_table_names_what_sft_config_does_not_have():
    assert (set(EXTRA) | set(OWN)) <= set(FIELDS)
    assert set(Training.model_fields) - set(FIELDS) == {"precision"}


def test_an_extra_setting_takes_what_sft_config_has_by_default():
    for name, kind in EXTRA.items():
        TypeAdapter(kind).validate_python(
            FIELDS[name].default if FIELDS[name].default is not dataclasses.MISSING else []
        )


def test_all_optimisers_and_schedules_of_transformers_are_there():
    assert set(OPTIMIZERS) == {name.value for name in OptimizerNames}
    assert set(SCHEDULERS) == {name.value for name in SchedulerType}


def test_what_is_set_reaches_the_trainers_arguments(tmp_path):
    run = parse(
        {
            "training": {
                "lr_scheduler_type": "cosine_with_min_lr",
                "lr_scheduler_kwargs": {"min_lr": 1e-5},
                "neftune_noise_alpha": 5,
                "train_sampling_strategy": "group_by_length",
                "loss_type": "nll",
                "eval_on_start": True,
                "adam_beta2": 0.95,
            },
            "extra": {"logging_first_step": True, "data_seed": 7},
        }
    )
    arguments = sft.sft_arguments(run, tmp_path, True, CPU, "fp32")
    made = SFTConfig(**arguments)
    assert (made.lr_scheduler_kwargs, made.neftune_noise_alpha, made.loss_type) == ({"min_lr": 1e-5}, 5, "nll")
    assert (made.train_sampling_strategy, made.eval_on_start) == ("group_by_length", True)
    assert (made.adam_beta2, made.logging_first_step, made.data_seed) == (0.95, True, 7)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"training": {"evaluation_strategy": "epoch"}}, {"training": {"eval_strategy": "epoch"}}),
        (
            {"training": {"group_by_length": True}},
            {"training": {"train_sampling_strategy": "group_by_length"}},
        ),
        ({"training": {"group_by_length": False}}, {}),
        ({"training": {"report_to": "tensorboard"}}, {"trackers": ["tensorboard"]}),
        ({"training": {"report_to": "none"}}, {}),
        ({"training": {"assistant_only_loss": True}}, {"data": {"train_on": "assistant"}}),
        ({"training": {"completion_only_loss": True}}, {"data": {"train_on": "completion"}}),
        ({"training": {"completion_only_loss": False}}, {"data": {"train_on": "everything"}}),
        (
            {"training": {"load_best_model_at_end": True, "metric_for_best_model": "loss", "save_steps": 50}},
            {"early_stopping": {"load_best_model_at_end": True}, "training": {"save_steps": 50}},
        ),
        ({"training": {"dataset_text_field": "text"}}, {}),
        ({"training": {"dataset_text_field": "body"}}, {"data": {"text_column": "body"}}),
        ({"training": {"early_stopping_patience": 3}}, {"early_stopping": {"patience": 3}}),
        ({"training": {"no_cuda": True, "overwrite_output_dir": True, "logging_dir": "x"}}, {}),
        ({"training": {"adam_beta2": 0.95}}, {"extra": {"adam_beta2": 0.95}}),
        ({"model": {"model_name": "demo", "max_seq_length": 2048}}, {"training": {"max_length": 2048}}),
        ({"adapter": {"random_state": 3407}}, {"training": {"seed": 3407}}),
        ({"training": {"use_gradient_checkpointing": "unsloth"}}, {"training": {"gradient_checkpointing": True}}),
        ({"training": {"packing_strategy": "bfd-requeue"}}, {"training": {"packing_strategy": "bfd_split"}}),
    ],
)
def test_names_from_elsewhere_are_understood(given, found):
    assert parse(given) == parse(found)


def test_a_name_of_today_wins_over_one_of_yesterday_unless_it_asks_for_nothing():
    assert parse({"training": {"max_seq_length": 512, "max_length": 256}}).training.max_length == 256
    assert parse({"training": {"output_dir": "./a", "run_name": "b"}, "name": "c"}).name == "c"
    assert parse({"training": {"warmup_ratio": 0.1, "warmup_steps": 0}}).training.warmup_steps == 0.1


def test_each_name_that_was_another_is_told():
    values = {"training": {"max_seq_length": 512, "no_cuda": True, "bf16": True, "tf32": True, "seed": 1}}
    assert older.translated(values)[1] == [
        "training.max_seq_length is training.max_length here.",
        "training.no_cuda is not needed: the hardware decides, or `precision`.",
        "training.bf16 is training.precision here.",
        "training.tf32 is extra.tf32 here.",
    ]
    assert values["training"]["max_seq_length"] == 512  # what was given is left as it is


def test_a_config_says_nothing_of_itself():
    assert older.translated(RunConfig().model_dump())[1] == []


@pytest.mark.skipif(not PAGE.is_file(), reason="the reference page is not beside the project")
def test_every_sft_config_parameter_of_the_reference_page_is_found_by_its_name():
    calls = re.findall(r"SFTConfig\((.*?)^\s*\)", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    written = [dict(re.findall(r"^\s*(\w+)=([^,\n]+),", call, re.MULTILINE)) for call in calls]
    assert len(set().union(*written)) > 20
    for call in written:  # but for what is a program's question, which `precision: auto` asks
        known = {name: yaml.safe_load(value.rstrip(")")) for name, value in call.items() if "cuda" not in value}
        parse({"training": {"save_steps": 100} | known})
