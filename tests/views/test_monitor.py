from dfgui.config import EarlyStopping
from dfgui.views import monitor

NOW = 1080.0
KEPT = {"step": 4, "bytes": 1, "eval_loss": 0.5, "created_at": NOW, "best": True, "kept": False}


def head(run, **changes):
    return monitor.head(run, **{"now": NOW, "queue_place": 0, "tokens": None} | changes)


def test_the_header_says_how_far_how_fast_and_how_long_still(row):
    said = head(row(), tokens=80_000 / 241)
    assert said["steps"] == "241 / 601"
    assert said["epoch"] == "epoch 1.2 of 3"
    assert said["pace"] == "3.0 steps/s"
    assert (said["left"], said["left_exact"]) == ("2 min left", "0:02:00")
    assert said["tokens"] == "996"  # the first step ended before the clock began, and its tokens are not counted
    assert said["doing"] == ""


def test_one_step_is_no_pace(row):
    said = head(row(global_step=1), tokens=4_000.0)
    assert (said["pace"], said["tokens"]) == ("", "")


def test_where_steps_decide_the_end_epochs_are_not_counted_down(row):
    counted = row()
    counted["config"]["training"]["max_steps"] = 601
    assert head(counted)["epoch"] == "epoch 1.2"


def test_an_epoch_beyond_the_planned_ones_is_said_alone(row):
    """max_steps may ask for more than num_train_epochs."""
    assert head(row(epoch=5.5))["epoch"] == "epoch 5.5"


def test_a_queued_run_says_its_place(row):
    queued = row(status="queued", first_step_at=None, global_step=0, max_steps=None, phase=None)
    assert head(queued, queue_place=1)["doing"] == "Next in the queue."
    assert head(queued, queue_place=3)["doing"] == "3rd in the queue."


def test_a_resumed_run_in_the_queue_says_from_where_it_will_go_on(row):
    queued = row(status="queued", first_step_at=None, resume_step=40, global_step=52)
    assert head(queued, queue_place=1)["doing"] == "Next in the queue, to go on from checkpoint 40."


def test_before_the_first_step_the_phase_is_said_with_its_share(row):
    run = row(status="preparing", first_step_at=None, global_step=0, phase="starting TRL")
    assert head(run)["doing"] == "Starting TRL"
    run |= {"phase": "tokenising", "phase_done": 10, "phase_total": 40, "phase_unit": "rows"}
    assert (head(run)["doing"], head(run)["doing_share"]) == ("Tokenising 10 of 40 rows", 0.25)


def test_an_ended_run_says_how_it_ended_and_what_can_be_done(row):
    assert monitor.ending(row(), [KEPT]) is None
    stopped = row(status="stopped", reason="Stopped by ada at step 240 of 600; checkpoint 240 is kept.", ended_at=NOW)
    said = monitor.ending(stopped, [KEPT])
    assert (said["title"], said["what"], said["next"]) == ("", stopped["reason"], True)
    assert monitor.ending(stopped, [])["next"] is False


def test_a_failed_run_says_what_why_and_what_to_do(row):
    error = {"what": "The GPU ran out of memory.", "why": "A batch of 8 did not fit.", "do": "Halve the batch size."}
    said = monitor.ending(row(status="failed", reason=error["what"], error=error), [])
    assert (said["what"], said["why"], said["do"]) == tuple(error.values())


def test_the_log_of_a_failure_stands_folded_under_it(row):
    error = {"what": "The run ended in KeyError.", "why": "'lost'.", "do": "See the log.", "details": "line\nline"}
    assert monitor.ending(row(status="failed", error=error), [])["details"] == "line\nline"
    assert monitor.ending(row(status="finished"), [KEPT])["details"] == ""


def test_own_callbacks_are_told_with_what_they_hear(row):
    run = row(facts={"callbacks": [{"use": "own.py:Own", "events": ["on_log", "on_save"]}]})
    run["config"]["callbacks"] = [{"use": "own.py:Own", "args": {"path": "x"}, "detach": True}]
    names = dict(monitor.about(run))
    assert names["Own callbacks"] == "own.py:Own hears on_log, on_save"
    assert (names["callbacks.0.use"], names["callbacks.0.args.path"]) == ("own.py:Own", "x")


def test_checkpoints_come_newest_first_with_their_size_in_words():
    rows = [
        {"step": 20, "bytes": 31_400_000, "eval_loss": 0.7123, "created_at": NOW, "best": True, "kept": False},
        {"step": 40, "bytes": 31_400_000, "eval_loss": None, "created_at": NOW, "best": False, "kept": True},
    ]
    newest, oldest = monitor.checkpoints(rows)
    assert (newest["step"], newest["eval"], newest["kept"]) == (40, "", True)
    assert (oldest["size"], oldest["eval"], oldest["best"]) == ("31 MB", "0.712", True)


