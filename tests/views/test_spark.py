from dfgui.views.spark import LEVELS, MOST, spark


def buckets(values):
    return [[step, value, value, value, value is None, value] for step, value in enumerate(values)]


def test_the_lowest_value_is_the_first_letter_and_the_highest_the_last():
    assert spark(buckets([4.0, 2.0, 0.0])) == f"{LEVELS[-1]}{LEVELS[32]}{LEVELS[0]}"


def test_a_long_curve_has_forty_parts_and_each_is_their_mean():
    drawn = spark(buckets([float(step % 2) + step for step in range(640)]))
    assert len(drawn) == MOST and list(drawn) == sorted(drawn, key=LEVELS.index)


def test_what_is_no_number_is_a_gap():
    assert spark(buckets([1.0, None, 2.0])) == f"{LEVELS[0]}.{LEVELS[-1]}"
    assert spark(buckets([1.0, float("inf"), 2.0]))[1] == "."
    assert spark(buckets([None, None])) == ".."


def test_one_point_is_no_curve_and_a_flat_one_lies_in_the_middle():
    assert spark(buckets([1.0])) == ""
    assert set(spark(buckets([1.0] * 5))) == {LEVELS[32]}
