"""The command line is a contract: people script against these words and codes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM

from dfgui import settings
from dfgui.cli import train
from dfgui.store import Store
from tests.artifacts.standin_converter import standin
from tests.tiny import tiny_folder

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}

RUN = """
name: hello
model: {name: MODEL}
data: {source: rows.jsonl, eval_fraction: 0.1, tools: all}
method: lora
adapter: {r: 4, lora_alpha: 8}
training: {max_steps: 6, learning_rate: 1.0e-2, per_device_train_batch_size: 4, gradient_accumulation_steps: 1,
  logging_steps: 1, save_steps: 3, eval_steps: 3, max_length: 128}
run: {placement: thread, backend: trl}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a model, rows and a run.yaml, as a person would have them."""
    folder = tmp_path_factory.mktemp("work")
    tiny_folder(folder / "model")
    rows = [
        {"messages": [{"role": "user", "content": f"Say {n}."}, {"role": "assistant", "content": f"{n}, said."}]}
        for n in range(30)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "run.yaml").write_text(RUN.replace("MODEL", str(folder / "model")))
    return folder


def dfgui(folder, *arguments, code=0, **more):
    """Runs a command with --json; its one JSON value. stdout holds nothing else. `more`: of its environment."""
    command = [sys.executable, "-m", "dfgui", *arguments, "--json", "--home", str(folder / "home")]
    answer = subprocess.run(
        command, cwd=folder, env={**ENVIRONMENT, **more}, capture_output=True, text=True, timeout=240
    )
    assert answer.returncode == code, answer.stderr
    return json.loads(answer.stdout)


@pytest.fixture(scope="module")
def trained(folder):
    return dfgui(folder, "train", "run.yaml")


def test_train_runs_to_the_end_and_prints_one_object(trained):
    assert set(trained) == {"run", "status", "reason", "global_step", "train_loss", "eval_loss"}
    assert (trained["status"], trained["global_step"]) == ("finished", 6)
    assert trained["train_loss"] > 0 and trained["eval_loss"] > 0


def test_names_from_elsewhere_are_told_on_stderr(folder, tmp_path):
    older = (folder / "run.yaml").read_text().replace("max_length: 128", "max_seq_length: 128, adam_beta2: 0.95")
    (tmp_path / "older.yaml").write_text(older)
    command = [sys.executable, "-m", "dfgui", "preview", str(tmp_path / "older.yaml"), "--json"]
    answer = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=240)
    assert answer.returncode == 0 and json.loads(answer.stdout)["text"]
    assert "training.max_seq_length is training.max_length here." in answer.stderr
    assert "training.adam_beta2 is extra.adam_beta2 here." in answer.stderr


def test_early_stopping_and_callbacks_come_from_the_file(folder, tmp_path):
    """On the command line a callback needs nobody's leave."""
    (tmp_path / "own_callback.py").write_text(
        "class Own:\n    def __init__(self, path): self.path = path\n"
        "    def on_train_end(self, args, state, control, **kwargs):\n"
        "        open(self.path, 'w').write(str(state.global_step))\n"
    )
    more = "early_stopping: {patience: 1, threshold: 100}\ncallbacks: [{use: 'own_callback:Own', args: {path: told}}]\n"
    here = (folder / "run.yaml").read_text().replace("rows.jsonl", str(folder / "rows.jsonl"))
    (tmp_path / "run.yaml").write_text(here + more)
    answer = dfgui(tmp_path, "train", "run.yaml", "--set", "training.eval_steps=1", "--set", "training.save_steps=1")
    assert answer["status"] == "finished" and answer["global_step"] == 2
    assert answer["reason"].startswith("Stopped early at step 2 of 6: eval_loss had not improved by more than 100 for")
    assert (tmp_path / "told").read_text() == "2"


def test_runs_list_and_show(folder, trained):
    (row,) = dfgui(folder, "runs", "list")["runs"]
    assert {"run", "name", "status", "reason", "global_step", "max_steps", "created_at"} == set(row)
    assert (row["run"], row["name"]) == (trained["run"], "hello")

    shown = dfgui(folder, "runs", "show", trained["run"])
    assert [step for step, _ in shown["metrics"]["loss"]] == [1, 2, 3, 4, 5, 6]
    assert shown["config"]["training"]["max_steps"] == 6
    assert [(c["step"], c["complete"]) for c in shown["checkpoints"]] == [(3, True), (6, True)]
    assert {"step", "path", "complete", "eval_loss", "best", "kept", "bytes"} == set(shown["checkpoints"][0])