def test_the_best_evaluation_is_named_with_its_step():
    assert monitor.best([[100, 0.9], [200, 0.71], [300, None], [400, 0.8]]) == "0.710 at 200"
    assert monitor.best([[100, 0.9], [200, 0.71]], greater=True) == "0.900 at 100"
    assert monitor.best([]) == ""


def test_the_best_is_told_by_the_metric_that_the_run_watches():
    buckets = [[10, 0.4, 0.5], [20, 0.6, 0.7], [30, 0.3, 0.6]]
    assert monitor.best_of(EarlyStopping(), buckets) == "best held-out loss 0.300 at 30"
    watched = EarlyStopping(patience=1, metric="eval_mean_token_accuracy")
    assert monitor.best_of(watched, buckets) == "best share guessed right of what was held out 0.700 at 20"
    assert monitor.best_of(watched, []) == ""


def test_a_failure_that_settings_mend_says_so_and_a_longer_run_begins_from_the_best(row):
    error = {"what": "The memory ran out.", "changes": {"training.max_length": 512}}
    worse = {**KEPT, "step": 9, "best": False}
    said = monitor.ending(row(status="failed", error=error), [KEPT, worse])
    assert (said["mend"], said["longer"]) == (True, [KEPT["step"], 9])
    said = monitor.ending(row(status="finished"), [{**KEPT, "best": False}, worse])
    assert (said["mend"], said["longer"]) == (False, [9])
    assert monitor.ending(row(status="finished"), [])["longer"] == []


def test_an_evaluation_that_goes_on_is_said_with_how_far_it_is(row):
    evaluating = row(phase="evaluating", phase_done=3, phase_total=12, phase_unit="batches")
    assert head(evaluating)["doing"] == "Evaluating 3 of 12 batches."
    assert head(evaluating)["doing_share"] == 0.25
    assert head(row(phase="training"))["doing"] == ""


def test_an_ended_run_took_what_all_its_parts_took(row):
    ended = row(status="stopped", first_step_at=1000.0, ended_at=1060.0, seconds_before=60.0)
    assert head(ended)["took_exact"] == "0:02:00"
    waited = row(status="stopped", first_step_at=None, ended_at=1060.0, seconds_before=60.0)
    assert head(waited)["took_exact"] == "0:01:00"
    assert head(row(status="stopped", first_step_at=None, ended_at=1060.0))["took"] == ""


def test_settings_are_named_as_they_are_written_on_the_command_line(row):
    names = dict(monitor.about(row(facts={"device": "CPU", "train_rows": 12_345})))
    assert names["training.learning_rate"] == "0.0002"
    assert names["Rows trained on"] == "12,345"


def test_the_commit_of_a_model_of_the_hub_is_named_as_it_is_pinned(row):
    base = "/cache/models--Qwen--Qwen3-0.6B/snapshots/c1899de289a04d12100db370d81485cdf75e47ca"
    names = dict(monitor.about(row(facts={"base": base})))
    assert names["Model's commit (model.revision)"] == "c1899de289a04d12100db370d81485cdf75e47ca"
    assert "Model's commit (model.revision)" not in dict(monitor.about(row(facts={"base": "/models/mine"})))


def test_a_long_list_of_checkpoints_is_cut_and_the_best_and_the_kept_stay_in_it():
    rows = [
        {"step": step, "bytes": 1, "eval_loss": None, "created_at": NOW, "best": step == 3, "kept": step == 7}
        for step in range(1, 1001)
    ]
    steps = [shown["step"] for shown in monitor.checkpoints(rows)]
    assert steps == [*range(1000, 1000 - monitor.MOST_CHECKPOINTS, -1), 7, 3]


def test_where_it_runs_is_said_with_the_reason(row):
    facts = {"runs_in": "a process of its own, 1234"}
    assert dict(monitor.about(row(facts=facts)))["Runs in"] == "a process of its own, 1234"
    facts["runs_there_because"] = "A CUDA error has spoilt the app's process."
    shown = dict(monitor.about(row(facts=facts)))["Runs in"]
    assert shown == "a process of its own, 1234. A CUDA error has spoilt the app's process."
    assert "Runs in" not in dict(monitor.about(row()))


def test_what_was_estimated_stands_beside_what_was_measured(row):
    parts = {"weights": 10**9, "overhead": 10**9, "total": 3 * 10**9, "allocated": 2 * 10**9}
    facts = {"memory_estimate": parts, "memory_peak": {"allocated": 2_100_000_000}, "time_estimate": 600.0}
    names = dict(monitor.about(row(facts=facts)))
    assert names["Memory"] == "2.0 GB estimated, 2.1 GB at its peak"  # both of tensors alone
    assert names["Time"] == "10 min estimated"
    ended = row(facts={**facts, "memory_peak": {"resident": 4 * 10**9}}, status="finished", ended_at=1540.0)
    names = dict(monitor.about(ended))
    assert names["Memory"] == "3.0 GB estimated, 4.0 GB at its peak"
    assert names["Time"] == "10 min estimated, 9 min taken"
    assert not {"Memory", "Time"} & set(dict(monitor.about(row())))
