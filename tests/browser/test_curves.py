"""The curves that the page holds, and their smoothing: the scripts alone, without a server."""

import pytest

from dfgui.ui.theme import UI

NAMES = ["loss", "eval_loss"]


@pytest.fixture
def scripts(browser):
    page = browser.new_page()
    page.add_script_tag(content="window.dfgui = {}")
    page.add_script_tag(path=UI / "components" / "curves.js")
    yield page
    page.close()


def smoothed(page, steps, mean, weight):
    return page.evaluate("([steps, mean, weight]) => dfgui.smoothed({steps, mean}, weight)", [steps, mean, weight])


def test_a_constant_stays_what_it_is_from_its_first_point(scripts):
    assert smoothed(scripts, [1, 2, 3, 4], [2, 2, 2, 2], 0.9) == pytest.approx([2, 2, 2, 2])


def test_no_smoothing_changes_nothing(scripts):
    assert smoothed(scripts, [1, 2, 3], [3, 1, 2], 0) == [3, 1, 2]


def test_smoothing_is_the_exponential_mean_without_a_pull_to_zero(scripts):
    first, second, third = smoothed(scripts, [1, 2, 3], [1, 2, 4], 0.5)
    assert first == 1
    assert second == pytest.approx((0.5 * 1 + 2) / 1.5)
    assert third == pytest.approx((0.25 * 1 + 0.5 * 2 + 4) / 1.75)


def test_a_longer_gap_keeps_less_of_what_came_before(scripts):
    near = smoothed(scripts, [0, 10, 20, 30], [0, 0, 0, 1], 0.9)[-1]
    far = smoothed(scripts, [0, 1, 2, 30], [0, 0, 0, 1], 0.9)[-1]
    assert far > near


def test_a_nan_stays_a_gap_and_spoils_nothing(scripts):
    assert smoothed(scripts, [1, 2, 3], [1, None, 1], 0.6) == pytest.approx([1, None, 1])


def test_new_points_follow_the_old_ones_and_move_the_cursor(scripts):
    held = """(names) => {
        const curves = dfgui.curves(names);
        const before = curves.cursor();
        curves.take({curves: {loss: {steps: [1, 2], mean: [3, 2]}}});
        curves.take({points: {loss: [3, null, 4, 1]}});
        const loss = curves.get('loss');
        return [before, curves.cursor(), loss.steps, loss.nans, curves.latest('loss').value];
    }"""
    assert scripts.evaluate(held, NAMES) == [None, [4, -1], [1, 2, 3, 4], [[3, 1]], 1]


def test_too_many_points_are_asked_for_afresh(scripts):
    many = """(names) => {
        const curves = dfgui.curves(names);
        curves.take({curves: {}});
        for (let step = 0; step < 2001; step++) curves.take({points: {loss: [step, 1]}});
        return curves.cursor();
    }"""
    assert scripts.evaluate(many, NAMES) is None
