from dfgui.views import progress

NOW = 1080.0  # 80 seconds after the first step ended


def test_the_time_left_follows_from_the_pace(row):
    assert progress.seconds_left(row(), NOW) == 120.0  # 240 more steps in 80 seconds
    assert progress.seconds_left(row(begun_at_step=200), NOW) == 720.0  # 40 since it was resumed


def test_where_a_resumed_run_stands_is_counted_from_the_very_beginning(row):
    assert progress.chip(row(begun_at_step=200), None, NOW)["detail"] == "step 241 / 601"


def test_tokens_of_a_step_are_those_of_this_part(row):
    assert progress.tokens_per_step((240, 24_000.0), None) == 100.0
    assert progress.tokens_per_step((240, 28_000.0), (200, 20_000.0)) == 200.0
    assert progress.tokens_per_step((200, 20_000.0), (200, 20_000.0)) is None  # none logged since
    assert progress.tokens_per_step(None, None) is None


def test_tokens_that_are_counted_from_nothing_again_are_never_negative():
    assert progress.tokens_per_step((210, 1_000.0), (200, 20_000.0)) == 100.0


def test_what_is_done_in_a_second_follows_from_the_pace():
    assert progress.per_second(3.0, 100.0) == 300.0
    assert progress.per_second(None, 100.0) is None
    assert progress.per_second(3.0, None) is None


def test_nothing_is_said_of_the_time_left_before_the_second_step(row):
    assert progress.seconds_left(row(global_step=1), NOW) is None
    assert progress.seconds_left(row(first_step_at=None, global_step=0), NOW) is None


def test_a_run_that_has_ended_has_no_time_left(row):
    assert progress.seconds_left(row(status="stopped", ended_at=1080.0), 999_999.0) is None


def test_a_run_that_is_stopping_has_no_time_left_either(row):
    assert progress.left(row(status="stopping"), NOW) == ""


def test_a_slow_pace_is_said_in_seconds_for_each_step():
    assert progress.pace(3.1) == "3.1 steps/s"
    assert progress.pace(0.25) == "4.0 s/step"
    assert progress.pace(None) == ""


def test_phases_count_what_they_count(row):
    downloading = row(phase="downloading", phase_done=3_100_000_000, phase_total=8_000_000_000, phase_unit="bytes")
    assert progress.phase(downloading) == "downloading 3.1 GB of 8.0 GB"
    tokenising = row(phase="tokenising", phase_done=12_000, phase_total=40_000, phase_unit="rows")
    assert progress.phase(tokenising) == "tokenising 12k of 40k rows"
    assert progress.phase(row(phase="loading")) == "loading the model"


def test_the_chip_says_status_step_loss_and_time_left(row):
    chip = progress.chip(row(), 0.8312, NOW)
    assert chip["status"] == "running"
    assert (chip["detail"], chip["loss"], chip["left"]) == ("step 241 / 601", "loss 0.831", "2 min left")


def test_the_chip_of_a_run_that_prepares_says_its_phase(row):
    chip = progress.chip(row(status="preparing", first_step_at=None, global_step=0, phase="loading"), None, NOW)
    assert (chip["detail"], chip["loss"], chip["left"]) == ("loading the model", "", "")


def test_the_chip_of_an_interrupted_run_says_how_far_it_came(row):
    chip = progress.chip(row(status="interrupted", first_step_at=None, ended_at=NOW, phase=None), None, NOW)
    assert (chip["status"], chip["detail"], chip["left"]) == ("interrupted", "step 241 / 601", "")


def test_without_a_live_run_there_is_no_chip():
    assert progress.chip(None, None, NOW) is None


def test_after_the_last_step_a_run_finishes_rather_than_having_no_time_left(row):
    assert progress.left(row(global_step=600, max_steps=600), NOW) == "finishing"
    assert progress.left(row(global_step=300, max_steps=600), NOW).endswith("left")
    assert progress.left(row(first_step_at=None, global_step=0), NOW) == ""
