"""A run's whole life, with a tiny real model."""

import contextlib
import json
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from dfgui import actions
from dfgui.artifacts import usage
from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.models import hardware, load
from dfgui.store import Store, Writer
from dfgui.training import callbacks, launcher, log
from tests.tiny import tiny_folder, tiny_tokenizer


def losses(store, run):
    return [value for _, value in store.metrics.points(run["id"], "loss")]


def test_s1_a_full_run_trains_its_loss_falls_and_it_loads_in_plain_transformers(train, values, where):
    run, store = train({**values, "method": "full"})
    assert (run["status"], run["global_step"], run["reason"]) == ("finished", 8, "All 8 steps are done.")
    curve = losses(store, run)
    assert len(curve) == 8 and curve[-1] < curve[0]

    last = store.checkpoints.of(run["id"])[-1]
    assert (last["step"], last["kind"]) == (8, "full")
    folder = where.run_folder(run["id"]) / last["path"]
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    prompt = tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], return_tensors="pt", return_dict=True)
    assert torch.isfinite(model(**prompt).logits).all()


def test_s6_adapter_and_merged_model_load_again_and_agree(train, values, where, tmp_path):
    run, _ = train(values)
    actions.export(where, run["id"], 8, "adapter", tmp_path / "adapter")
    actions.export(where, run["id"], 8, "merged", tmp_path / "merged")
    adapted, tokenizer = load.trained(tmp_path / "adapter", run["facts"]["base"], "float32")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype="float32").eval()
    base = AutoModelForCausalLM.from_pretrained(run["facts"]["base"], dtype="float32").eval()
    prompt = tokenizer("What is the weather in Oslo?", return_tensors="pt")
    with torch.inference_mode():
        one, two, before = (model(**prompt).logits for model in (adapted, merged, base))
    assert (one - two).abs().max() < 1e-4
    assert (one - before).abs().max() > 1e-3  # the adapter really changed something


@pytest.mark.parametrize("tied", [True, False])
def test_a_model_without_a_chat_template_learns_the_marks_of_the_one_it_gets(train, values, where, tmp_path, tied):
    folder = tiny_folder(tmp_path / "base", tie_word_embeddings=tied)
    (folder / "chat_template.jinja").unlink()
    run, _ = train({**values, "model": {"name": str(folder), "chat_template": "gemma3"}})
    assert run["status"] == "finished", run["reason"]
    assert run["facts"]["chat_template"] == "gemma3"
    step = where.run_folder(run["id"]) / "checkpoint-8"
    adapted, tokenizer = load.trained(step, run["facts"]["base"], "float32")
    assert len(tokenizer) == len(tiny_tokenizer()) + 2 == adapted.get_input_embeddings().weight.shape[0]

    actions.export(where, run["id"], 8, "merged", tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype="float32").eval()
    by_usage: dict = {}
    with contextlib.chdir(step):
        exec(usage.text(step, "adapter", folder).split("````python\n")[1].partition("tools =")[0], by_usage)
    talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]
    prompt = tokenizer.apply_chat_template(talk, return_tensors="pt", return_dict=True)
    with torch.inference_mode():
        one, two, three = (model(**prompt).logits for model in (adapted, merged, by_usage["model"].eval()))
    assert (one - two).abs().max() < 1e-4 and (one - three).abs().max() < 1e-4
    marks = tokenizer.convert_tokens_to_ids(["<start_of_turn>", "<end_of_turn>"])
    stored = load_file(step / "adapter_model.safetensors")  # the rows of the marks, not the whole of the embeddings
    assert all(len(marks) in weight.shape or "lora_" in name for name, weight in stored.items())
    assert by_usage["model"].generation_config.eos_token_id == [marks[1]]
    learned = merged.get_output_embeddings().weight[marks]
    assert (learned[0] - learned[1]).abs().max() > 1e-3  # they began alike
    assert set(marks) & set(merged.generation_config.eos_token_id)

    before, words = actions.answers._ready(where, run["id"], 0)
    assert words.chat_template == tokenizer.chat_template
    assert before.get_input_embeddings().weight.shape[0] == len(tokenizer)
    shutil.rmtree(where.run_folder(run["id"]) / "tokenizer")  # as after the restart of a Space
    assert actions.answers._ready(where, run["id"], 0)[1].chat_template == tokenizer.chat_template


def test_plain_text_trains_a_model_without_a_chat_template_as_it_is(train, values, where, tmp_path, rows_file):
    folder = tiny_folder(tmp_path / "base")
    (folder / "chat_template.jinja").unlink()
    rows_file.write_text("".join(json.dumps({"text": f"{n} degrees in Oslo."}) + "\n" for n in range(40)))
    run, _ = train({**values, "model": {"name": str(folder)}})
    assert run["status"] == "finished", run["reason"]
    tokenizer = AutoTokenizer.from_pretrained(where.run_folder(run["id"]) / "checkpoint-8")
    assert tokenizer.chat_template is None and len(tokenizer) == len(tiny_tokenizer())


