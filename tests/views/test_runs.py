from dfgui.views import runs
from dfgui.views.runs import Measured

EVALS = ((100, 0.9), (200, 0.71), (240, 0.74))


def test_a_row_of_the_table_says_everything_in_words(row):
    found = Measured(0.8312, EVALS, "9kA")
    kept = {"count": 2, "kept": 1, "last": 240, "best": 200}
    said = runs.row(row(status="finished", ended_at=1080.0), found, kept, 124_000_000)
    assert (said["status"], said["steps"], said["took"]) == ("finished", "241 / 601", "80 s")
    assert (said["loss"], said["eval"], said["best"]) == ("0.831", "0.740", "0.710 at 200")
    assert (said["model"], said["data"], said["method"]) == ("demo", "demo", "LoRA")
    assert (said["size"], said["checkpoints"], said["spark"], said["ended"]) == ("124 MB", 2, "9kA", True)


def test_beside_the_words_stand_the_numbers_to_sort_by(row):
    found = Measured(0.8312, EVALS)
    said = runs.row(row(status="finished", ended_at=1080.0), found, None, 5)
    assert said["numbers"] == {
        "steps": 241,
        "loss": 0.8312,
        "eval": 0.74,
        "best": 0.71,
        "took": 80,
        "size": 5,
        "when": 900.0,
    }


def test_a_run_that_has_not_begun_has_blanks(row):
    said = runs.row(row(status="queued", max_steps=None, first_step_at=None), Measured())
    assert (said["steps"], said["loss"], said["eval"], said["best"], said["took"]) == ("", "", "", "", "")
    assert (said["size"], said["longer"], said["ended"]) == ("", [], False)


def test_training_longer_begins_with_the_best_checkpoint_or_with_the_last(row):
    assert runs.row(row(), Measured(), {"count": 2, "kept": 1, "last": 240, "best": 200})["longer"] == [200, 240]
    assert runs.row(row(), Measured(), {"count": 2, "kept": 0, "last": 240, "best": None})["longer"] == [240]


def test_models_and_datasets_are_told_apart_by_their_last_name():
    names = ["Qwen/Qwen3-0.6B", "hf:owner/rows", "/data/rows.jsonl", "demo", "/models/mine/"]
    assert [runs.short_name(name) for name in names] == ["Qwen3-0.6B", "rows", "rows.jsonl", "demo", "mine"]


def test_a_model_that_an_earlier_run_made_is_called_after_that_run():
    names = {"abcdefgh12": "weather-lora"}
    assert runs.model_name("run:abcdefgh12@1200", names) == "weather-lora at 1,200"
    assert runs.model_name("run:zzzzzzzz12@60", names) == "a deleted run at 60"
    assert runs.model_name("Qwen/Qwen3-0.6B", names) == "Qwen3-0.6B"


def test_what_all_runs_take_is_one_line():
    assert runs.in_all(12, 3_100_000_000, 210_000_000_000) == "12 runs, 3.1 GB on disk, 210 GB free"
    assert runs.in_all(1, 0, 1000) == "1 run, 0 bytes on disk, 1.0 KB free"
