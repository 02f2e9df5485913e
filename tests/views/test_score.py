"""Scores as two numbers, and what a press of the button counts."""

from dfgui.views import score


def scored(step: int, state: str = "done", right: int = 0, results: list | None = None) -> dict:
    return {
        "step": step, "state": state, "right": right, "done": 12, "total": 47, "trouble": None, "results": results or []
    }  # fmt: skip


def test_a_count_reads_as_it_is_said():
    assert score.count([scored(0, right=0)], 0).words == "0 of 47"
    assert score.count([scored(60, right=45)], 60).words == "45 of 47"
    assert score.count([scored(60, right=45)], 60).remark == "96 % right"


def test_what_is_not_counted_says_so():
    assert score.count([], 60).remark == "not counted yet"
    assert score.count([scored(60, "scoring")], 60).remark == "counting: 12 of 47 asked"
    assert "broke off" in score.count([scored(60, "broken")], 60).remark


def test_the_base_is_counted_once_and_the_checkpoint_each_time():
    assert score.to_count([], 60) == [0, 60]
    assert score.to_count([scored(0), scored(60)], 60) == [60]
    assert score.to_count([scored(0, "broken")], 60) == [0, 60]


def test_failures_are_those_of_the_checkpoint():
    results = [{"row": 1, "right": True}, {"row": 2, "right": False}]
    assert score.failures([scored(0), scored(60, results=results)], 60) == [{"row": 2, "right": False}]
    assert score.failures([], 60) == []
