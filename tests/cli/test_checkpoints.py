"""Checkpoints are listed, kept and deleted from a terminal as on the page."""

import os

import pytest

from dfgui import cli, settings
from dfgui.config import RunConfig
from dfgui.store import Store, Writer


@pytest.fixture
def store(tmp_path):
    return Store(settings.load(home=tmp_path).store_path)


@pytest.fixture
def run(store, tmp_path):
    """A run that was stopped at step 40 of two epochs, with checkpoints at 20 and 40."""
    run = store.runs.create(RunConfig(name="weather-lora"), f"pid:{os.getpid()}")
    with Writer(store.path, run) as writer:
        writer.progress(global_step=40, epoch=2.0)
        writer.log(18, {"loss": 1.5})
        writer.log(40, {"loss": 1.0, "eval_loss": 0.6})
        for step, eval_loss in ((20, None), (40, 0.6)):
            folder = tmp_path / "runs" / run / f"checkpoint-{step}"
            folder.mkdir(parents=True)
            (folder / "adapter_model.safetensors").write_bytes(b"x" * 1000)
            writer.checkpoint(step, folder.name, "adapter", 1000, eval_loss)
    store.runs.withdraw(run, "Taken out.")
    return run


def test_the_list_tells_what_was_measured_at_each(dfgui, run):
    code, answer = dfgui("checkpoints", run)
    assert code == 0
    first, second = answer["checkpoints"]
    assert {**first, "created_at": 0} == {
        "step": 20, "epoch": 1.0, "loss": 1.5, "eval_loss": None, "bytes": 1000, "best": False, "kept": False,
        "created_at": 0,
    }  # fmt: skip
    assert (second["eval_loss"], second["best"], second["epoch"], second["loss"]) == (0.6, True, 2.0, 1.0)


def test_keep_unkeep_and_delete(dfgui, run, tmp_path):
    answer = dfgui("checkpoints", "keep", run, "20")[1]
    assert answer == {"run": run, "command": "keep", "taken_at_step": 20, "outcome": "checkpoint 20 is kept"}
    assert [one["kept"] for one in dfgui("checkpoints", run)[1]["checkpoints"]] == [True, False]
    code, answer = dfgui("checkpoints", "delete", run, "20")
    assert (code, answer["error"]["do"]) == (2, "Take the mark off first, then delete it.")
    assert dfgui("checkpoints", "unkeep", run, "20")[1]["outcome"] == "checkpoint 20 is kept no longer"
    outcome = dfgui("checkpoints", "delete", run, "20")[1]["outcome"]
    assert outcome == "checkpoint 20 is deleted, 1.0 KB are free again"
    assert [one["step"] for one in dfgui("checkpoints", run)[1]["checkpoints"]] == [40]
    assert not (tmp_path / "runs" / run / "checkpoint-20").exists()


@pytest.mark.parametrize("words", [["keep"], ["keep", "{run}"], ["burn", "{run}", "20"], ["delete", "{run}", "last"]])
def test_what_is_not_understood_says_how_it_is_written(dfgui, run, words):
    code, answer = dfgui("checkpoints", *[word.format(run=run) for word in words])
    assert code == 2
    assert "keep|unkeep|delete RUN STEP" in answer["error"]["why"] or words == ["keep"]


def test_a_step_without_a_checkpoint_says_which_there_are(dfgui, run):
    code, answer = dfgui("checkpoints", "keep", run, "30")
    assert (code, answer["error"]["why"]) == (2, "It has: 20, 40.")


def test_a_person_reads_a_line_for_each(run, tmp_path, capsys):
    assert cli.main(["checkpoints", run, "--home", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == "40 epoch 2.00 loss 1.00 held-out 0.600 1.0 KB best".split()
