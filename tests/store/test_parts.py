"""A resumed run: what lay behind its checkpoint is set aside, and the curve is whole again."""

import math

import pytest

from dfgui.store import Writer
from dfgui.store.metrics import WIDTHS


def logged(store, run, values):
    with Writer(store.path, run) as writer:
        for step, value in values:
            writer.log(step, {"loss": value})
        writer.progress(global_step=values[-1][0])


def curves(store, run):
    """The curve as buckets of every width."""
    end = store.metrics.last(run, "loss")[0]
    return [store.metrics.series(run, "loss", buckets=end // width + 2) for width in [1, *WIDTHS]]


@pytest.mark.parametrize("step", [1, 15, 16, 63, 64, 100, 255, 256, 700, 1000])
def test_after_a_resume_the_buckets_are_those_of_a_curve_that_ended_there(store, run, other_run, step):
    values = [(n, n * 37 % 101 / 8 if n % 50 else math.nan) for n in range(1, 1001)]  # sums are exact
    values[13] = (14, math.inf)
    logged(store, run, values)
    logged(store, other_run, values[:step])
    store.parts.begin(run, step)
    assert curves(store, run) == curves(store, other_run)


def test_points_behind_the_checkpoint_are_kept_aside_and_not_mixed_in(store, run):
    logged(store, run, [(1, 3.0), (2, 2.5), (3, 2.0)])
    store.parts.begin(run, 1)
    logged(store, run, [(2, 2.6)])
    store.parts.begin(run, 1)
    assert store.metrics.points(run, "loss") == [[1, 3.0]]
    assert store.parts.aside(run, "loss") == [[1, 2, 2.5], [1, 3, 2.0], [2, 2, 2.6]]
    assert [(part["part"], part["from_step"], part["left_at_step"]) for part in store.parts.of(run)] == [
        (2, 1, 3),
        (3, 1, 2),
    ]


def test_the_run_stands_at_the_checkpoint_and_speaks_of_none_behind_it(store, run):
    with Writer(store.path, run) as writer:
        for step in (20, 40):
            writer.log(step, {"eval_loss": step / 10})
            writer.checkpoint(step, f"checkpoint-{step}", "full", 10, step / 10)
        writer.progress(global_step=45, eval_loss=4.0)
    store.parts.begin(run, 20)
    row = store.runs.get(run)
    assert (row["global_step"], row["begun_at_step"], row["resume_step"], row["eval_loss"]) == (20, 20, None, 2.0)
    assert [one["step"] for one in store.checkpoints.of(run)] == [20]


def test_what_somebody_reads_is_held_until_he_is_done_or_gone(store, run):
    with store.holds.hold(run, 20), store.holds.hold(run, 40):
        assert store.holds.of(run) == {20, 40}
    assert store.holds.of(run) == set()