def test_text_and_conversations_joined_give_a_model_a_chat_template(train, values, tmp_path, rows_file):
    folder = tiny_folder(tmp_path / "base")
    (folder / "chat_template.jinja").unlink()
    text = tmp_path / "text.jsonl"
    text.write_text("".join(json.dumps({"text": f"{n} degrees in Oslo."}) + "\n" for n in range(60)))
    data = {"source": str(text), "also": [str(rows_file)]}
    run, _ = train({**values, "model": {"name": str(folder)}, "data": data})
    assert (run["status"], run["facts"]["rows"]) == ("finished", 100), run["reason"]
    assert run["facts"]["marks"] == 2


def test_a_last_layer_that_is_adapted_itself_learns_marks_by_that(train, values, tmp_path):
    folder = tiny_folder(tmp_path / "base", tie_word_embeddings=False)
    adapter = {**values["adapter"], "target_modules": "q_proj, lm_head"}
    run, _ = train({**values, "model": {"name": str(folder), "chat_template": "gemma3"}, "adapter": adapter})
    assert run["status"] == "finished", run["reason"]


def test_a_run_says_what_it_found(train, values):
    run, _ = train(values)
    facts = run["facts"]
    assert (facts["rows"], facts["train_rows"], facts["eval_rows"]) == (40, 36, 4)
    assert 0 < facts["trained_tokens"] < facts["total_tokens"]
    assert 0 < facts["trainable_parameters"] < facts["parameters"]
    assert facts["precision"] in ("fp32", "bf16", "fp16")


def test_held_out_rows_stay_known_whatever_becomes_of_the_dataset(train, values, where, rows_file):
    run, _ = train(values)
    before = actions.held_out(where, run["id"])
    assert len(before) == 4
    rows_file.unlink()
    assert actions.held_out(where, run["id"]) == before


def test_held_out_rows_of_a_run_that_has_not_begun_are_not_known_yet(where, values):
    run = actions.start(where, values, executor="test")
    with pytest.raises(UserError, match="not known yet"):
        actions.held_out(where, run)


def test_findings_of_the_rows_stand_among_the_events_of_the_run(train, values, rows_file):
    lines = rows_file.read_text().splitlines()
    rows_file.write_text("\n".join([*lines, lines[0], lines[1]]) + "\n")
    run, store = train(values)
    words = [event["text"] for event in store.events.tail(run["id"])]
    assert "Same as a row before it: 2 rows. Keep one of each: leave these rows out." in words


def test_rows_are_left_out_as_the_run_asks(train, values, rows_file):
    lines = rows_file.read_text().splitlines()
    rows_file.write_text("\n".join([*lines, lines[0], "no JSON"]) + "\n")
    values["data"] = {**values["data"], "leave_out": ["duplicate", "unreadable"]}
    run, store = train(values)
    assert (run["facts"]["rows"], run["facts"]["left_out"]) == (42, 2)
    assert run["facts"]["train_rows"] + run["facts"]["eval_rows"] == 40
    words = " ".join(event["text"] for event in store.events.tail(run["id"]))
    assert "2 rows are left out" in words and "41, 42" in words


def test_a_panic_that_is_no_exception_ends_the_run_in_words(where, values, monkeypatch):
    class Panic(BaseException):
        pass

    def panics(*_):
        raise Panic("called `Option::unwrap()` on a `None` value")

    monkeypatch.setattr(load, "fetch", panics)
    run = actions.start(where, values, executor="test")
    launcher.run_here(run, where)
    row = Store(where.store_path).runs.get(run)
    assert row["status"] == "failed" and "Panic" in row["reason"]


def test_no_answer_is_written_on_a_gpu_that_trains(train, values, where, monkeypatch):
    run, store = train(values)
    card = replace(hardware.measure(), device="cuda")
    monkeypatch.setattr(hardware, "measure", lambda: card)
    store.runs.create(RunConfig(), executor="test")
    store.runs.claim("test")
    with pytest.raises(UserError, match="training on the GPU"):
        actions.reply(where, run["id"], 8, [{"role": "user", "content": "Hi"}], [])


def test_held_out_rows_are_evaluated_and_stand_beside_the_checkpoint(train, values):
    run, store = train(values)
    points = store.metrics.points(run["id"], "eval_loss")
    assert [step for step, _ in points] == [4, 8]
    assert [row["eval_loss"] for row in store.checkpoints.of(run["id"])] == [value for _, value in points]
    assert run["eval_loss"] == points[-1][1]


