from dfgui.views import curves


def one(step, value):
    """A bucket of a single point, as the store gives it."""
    return [step, value, value, value, int(value is None)]


def test_few_points_are_shown_as_they_are():
    drawn = curves.curve([one(1, 2.0), one(2, 1.5)])
    assert drawn == {"steps": [1, 2], "mean": [2.0, 1.5]}


def test_many_points_become_a_few_and_the_spike_stays():
    buckets = [one(step, 1.0) for step in range(1, 4001)]
    buckets[1234] = one(1235, 99.0)
    drawn = curves.curve(buckets, most=500)
    assert len(drawn["steps"]) == 500
    assert max(drawn["high"]) == 99.0
    assert drawn["steps"][-1] == 4000


def test_the_mean_of_a_group_is_that_of_its_points():
    drawn = curves.curve([one(1, 1.0), one(2, 3.0), one(3, 5.0), one(4, 7.0)], most=2)
    assert drawn["mean"] == [2.0, 6.0]
    assert (drawn["low"], drawn["high"]) == ([1.0, 5.0], [3.0, 7.0])


def test_a_nan_stays_visible_in_its_group_and_out_of_its_mean():
    drawn = curves.curve([one(1, 1.0), one(2, None), one(3, None), one(4, None)], most=2)
    assert drawn["mean"] == [1.0, None]
    assert drawn["nans"] == [[2, 1], [4, 2]]


def test_no_point_is_no_point():
    assert curves.curve([]) == {"steps": [], "mean": []}


def test_new_points_are_sent_flat_and_with_the_digits_a_screen_can_show():
    assert curves.added([[241, 0.8234567], [242, None]]) == [241, 0.8235, 242, None]
