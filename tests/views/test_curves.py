from dfgui.views import curves


def one(step, value):
    """A bucket of a single point, as the store gives it."""
    return [step, value, value, value, int(value is None), value]


def test_few_points_are_shown_as_they_are():
    drawn = curves.curve([one(1, 2.0), one(2, 1.5)])
    assert drawn == {"steps": [1, 2], "mean": [2.0, 1.5]}


def test_buckets_keep_their_mean_and_their_extremes():
    drawn = curves.curve([[16, 1.0, 3.0, 2.5, 0, 2.0], [32, 1.0, 99.0, 1.5, 0, 7.123456]])
    assert drawn == {"steps": [16, 32], "mean": [2.0, 7.123], "low": [1.0, 1.0], "high": [3.0, 99.0]}


def test_a_nan_stays_visible():
    drawn = curves.curve([one(1, 1.0), [16, 1.0, 2.0, None, 3, 1.5], one(17, None)])
    assert drawn["nans"] == [[16, 3], [17, 1]]
    assert drawn["mean"] == [1.0, 1.5, None]


def test_no_point_is_no_point():
    assert curves.curve([]) == {"steps": [], "mean": []}


def test_new_points_are_sent_flat_and_with_the_digits_a_screen_can_show():
    assert curves.added([[241, 0.8234567], [242, None]]) == [241, 0.8235, 242, None]
