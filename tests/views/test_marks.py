from dfgui.views import marks


def asked(command, step, at, outcome="done"):
    return {"command": command, "taken_at_step": step, "requested_at": at, "outcome": outcome}


def part(number, step, left_at, at):
    return {"part": number, "from_step": step, "left_at_step": left_at, "started_at": at}


def test_what_was_asked_stands_at_the_step_where_it_was_taken():
    rows = [asked("stop", 52, 30.0), asked("save", 41, 20.0, "saved at step 41"), asked("log", None, 40.0)]
    assert marks.marks(rows, [])["asked"] == [[41, "save", "Save: saved at step 41"], [52, "stop", "Stop: done"]]


def test_a_resume_stands_at_its_checkpoint_and_says_how_far_the_run_had_come():
    ((step, words),) = marks.marks([], [part(2, 40, 52, 100.0)])["resumed"]
    assert step == 40
    assert words.startswith("Resumed from checkpoint 40 at") and words.endswith("it had come to step 52")


def test_what_was_taken_on_a_curve_that_is_set_aside_goes_with_it():
    rows = [asked("log", 45, 300.0), asked("stop", 52, 30.0), asked("save", 40, 20.0)]
    shown = marks.marks(rows, [part(2, 40, 52, 100.0)])["asked"]
    assert [(step, kind) for step, kind, _ in shown] == [(40, "save"), (45, "log")]


def test_a_run_that_is_resumed_from_further_back_shows_the_last_beginning_alone():
    parts = [part(2, 40, 52, 100.0), part(3, 20, 60, 200.0), part(4, 30, 31, 300.0)]
    assert [step for step, _ in marks.marks([], parts)["resumed"]] == [20, 30]


def test_marks_are_few_however_much_was_asked():
    rows = [asked("log", step, 1.0) for step in range(1000, 0, -1)]
    shown = marks.marks(rows, [])["asked"]
    assert len(shown) == marks.MOST and shown[-1][0] == 1000
