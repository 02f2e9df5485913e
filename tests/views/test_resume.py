import pytest

from dfgui.training.resume import RESUMABLE
from dfgui.views import resume

SAVED = [
    {"step": 20, "eval_loss": 0.7123, "best": True},
    {"step": 40, "eval_loss": 0.73, "best": False},
    {"step": 52, "eval_loss": None, "best": False},
]


def choices(run, behind=(32, 12, 0)):
    return resume.choices(run, SAVED, list(behind), RESUMABLE)


@pytest.mark.parametrize("status", ["stopped", "failed", "interrupted", "finished"])
def test_a_run_that_ended_early_can_go_on(row, status):
    assert resume.offered(row(status=status), SAVED)
    assert not resume.offered(row(status=status), [])


def test_a_run_that_goes_on_or_has_done_all_its_steps_cannot(row):
    assert not resume.offered(row(), SAVED)
    assert not resume.offered(row(status="finished", global_step=601), SAVED)
    assert not resume.offered(row(status="stopped", max_steps=None), [])


def test_a_run_whose_last_checkpoint_could_not_be_written_goes_on_from_the_one_before(row):
    assert resume.offered(row(status="failed", global_step=601), SAVED)


def test_the_newest_checkpoint_is_offered_first_each_with_its_held_out_loss(row):
    offered = choices(row(status="stopped"))["checkpoints"]
    assert [one["step"] for one in offered] == [52, 40, 20]
    assert [one["label"] for one in offered] == ["52", "40 · held-out loss 0.730", "20 · held-out loss 0.712, the best"]


def test_it_says_what_is_set_aside(row):
    last, older, _ = choices(row(status="stopped"))["checkpoints"]
    assert last["words"] == "Goes on from checkpoint 52 to step 601, with the same schedule."
    assert older["words"].endswith("What was logged after step 40 (12 points, 1 checkpoint) is set aside, not lost.")


def test_settings_that_may_change_come_with_the_values_of_the_run(row):
    found = {one["name"]: one["value"] for one in choices(row(status="stopped"))["settings"]}
    assert found == {"logging_steps": 5, "save_steps": 100, "eval_steps": 50, "save_total_limit": 0}


def test_settings_without_an_effect_in_this_run_are_not_offered(row):
    run = row(status="stopped", facts={"eval_rows": 0})
    run["config"]["training"]["save_strategy"] = "epoch"
    assert [one["name"] for one in choices(run)["settings"]] == ["logging_steps", "save_total_limit"]
