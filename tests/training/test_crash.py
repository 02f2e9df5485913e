"""The kill matrix, bounded: one SIGKILL in each phase, of runs and of the app. bench/crash.py does it in full."""

from bench import crash


def test_nothing_is_lost_by_a_kill_in_any_phase(tmp_path):
    found = crash.matrix(tmp_path, kills=len(crash.PHASES), seed=1, say=print)
    assert [(one["phase"], one["lost"]) for one in found] == [(phase, []) for phase in crash.PHASES]
    assert {one["placement"] for one in found} == {"process", "thread"}