def test_equal_runs_have_equal_curves(train, values):
    first, store = train(values)
    second, _ = train(values)
    assert losses(store, first) == losses(store, second)


def test_the_trainers_own_metrics_arrive(train, values):
    run, store = train(values)
    assert {"loss", "learning_rate", "grad_norm", "mean_token_accuracy", "epoch"} <= set(store.metrics.names(run["id"]))


@pytest.mark.parametrize("name", ["stop", "save"])
def test_a_command_is_taken_at_the_next_step_and_answered(where, values, name):
    slow = {**values, "training": {**values["training"], "max_steps": 400, "save_steps": 1000}}
    run = actions.start(where, slow, executor="test")
    store = Store(where.store_path)
    thread = threading.Thread(target=launcher.run_here, args=(run, where))
    thread.start()
    while store.runs.get(run)["global_step"] < 3:
        time.sleep(0.05)
    command = actions.command(where, run, name, by="a test")
    while store.commands.get(command)["outcome"] is None:
        time.sleep(0.05)
    taken = store.commands.get(command)["taken_at_step"]
    assert store.commands.get(command)["outcome"] == f"saved at step {taken}"
    if name == "save":
        assert store.runs.get(run)["status"] == "running"
        actions.command(where, run, "stop", by="a test")
    thread.join(timeout=60)
    row = store.runs.get(run)
    assert row["status"] == "stopped" and f"checkpoint {row['global_step']} is kept" in row["reason"]
    assert store.checkpoints.of(run)[-1]["step"] == row["global_step"]
    assert store.checkpoints.of(run)[0]["step"] == taken
    assert store.metrics.last(run, "loss")[0] == row["global_step"]


def test_save_now_leaves_the_curve_as_it_is(where, train, values):
    dropout = {**values, "adapter": {"r": 4, "lora_alpha": 8, "lora_dropout": 0.1}}
    untouched, store = train(dropout)
    run = actions.start(where, dropout, executor="test")
    store.commands.add(run, "save", by="a test")
    launcher.run_here(run, where)
    assert [row["step"] for row in store.checkpoints.of(run)] == [1, 4, 8]
    assert losses(store, store.runs.get(run)) == losses(store, untouched)


def test_stop_while_preparing_ends_before_the_first_step(where, values):
    store = Store(where.store_path)
    run = actions.start(where, values, executor="test")
    store.commands.add(run, "stop", by="a test")
    launcher.run_here(run, where)
    row = store.runs.get(run)
    assert (row["status"], row["global_step"]) == ("stopped", 0) and "no checkpoint" in row["reason"]


def test_stop_takes_a_queued_run_out_of_the_queue(where, values):
    store = Store(where.store_path)
    run = actions.start(where, values)
    command = actions.command(where, run, "stop", by="a test")
    assert store.runs.get(run)["status"] == "stopped"
    assert store.commands.get(command)["outcome"] == "taken out of the queue"
    assert store.runs.claim("app") is None