@pytest.mark.parametrize("kind", ["merged", "adapter"])
def test_export_writes_a_folder_that_loads(folder, trained, kind):
    answer = dfgui(folder, "export", trained["run"], "--checkpoint", "6", "--as", kind, "--to", f"out-{kind}")
    assert set(answer) == {"path", "bytes", "files"} and "USAGE.md" in answer["files"]
    assert AutoModelForCausalLM.from_pretrained(folder / answer["path"]) is not None


def test_a_gguf_file_is_made_where_there_is_a_converter(folder, trained, tmp_path):
    asked = ["export", trained["run"], "--checkpoint", "6", "--to", str(tmp_path / "out")]
    without = dfgui(folder, *asked, "--as", "gguf", code=2, DFGUI_LLAMA_CPP=str(tmp_path))
    assert "git clone" in without["error"]["do"]
    assert "as gguf" in dfgui(folder, *asked, "--as", "merged", "--dtype", "q8_0", code=2)["error"]["do"]
    there = {"DFGUI_LLAMA_CPP": str(standin(tmp_path))}
    wrong = dfgui(folder, *asked, "--as", "gguf", "--dtype", "bfloat16", code=2, **there)
    assert "Choose float16" in wrong["error"]["do"]
    answer = dfgui(folder, *asked, "--as", "gguf", "--dtype", "q8_0", **there)
    assert {"Modelfile", "USAGE.md"} < set(answer["files"])
    assert [name for name in answer["files"] if name.endswith("-6-q8_0.gguf")]


def test_export_does_not_overwrite_what_is_there(folder, trained):
    (folder / "full").mkdir()
    (folder / "full" / "precious").write_text("keep me")
    where = ["--checkpoint", "6", "--as", "merged", "--to", "full"]
    assert set(dfgui(folder, "export", trained["run"], *where, code=2)["error"]) == {"what", "why", "do"}
    assert (folder / "full" / "precious").read_text() == "keep me"


