"""Runs that Unsloth trains, each in a process of its own. They need it installed, and are asked for with -m unsloth."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from dfgui import actions, presets, settings
from dfgui.config import RunConfig
from dfgui.data import prepare
from dfgui.models import load
from dfgui.models.backends import trl
from dfgui.recipe import parse
from dfgui.store import Store
from dfgui.training import launcher
from tests.test_presets import nested
from tests.tiny import WEATHER

pytestmark = pytest.mark.unsloth

CURVES = ("loss", "grad_norm", "learning_rate", "num_tokens", "eval_loss")


def by_unsloth(values, **training):
    return {**values, "run": {"backend": "unsloth"}, "training": {**values["training"], **training}}


def told(store, run, kind):
    return [event["text"] for event in store.events.tail(run["id"]) if event["kind"] == kind]


def learned(where, run, step=8):
    return load_file(next((where.run_folder(run["id"]) / f"checkpoint-{step}").glob("*model.safetensors")))


@pytest.mark.parametrize("method", ["lora", "full"])
def test_s4_on_a_cpu_unsloth_trains_what_trl_trains(train, train_apart, values, where, method):
    values = {**values, "method": method, "adapter": {**values["adapter"], "lora_dropout": 0.1}}
    theirs, store = train_apart(by_unsloth(values))
    assert (theirs["status"], theirs["reason"]) == ("finished", "All 8 steps are done."), theirs["error"]
    assert theirs["facts"]["engine"].startswith("Unsloth 20") and "process of its own" in theirs["facts"]["runs_in"]
    plain, _ = train(values)
    assert plain["facts"]["engine"].startswith("TRL ")
    for name in CURVES:
        points, expected = store.metrics.points(theirs["id"], name), store.metrics.points(plain["id"], name)
        assert [step for step, _ in points] == [step for step, _ in expected] and points, name
        assert [value for _, value in points] == pytest.approx([value for _, value in expected], rel=1e-4), name
    one, two = learned(where, theirs), learned(where, plain)
    assert one.keys() == two.keys()
    assert all(torch.allclose(one[name], two[name], atol=1e-5) for name in one)


def test_tool_calls_are_trained_from_yaml_and_the_merged_model_answers_alone(where, model_folder, tmp_path):
    """The command line, from the first row to a folder that plain transformers loads."""
    data = Path(__file__).parents[1] / "files" / "sharegpt_tools.json"
    (tmp_path / "run.yaml").write_text(
        f"model: {{name: {model_folder}}}\ndata: {{source: {data}}}\nrun: {{backend: unsloth}}\n"
        "training: {max_steps: 4, logging_steps: 1, max_length: 384, per_device_train_batch_size: 2}\n"
    )

    def asked(*words):
        command = [sys.executable, "-m", "dfgui", *words, "--json", "--home", str(where.home)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=settings.environment())
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    run = asked("train", str(tmp_path / "run.yaml"))
    assert run["status"] == "finished"
    asked("export", run["run"], "--checkpoint", "4", "--as", "merged", "--to", str(tmp_path / "merged"))
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "merged")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    question = [{"role": "user", "content": "What is the weather in Oslo?"}]
    prompt = tokenizer.apply_chat_template(
        question, tools=[WEATHER], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    assert "get_weather" in tokenizer.decode(prompt["input_ids"][0])
    answer = model.generate(**prompt, max_new_tokens=8, do_sample=False)
    assert answer.shape[1] > prompt["input_ids"].shape[1]


@pytest.mark.parametrize("method", ["lora", "full"])
def test_its_script_gives_the_losses_of_the_run(train_apart, values, where, tmp_path, method):
    values = {**values, "method": method, "adapter": {**values["adapter"], "lora_dropout": 0.1}}
    run, store = train_apart(by_unsloth(values))
    actions.script(where, run["id"], tmp_path / "script")
    command = [sys.executable, "train.py"]
    ran = subprocess.run(command, cwd=tmp_path / "script", capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stderr[-3000:]
    logged = json.loads((tmp_path / "script" / "log_history.json").read_text())
    for name in CURVES:
        points = [[entry["step"], entry[name]] for entry in logged if name in entry and "train_loss" not in entry]
        assert points == [list(point) for point in store.metrics.points(run["id"], name)] != [], name


def test_its_adapter_on_the_base_gives_the_loss_that_was_measured_in_training(train_apart, values, where):
    run, store = train_apart(by_unsloth(values))
    base = AutoModelForCausalLM.from_pretrained(values["model"]["name"], dtype="float32")
    model = PeftModel.from_pretrained(base, where.run_folder(run["id"]) / "checkpoint-8").eval()
    config = parse(values)
    tokenizer = load.tokenizer(config.model, where)
    held_out = prepare.prepare(config.data, tokenizer, 128, config.training.seed, where).eval
    total, count = 0.0, 0
    for row in held_out:
        labels = torch.tensor([row["labels"]])
        trained = int((labels[:, 1:] != -100).sum())
        with torch.inference_mode():
            total += model(input_ids=torch.tensor([row["input_ids"]]), labels=labels).loss.item() * trained
        count += trained
    assert store.metrics.points(run["id"], "eval_loss")[-1] == [8, pytest.approx(total / count, rel=1e-4)]


def test_its_merged_model_agrees_with_its_adapter(train_apart, values, where, tmp_path):
    run, _ = train_apart(by_unsloth(values))
    actions.export(where, run["id"], 8, "adapter", tmp_path / "adapter")
    actions.export(where, run["id"], 8, "merged", tmp_path / "merged")
    adapted, tokenizer = load.trained(tmp_path / "adapter", run["facts"]["base"], "float32")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype="float32").eval()
    prompt = tokenizer("What is the weather in Oslo?", return_tensors="pt")
    with torch.inference_mode():
        assert (adapted(**prompt).logits - merged(**prompt).logits).abs().max() < 1e-4


def test_a_stopped_run_keeps_a_checkpoint_and_goes_on_as_if_it_had_never_been(train, values, where):
    adapter = {**values["adapter"], "lora_dropout": 0.1}
    asked = by_unsloth({**values, "adapter": adapter}, max_steps=200, save_steps=500, eval_steps=500)
    run, store = actions.start(where, asked), Store(where.store_path)
    runner = launcher.start(where)
    until(lambda: store.runs.get(run)["global_step"] >= 3)
    actions.command(where, run, "stop", by="a test")
    until(lambda: store.runs.get(run)["ended_at"])
    stopped = store.runs.get(run)
    at = stopped["global_step"]
    assert stopped["status"] == "stopped" and at < 200
    assert stopped["reason"] == f"Stopped by a test at step {at} of 200; checkpoint {at} is kept."

    assert actions.resume(where, run) == at
    until(lambda: store.runs.get(run)["ended_at"])
    assert store.runs.get(run)["status"] == "finished", store.runs.get(run)["error"]
    launcher.shutdown(where, 1)
    runner.join(10)
    whole, _ = train({**asked, "run": {}})
    for name in ("loss", "grad_norm", "num_tokens"):
        points, expected = store.metrics.points(run, name), store.metrics.points(whole["id"], name)
        assert [value for _, value in points] == pytest.approx([value for _, value in expected], rel=1e-3), name


def until(true, seconds=300):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_unsloth_changes_is_told(train_apart, values):
    run, store = train_apart(by_unsloth(values, packing=True, max_steps=2))
    assert run["status"] == "finished", run["error"]
    assert told(store, run, "warning") == ["packing is False and not True: unsloth has changed it."]
    assert "rewritten TRL's trainer" in told(store, run, "engine")[0]


def test_a_run_of_trl_tells_of_no_change(train, values):
    run, store = train({**values, "training": {**values["training"], "packing": True, "max_steps": 2}})
    assert run["status"] == "finished" and told(store, run, "engine") == told(store, run, "warning") == []


def test_the_marks_of_a_chat_template_are_learned_as_trl_learns_them(train, train_apart, values, monkeypatch):
    values = {**values, "model": {**values["model"], "chat_template": "gemma3"}}
    theirs, store = train_apart(by_unsloth(values))
    adapted = trl.adapted  # Unsloth throws its dice as it makes the adapter: after the rows of new tokens are made
    monkeypatch.setattr(trl, "adapted", lambda *given: torch.manual_seed(42) and adapted(*given))
    plain, _ = train(values)
    assert theirs["facts"]["marks"] == plain["facts"]["marks"] == 2
    points, expected = (store.metrics.points(run["id"], "loss") for run in (theirs, plain))
    assert [value for _, value in points] == pytest.approx([value for _, value in expected], rel=1e-4)


def test_the_pages_own_values_train_here_with_their_substitutes_named(train_apart, values):
    preset, gave_way = presets.apply("unsloth", bf16=False, bitsandbytes=False, unsloth=True)
    asked = {**nested(preset), "model": values["model"], "data": values["data"]}
    asked["training"] |= {"max_steps": 2, "max_length": 128}
    run, _ = train_apart(asked)
    assert run["status"] == "finished", run["error"]
    config = RunConfig.model_validate(run["config"])
    assert (config.run.backend, config.run.placement) == ("unsloth", "process")
    assert (config.adapter.r, config.adapter.lora_alpha, config.adapter.lora_dropout) == (16, 16, 0)
    assert any("adamw_8bit" in words for words in gave_way)


def test_an_adapter_of_an_earlier_run_is_trained_on(train, train_apart, values):
    first, store = train(values)
    later, _ = train_apart(by_unsloth({**values, "model": {"name": f"run:{first['id']}@8"}}))
    assert later["status"] == "finished", later["error"]
    assert later["facts"]["trainable_parameters"] == first["facts"]["trainable_parameters"]
    began, ended = (store.metrics.points(run["id"], "loss") for run in (later, first))
    assert began[0][1] < ended[0][1]