def test_a_failing_run_ends_in_words_with_the_traceback_in_its_log(where, values, model_folder, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in model_folder.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    run = actions.start(where, {**values, "model": {"name": str(broken)}}, executor="test")
    (broken / "model.safetensors").write_bytes(b"not a tensor file")
    launcher.run_here(run, where)
    row = Store(where.store_path).runs.get(run)
    assert row["status"] == "failed" and row["error"]["do"]
    assert "Traceback" in log.tail(where.run_folder(run))


def test_a_loss_that_is_no_number_ends_the_run_and_is_kept(train, values):
    wild = {**values, "training": {**values["training"], "learning_rate": 10.0, "max_grad_norm": 1e9, "optim": "sgd"}}
    wild["method"] = "full"
    run, store = train({**wild, "training": {**wild["training"], "max_steps": 60}})
    assert run["status"] == "failed" and "step" in run["error"]["why"]
    assert losses(store, run)[-1] is None


def test_a_second_start_waits_for_the_first(where, values):
    store = Store(where.store_path)
    first, second = actions.start(where, values), actions.start(where, values)
    launcher.start(where)
    seen = set()
    while not store.runs.get(second)["ended_at"]:
        rows = [store.runs.get(run)["status"] for run in (first, second)]
        seen.add(tuple(rows))
        time.sleep(0.05)
    assert all(not (a in ("preparing", "running") and b in ("preparing", "running")) for a, b in seen)
    assert [store.runs.get(run)["status"] for run in (first, second)] == ["finished", "finished"]


def test_rows_cut_by_max_length_are_counted_and_said(train, values):
    short = {**values, "training": {**values["training"], "max_length": 24}}
    run, store = train(short)
    assert run["facts"]["cut_rows"] == 40
    assert any("longer than max_length" in event["text"] for event in store.events.tail(run["id"]))


def test_rotation_keeps_so_many_and_the_list_agrees_with_the_disk(train, values, where):
    many = {**values, "training": {**values["training"], "save_steps": 1, "save_total_limit": 2}}
    run, store = train(many)
    on_disk = sorted(int(p.name.split("-")[1]) for p in where.run_folder(run["id"]).glob("checkpoint-*"))
    assert [row["step"] for row in store.checkpoints.of(run["id"])] == on_disk
    assert 8 in on_disk and len(on_disk) <= 3


def test_shutdown_stops_with_a_checkpoint(where, values):
    long = {**values, "training": {**values["training"], "max_steps": 2000, "save_steps": 1000}}
    store = Store(where.store_path)
    run = actions.start(where, long)
    launcher.start(where)
    while store.runs.get(run)["global_step"] < 2:
        time.sleep(0.05)
    assert launcher.shutdown(where, seconds=60)
    assert store.runs.get(run)["status"] == "stopped"
    assert store.checkpoints.of(run)[-1]["step"] == store.runs.get(run)["global_step"]


def test_the_tokenizer_of_a_checkpoint_is_the_models_own(train, values, where):
    run, store = train(values)
    saved = AutoTokenizer.from_pretrained(where.run_folder(run["id"]) / store.checkpoints.of(run["id"])[-1]["path"])
    assert saved.chat_template == tiny_tokenizer().chat_template


ALPACA = [
    {"instruction": f"Add {n} and {n}.", "input": "" if n % 2 else "Answer in digits.", "output": f"{2 * n}"}
    for n in range(30)
]
REAL = Path(__file__).parents[3] / "shared" / "data"


def test_alpaca_rows_train_too(train, values, tmp_path):
    (tmp_path / "alpaca.json").write_text(json.dumps(ALPACA))
    run, store = train({**values, "data": {"source": str(tmp_path / "alpaca.json")}})
    assert run["status"] == "finished" and losses(store, run)[-1] < losses(store, run)[0]


@pytest.mark.parametrize("name", [file.name for file in sorted(REAL.glob("*.json"))])
def test_real_files_train_where_they_are_at_hand(train, values, name):
    longer = {**values["training"], "max_steps": 24, "save_steps": 24, "eval_steps": 24}
    run, store = train({**values, "data": {"source": str(REAL / name)}, "training": longer})
    curve = losses(store, run)
    assert run["status"] == "finished" and run["facts"]["rows"] == len(json.loads((REAL / name).read_text()))
    assert sum(curve[-5:]) < sum(curve[:5])


def test_a_base_that_is_gone_is_fetched_again_at_the_commit_trained_on(train, values, where, monkeypatch, tmp_path):
    run, store = train(values)
    base, asked = run["facts"]["base"], []
    store.runs.update(run["id"], facts={**run["facts"], "base": str(tmp_path / "snapshots" / "3f9a2c1b")})
    monkeypatch.setattr(load, "fetch", lambda model, settings: asked.append(model.revision) or base)
    actions.export(where, run["id"], 8, "merged", tmp_path / "merged")
    assert asked == ["3f9a2c1b"] and (tmp_path / "merged" / "model.safetensors").is_file()


def test_models_loaded_at_once_leave_torchs_default_dtype_alone(train, values, where):
    run, store = train(values)
    folder = where.run_folder(run["id"]) / store.checkpoints.of(run["id"])[-1]["path"]
    threads = [
        threading.Thread(target=load.trained, args=(folder, run["facts"]["base"], dtype))
        for dtype in ["bfloat16", "float32"] * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert torch.get_default_dtype() == torch.float32


def test_an_evaluation_says_how_far_it_is_and_ends_saying_so(train, values, monkeypatch):
    told = []
    progress = Writer.progress
    monkeypatch.setattr(Writer, "progress", lambda self, **fields: told.append(fields) or progress(self, **fields))
    monkeypatch.setattr(callbacks, "TOLD_SECONDS", -1)
    training = {**values["training"], "max_steps": 2, "eval_steps": 2, "per_device_eval_batch_size": 1}
    run, _ = train({**values, "training": training})
    assert run["status"] == "finished" and run["facts"]["eval_rows"] == 4
    evaluated = [(one["phase_done"], one["phase_total"]) for one in told if one.get("phase") == "evaluating"]
    assert evaluated == [(1, 4), (2, 4), (3, 4), (4, 4)]
    phases = [one["phase"] for one in told if one.get("phase")]
    assert phases[-1] == "training"
