"""Folded groups say their values in one line."""

import pytest

from dfgui.config import GROUPS
from dfgui.ui.form import defaults
from dfgui.views import estimate


def test_every_group_has_a_line():
    assert all(estimate.headline(group, defaults()) for group in GROUPS)


def test_the_effective_batch_counts_devices():
    values = defaults()
    assert estimate.headline("batch", values) == "4 x 4 = 16 rows per step"
    assert estimate.headline("batch", values, devices=2) == "4 x 4 on 2 devices = 32 rows per step"


def test_steps_go_before_epochs():
    assert estimate.headline("duration", defaults()).startswith("3 epochs")
    assert estimate.headline("duration", defaults() | {"training.max_steps": 60}).startswith("60 steps")


def test_a_share_of_warm_up_is_told_from_a_count():
    assert "warm-up 10 %" in estimate.headline("schedule", defaults() | {"training.warmup_steps": 0.1})
    assert "warm-up 10 steps" in estimate.headline("schedule", defaults() | {"training.warmup_steps": 10})


def test_rows_that_are_left_out_are_spoken_of():
    assert "left out" not in estimate.headline("data", defaults())
    assert "some rows left out" in estimate.headline("data", defaults() | {"data.leave_out": ["duplicate"]})


def test_early_stopping_says_when_it_stops_and_what_it_ends_with():
    assert estimate.headline("stopping", defaults()) == "off"
    stopping = {"early_stopping.patience": 3, "early_stopping.load_best_model_at_end": True}
    line = estimate.headline("stopping", defaults() | stopping)
    assert line == "after 3 evaluations without a better eval_loss, ends with the best"


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("wrong", [None, "", "abc"])
def test_a_half_written_form_still_has_its_lines(group, wrong):
    estimate.headline(group, dict.fromkeys(defaults(), wrong))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (16, "16"),
        (1024, "1,024"),
        (2e-4, "2e-4"),
        (1.5e-5, "1.5e-5"),
        (0.05, "0.05"),
        (3.0, "3"),
        (0, "0"),
        (None, "–"),
    ],
)
def test_numbers_read_as_people_write_them(value, words):
    assert estimate.number(value) == words


def test_the_model_says_which_chat_template_it_gets_where_that_is_not_its_own():
    own = {"model.chat_template": "own", "model.tools_in": "template"}
    assert estimate.headline("model", own) == "as it comes"
    other = own | {"model.chat_template": "gemma3", "model.tools_in": "system"}
    assert estimate.headline("model", other) == "chat template gemma3, tools in the system message"


@pytest.mark.parametrize(
    ("group", "values", "line"),
    [
        ("optimiser", {}, "adamw_torch_fused"),
        (
            "optimiser",
            {"training.weight_decay": 0.01, "training.neftune_noise_alpha": 5, "training.loss_type": "dft"},
            "adamw_torch_fused, weight decay 0.01, NEFTune 5, loss dft",
        ),
        ("memory", {}, "checkpointing auto"),
        ("memory", {"training.gradient_checkpointing": True}, "checkpointing on"),
        (
            "memory",
            {"training.gradient_checkpointing": False, "model.attn_implementation": "eager"},
            "checkpointing off, attention eager",
        ),
        ("precision", {}, "chosen by the hardware, weights held as the method needs"),
        ("adapter", {"adapter.use_rslora": True, "adapter.use_dora": True}, "rank 16, alpha 32, rsLoRA, DoRA"),
        ("logging", {"training.logging_steps": 1}, "every step"),
        ("checkpoints", {"training.save_total_limit": 3}, "every 100 steps, the newest 3 kept"),
        ("checkpoints", {"training.save_strategy": "epoch"}, "each epoch"),
        ("evaluation", {"training.eval_on_start": True}, "every 50 steps, and once before"),
        ("evaluation", {"training.eval_on_start": True, "training.eval_strategy": "no"}, "off"),
        ("extra", {}, "none"),
        ("extra", {"extra": {"adam_beta2": 0.95}}, "adam_beta2: 0.95"),
        ("extra", {"extra": "adam_beta2: 0.95\n\ntf32: true"}, "adam_beta2: 0.95, tf32: true"),
    ],
)
def test_a_group_says_what_is_special_about_it(group, values, line):
    assert estimate.headline(group, defaults() | values) == line