def test_a_run_and_a_yaml_file_become_scripts(folder, trained):
    answer = dfgui(folder, "script", trained["run"], "--to", "as-script")
    assert set(answer) == {"path", "files", "bytes"} and answer["path"] == "as-script/train.py"
    ran = subprocess.run(
        [sys.executable, "-I", "train.py"], cwd=folder / "as-script", capture_output=True, text=True, timeout=240
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    logged = json.loads((folder / "as-script" / "log_history.json").read_text())
    metrics = dfgui(folder, "runs", "show", trained["run"])["metrics"]
    for name in ("loss", "grad_norm", "learning_rate", "eval_loss"):
        assert [[entry["step"], entry[name]] for entry in logged if name in entry] == metrics[name], name

    other = dfgui(folder, "script", "run.yaml", "--to", "of-yaml", "--set", "training.max_steps=3")
    assert "max_steps=3," in (folder / other["path"]).read_text()
    refused = dfgui(folder, "script", trained["run"], "--to", "as-script", code=2)
    assert set(refused["error"]) == {"what", "why", "do"}


def test_preview_shows_every_stage_and_its_tokens_join_to_the_text(folder):
    shown = dfgui(folder, "preview", "rows.jsonl", "--model", "./model", "--row", "7")
    assert shown["raw"]["messages"][0]["content"] == "Say 6."
    assert shown["conversation"]["messages"][1] == {"role": "assistant", "content": "6, said."}
    assert "".join(token["text"] for token in shown["tokens"]) == shown["text"]
    assert {"id", "text", "role", "trained"} == set(shown["tokens"][0])
    assert {token["trained"] for token in shown["tokens"]} == {True, False}
    assert shown["tool_arguments"] == "object"


def test_check_looks_at_every_row_and_exits_1_on_an_error(folder):
    fine = dfgui(folder, "check", "rows.jsonl", "--model", "./model")
    assert {"rows", "trainable_rows", "findings", "lengths", "trained_token_share"} <= set(fine)
    assert (fine["rows"], fine["trainable_rows"], fine["findings"]) == (30, 30, [])
    assert 0 < fine["trained_token_share"] < 1
    lines = (folder / "rows.jsonl").read_text().splitlines()
    (folder / "bad.jsonl").write_text("\n".join([*lines[:4], '{"messages": [', lines[0]]))
    bad = dfgui(folder, "check", "bad.jsonl", "--model", "./model", code=1)
    assert [(f["check"], f["severity"], f["count"], f["rows"]) for f in bad["findings"]] == [
        ("unreadable", "error", 1, [5]),
        ("duplicate", "warning", 1, [6]),
    ]
    assert all(finding["advice"] for finding in bad["findings"])
    short = dfgui(folder, "check", "rows.jsonl", "--model", "./model", "--max-length", "8")
    assert {finding["check"] for finding in short["findings"]} == {"answer_lost"}


def test_what_a_run_would_train_on_is_checked_and_shown_by_its_own_file(folder):
    assert dfgui(folder, "check", "run.yaml", "--set", "data.limit=7")["rows"] == 7
    shown = dfgui(folder, "preview", "run.yaml", "--row", "3", "--set", "model.chat_template=gemma3")
    assert "<start_of_turn>user\nSay 2.<end_of_turn>" in shown["text"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "nowhere.jsonl"],
        ["check", "rows.jsonl", "--format", "alpine"],
        ["runs", "show", "nosuchrun12"],
        ["train", "nowhere.yaml"],
        ["train", "run.yaml", "--set", "training.learning_rate=0"],
        ["train", "run.yaml", "--set", "data.source=nowhere.jsonl"],
        ["train", "run.yaml", "--set", "name=[1"],
        ["preview", "rows.jsonl", "--model", "./model", "--row", "999"],
        ["runs", "shwo"],
        ["export", "nosuchrun12"],
        ["script", "nosuchrun12", "--to", "nowhere"],
        ["script", "nosuch.yaml", "--to", "nowhere"],
        ["script", "run.yaml"],
    ],
)
def test_what_is_refused_exits_2_with_three_sentences(folder, arguments):
    assert set(dfgui(folder, *arguments, code=2)["error"]) == {"what", "why", "do"}


def test_a_run_that_fails_exits_1(folder):
    wild = ["method=full", "training.optim=sgd", "training.learning_rate=10", "training.max_grad_norm=1e9"]
    overrides = [word for one in [*wild, "training.max_steps=60"] for word in ("--set", one)]
    answer = dfgui(folder, "train", "run.yaml", *overrides, code=1)
    assert answer["status"] == "failed" and answer["reason"]


def test_a_failure_is_told_with_its_remedy():
    error = {"what": "The training diverged.", "why": "The loss is nan at step 3.", "do": "Set learning_rate to 1."}
    row = {"id": "h3k9x2m4q7", "reason": error["what"], "error": error}
    told = "h3k9x2m4q7: The training diverged.\nThe loss is nan at step 3.\nSet learning_rate to 1."
    assert train._end_in_words(row) == told
    assert train._end_in_words({**row, "error": None}) == "h3k9x2m4q7: The training diverged."


def test_another_terminal_saves_and_ctrl_c_stops_with_a_checkpoint(folder):
    home = folder / "home"
    command = [sys.executable, "-m", "dfgui", "train", "run.yaml", "--set", "training.max_steps=5000", "--json"]
    process = subprocess.Popen(
        [*command, "--home", str(home)],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    store = Store(settings.load(home=home).store_path)
    while (current := store.runs.current()) is None or current["global_step"] < 2:
        assert process.poll() is None
        time.sleep(0.1)
    answer = dfgui(folder, "runs", "save", current["id"])
    assert answer["outcome"] == f"saved at step {answer['taken_at_step']}"
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=120)
    row = json.loads(printed)
    assert process.returncode == 0 and row["status"] == "stopped"
    assert store.checkpoints.of(row["run"])[-1]["step"] == row["global_step"]


def test_nan_is_null():
    from dfgui.cli import _without_nan

    assert _without_nan({"a": [float("nan"), 1.0, (float("inf"),)]}) == {"a": [None, 1.0, [None]]}
