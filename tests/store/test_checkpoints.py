"""Only what is complete on the disk is listed, and the best is so by the metric that the run watches."""

import pytest

from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.store import Writer
from dfgui.store.news import News


@pytest.fixture
def saved(store, run):
    with Writer(store.path, run) as writer:
        for step, eval_loss in ((20, 0.7), (40, 0.5), (60, 0.6)):
            writer.checkpoint(step, f"checkpoint-{step}", "adapter", 1000 + step, eval_loss)
    return run


def test_the_lowest_eval_loss_is_the_best(store, saved):
    assert [(row["step"], row["best"]) for row in store.checkpoints.of(saved)] == [(20, False), (40, True), (60, False)]


def test_another_metric_that_the_run_watches_decides(store):
    watching = {"early_stopping": {"patience": 3, "metric": "eval_mean_token_accuracy"}}
    run = store.runs.create(RunConfig.model_validate(watching))
    with Writer(store.path, run) as writer:
        for step, accuracy in ((20, 0.8), (40, 0.7), (60, 0.8)):
            writer.log(step, {"eval_loss": 1 / step, "eval_mean_token_accuracy": accuracy})
            writer.checkpoint(step, f"checkpoint-{step}", "adapter", 1000, 1 / step)
    assert [row["step"] for row in store.checkpoints.of(run) if row["best"]] == [20]
    assert store.overview.checkpoints()[run]["best"] == 20


def test_without_evaluation_none_is_best(store, run):
    with Writer(store.path, run) as writer:
        writer.checkpoint(5, "checkpoint-5", "full", 10, None)
    assert [row["best"] for row in store.checkpoints.of(run)] == [False]


def test_the_overview_tells_of_each_run_what_its_own_list_tells(store, saved, other_run):
    with Writer(store.path, other_run) as writer:
        writer.checkpoint(5, "checkpoint-5", "full", 10, None)
    assert store.overview.checkpoints() == {
        saved: {"count": 3, "kept": 0, "last": 60, "best": 40},
        other_run: {"count": 1, "kept": 0, "last": 5, "best": None},
    }
    store.checkpoints.keep(saved, 20, True)
    assert store.overview.checkpoints()[saved]["kept"] == 1


def test_what_rotation_deletes_is_forgotten(store, saved):
    store.checkpoints.forget(saved, 20)
    assert [row["step"] for row in store.checkpoints.of(saved)] == [40, 60]


def test_a_step_without_a_checkpoint_says_which_there_are(store, saved):
    with pytest.raises(UserError, match="20, 40, 60"):
        store.checkpoints.get(saved, 30)


def test_a_kept_one_is_not_forgotten_until_the_mark_is_off(store, saved):
    assert store.checkpoints.keep(saved, 20, True)
    assert [row["kept"] for row in store.checkpoints.of(saved)] == [True, False, False]
    assert not store.checkpoints.forget(saved, 20)
    assert store.checkpoints.keep(saved, 20, False)
    assert store.checkpoints.forget(saved, 20)
    assert not store.checkpoints.keep(saved, 20, True)


def test_one_that_is_read_is_not_forgotten(store, saved, other_run):
    with store.holds.hold(other_run, 20):  # another run's is no reason
        assert store.checkpoints.forget(saved, 20)
    with store.holds.hold(saved, 40):
        assert not store.checkpoints.forget(saved, 40)
    assert store.checkpoints.forget(saved, 40)


def test_one_that_is_saved_again_stays_kept(store, saved):
    store.checkpoints.keep(saved, 20, True)
    with Writer(store.path, saved) as writer:
        writer.checkpoint(20, "checkpoint-20", "adapter", 5000, 0.4)
    again = store.checkpoints.get(saved, 20)
    assert (again["kept"], again["bytes"], again["eval_loss"]) == (True, 5000, 0.4)


def test_that_one_is_kept_is_news(store, saved):
    news = News(store.path)
    before = news.tag()
    store.checkpoints.keep(saved, 20, True)
    assert news.tag() != before
