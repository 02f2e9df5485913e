from dfgui.store import clock

NOW = 1080.0


def row(**changes):
    """80 seconds and 240 steps after the first step ended."""
    return {"global_step": 241, "begun_at_step": 0, "first_step_at": 1000.0, "ended_at": None} | changes


def test_the_pace_counts_from_the_end_of_the_first_step():
    assert clock.rate(row(), NOW) == 3.0
    assert clock.rate(row(global_step=1), NOW) is None
    assert clock.rate(row(global_step=0, first_step_at=None), NOW) is None


def test_a_resumed_run_counts_the_part_that_trains_now():
    """40 steps since checkpoint 200 in 80 seconds; what the parts before it took does not count."""
    assert clock.rate(row(begun_at_step=200), NOW) == 0.5
    assert clock.rate(row(begun_at_step=240), NOW) is None  # its first step


def test_the_clock_of_a_run_that_has_ended_stands_still():
    assert clock.seconds(row(ended_at=1080.0), 999_999.0) == 80.0
    assert clock.rate(row(ended_at=1080.0), 999_999.0) == 3.0


def test_a_clock_that_was_set_back_counts_no_time():
    assert clock.seconds(row(), 900.0) == 0.0
    assert clock.rate(row(), 900.0) is None
