from dfgui.views import runs


def test_a_row_of_the_table_says_everything_in_words(row):
    said = runs.row(row(status="finished", ended_at=1080.0), 0.8312, [[100, 0.9], [200, 0.71], [240, 0.74]])
    assert (said["status"], said["steps"], said["took"]) == ("finished", "241 / 601", "80 s")
    assert (said["loss"], said["eval"], said["best"]) == ("0.831", "0.740", "0.710 at 200")
    assert (said["model"], said["data"], said["method"]) == ("demo", "demo", "LoRA")


def test_a_run_that_has_not_begun_has_blanks(row):
    said = runs.row(row(status="queued", max_steps=None, first_step_at=None), None, [])
    assert (said["steps"], said["loss"], said["eval"], said["best"], said["took"]) == ("", "", "", "", "")


def test_models_and_datasets_are_told_apart_by_their_last_name():
    names = ["Qwen/Qwen3-0.6B", "hf:owner/rows", "/data/rows.jsonl", "demo", "/models/mine/"]
    assert [runs.short_name(name) for name in names] == ["Qwen3-0.6B", "rows", "rows.jsonl", "demo", "mine"]
