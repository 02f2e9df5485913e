from dfgui.views import commands


def asked(command="save", taken=None, outcome=None, at=1000.0):
    return {"command": command, "taken_at_step": taken, "outcome": outcome, "requested_at": at}


def said(rows, run, can_be_forced=False):
    return commands.commands(rows, run, can_be_forced)


def test_a_pressed_button_is_answered_step_by_step(row):
    assert said([asked()], row())["answers"] == ["Save: requested"]
    assert said([asked(taken=241)], row())["answers"] == ["Save: taken at step 241"]
    assert said([asked(taken=241, outcome="saved at step 241")], row())["answers"] == ["Save: saved at step 241"]


def test_a_button_can_be_pressed_again_once_it_was_answered(row):
    assert said([asked()], row())["why"]["save"] == commands.WAITS
    assert said([asked()], row())["why"]["log"] == ""
    assert said([asked(outcome="saved at step 9")], row())["why"]["save"] == ""


def test_without_held_out_rows_there_is_nothing_to_evaluate_on(row):
    assert said([], row(facts={"eval_rows": 0}))["why"]["evaluate"] == commands.NO_ROWS
    assert said([], row(facts={"eval_rows": 6}))["why"]["evaluate"] == ""


def test_before_it_trains_a_run_can_be_stopped_and_nothing_else(row):
    for status in ("queued", "preparing"):
        why = said([], row(status=status))["why"]
        assert why["stop"] == ""
        assert why["save"] == why["evaluate"] == why["log"] == why["end-epoch"] == commands.NOT_NOW[status]


def test_a_run_that_is_stopping_or_has_ended_takes_no_commands(row):
    for status in ("stopping", "finished"):
        assert all(said([], row(status=status))["why"].values())


def test_a_resumed_run_does_not_repeat_the_answers_of_the_part_before(row):
    stopped = asked("stop", 52, "saved at step 52", at=1000.0)
    assert said([stopped], row(queued_at=2000.0))["answers"] == []


def test_how_a_stop_goes_on_is_said_where_there_is_a_process_to_end(row):
    assert said([], row(), can_be_forced=True)["force"].startswith("If it does not answer within 60 s")
    assert said([], row())["force"] == ""
