import pytest

from dfgui import words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"),
        (0, "0 s"),
        (8.4, "8 s"),
        (99, "99 s"),
        (100, "2 min"),
        (372, "6 min"),
        (3599, "1 h"),
        (7800, "2 h 10 min"),
        (86400 * 3 + 4 * 3600, "3 days 4 h"),
    ],
)
def test_a_duration_is_said_as_people_say_it(seconds, said):
    assert words.duration(seconds) == said


def test_an_exact_duration_has_hours_minutes_and_seconds():
    assert words.clock(372) == "0:06:12"
    assert words.clock(7325.4) == "2:02:05"


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (None, "–"),
        (512, "512 bytes"),
        (31_400_000, "31 MB"),
        (1_200_000_000, "1.2 GB"),
        (999_600, "1.0 MB"),
        (3_100_000, "3.1 MB"),
        (5e15, "5000 TB"),
    ],
)
def test_sizes_are_counted_as_disks_count_them(count, said):
    assert words.size(count) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "–"),
        (0, "0"),
        (0.7128, "0.713"),
        (2.4, "2.40"),
        (12.345, "12.3"),
        (0.0002, "2e-4"),
        (0.002, "2e-3"),
        (0.0512, "0.0512"),
        (0.00192e-1, "1.92e-4"),
        (1234.5, "1,234"),
        (3.2e7, "3.2e7"),
        (-0.5, "-0.500"),
    ],
)
def test_a_number_has_three_digits(value, said):
    assert words.number(value) == said


def test_counts_are_short_where_there_is_little_room():
    assert [words.short(count) for count in (940, 12_000, 3_400_000, 999_950)] == ["940", "12k", "3.4M", "1.0M"]


def test_ordinals():
    assert [words.ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st",
    ]  # fmt: skip


def test_every_status_of_a_run_has_a_word():
    from dfgui.store.runs import ACTIVE, ENDED

    assert set(words.STATUS) == {"queued", *ACTIVE, *ENDED}


@pytest.mark.parametrize(("count", "said"), [(914e6, "914 MB"), (15.94e9, "15.9 GB"), (908_103.8e9, "908,104 GB")])
def test_memory_is_said_to_a_tenth_of_a_gigabyte_while_that_tells_anything(count, said):
    assert words.memory(count) == said
