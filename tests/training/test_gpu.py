"""Runs on an NVIDIA GPU: its memory comes back, what fails is told, and a fault spoils no later run.

They are asked for with -m gpu; those of Unsloth and of 4 bit need requirements-unsloth.txt and bitsandbytes too.
"""

import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from dfgui import actions, presets, settings
from dfgui.config import RunConfig
from dfgui.models import hardware, load
from dfgui.store import Store
from dfgui.training import launcher, memory
from tests.test_presets import nested
from tests.training.control import commanding

pytestmark = pytest.mark.gpu

CURVES = ("loss", "grad_norm", "num_tokens", "eval_loss")

# An app whose first run meets a real device-side assert at its second step, and the run that comes after it.
APP = """
import json, sys, time
import torch
from dfgui import actions, settings
from dfgui.store import Store
from dfgui.training import launcher
from dfgui.training.obedience import Obedience

values, home = json.loads(sys.argv[1]), sys.argv[2]
before = Obedience.on_step_end

def on_step_end(self, args, state, control, **kwargs):
    if state.global_step == 2:
        torch.zeros(4, device="cuda")[torch.tensor([9], device="cuda")].cpu()
    return before(self, args, state, control, **kwargs)

Obedience.on_step_end = on_step_end
where = settings.load(home=home, jailed=False)
store = Store(where.store_path)
both = [actions.start(where, values) for _ in range(2)]
launcher.start(where)
deadline = time.monotonic() + 240
while not all(store.runs.get(run)["ended_at"] for run in both) and time.monotonic() < deadline:
    time.sleep(0.2)
print(json.dumps(both))
"""


@pytest.fixture
def fill_but():
    """Takes the GPU's memory but for some bytes until the test ends; returns how many it has in all."""
    taken = []

    def fill(left):
        free, total = torch.cuda.mem_get_info()
        taken.append(torch.empty(free - left, dtype=torch.uint8, device="cuda"))
        return total

    yield fill
    taken.clear()
    torch.cuda.empty_cache()


@pytest.fixture
def long_rows(tmp_path):
    """Rows that all reach max_length, so that a batch of them needs room."""
    path = tmp_path / "long.jsonl"
    row = {"messages": [{"role": "user", "content": "Go on."}, {"role": "assistant", "content": "weather " * 2000}]}
    path.write_text((json.dumps(row) + "\n") * 600)
    return str(path)


def told(store, run, kind):
    return [event["text"] for event in store.events.tail(run["id"]) if event["kind"] == kind]


def test_a_run_trains_in_bf16_and_gives_the_memory_of_the_gpu_back(train, values):
    train({**values, "training": {**values["training"], "max_steps": 2}})  # what libraries keep for themselves
    before = memory.held()
    run, store = train(values)
    assert (run["status"], run["reason"]) == ("finished", "All 8 steps are done."), run["error"]
    assert run["facts"]["device"] == hardware.describe(hardware.measure())
    assert hardware.look().name == hardware.measure().name
    assert (run["facts"]["precision"], run["facts"]["dtype"]) == ("bf16", "bfloat16")
    losses = [value for _, value in store.metrics.points(run["id"], "loss")]
    assert len(losses) == 8 and losses[-1] < losses[0]
    assert memory.held() - before < 1e6 and told(store, run, "warning") == []


def test_memory_that_is_held_after_a_run_is_told(train, values, monkeypatch):
    kept = []
    commanding(monkeypatch, {}, lambda *_: kept.append(torch.empty(50_000_000, dtype=torch.uint8, device="cuda")))
    run, store = train(values)
    assert run["status"] == "finished"
    assert told(store, run, "warning") == [
        "0.4 GB of GPU memory are still held by this process; a restart of dfgui gives them back."
    ]


def test_out_of_memory_is_told_with_what_was_asked_and_there_and_the_next_run_trains(
    train, values, long_rows, fill_but
):
    train({**values, "training": {**values["training"], "max_steps": 2}})
    total = fill_but(2_000_000_000)
    before = memory.held()
    large = {"per_device_train_batch_size": 512, "max_length": 2048, "eval_steps": 1000}
    run, store = train(
        {**values, "data": {"source": long_rows}, "training": {**values["training"], **large}, "method": "full"}
    )
    assert run["status"] == "failed" and run["error"]["what"] == "The memory ran out.", run["error"]
    assert f"the GPU has {total / 1e9:.1f} GB, of which" in run["error"]["why"], run["error"]["why"]
    assert run["error"]["why"].startswith("It asked for ")
    assert run["error"]["changes"]["training.per_device_train_batch_size"] == 256
    assert run["error"]["changes"]["training.gradient_accumulation_steps"] == 2
    assert "It happened in a batch of row 1." in run["error"]["why"]  # they are all alike
    assert memory.held() - before < 1e6 and told(store, run, "warning") == []
    again, _ = train(values)
    assert again["status"] == "finished", again["error"]


def test_a_cuda_fault_ends_one_run_and_the_next_one_gets_a_process_of_its_own(values, where):
    app = subprocess.run(
        [sys.executable, "-c", APP, json.dumps(values), str(where.home)],
        capture_output=True,
        text=True,
        timeout=300,
        env=settings.environment(),
    )
    store = Store(where.store_path)
    first, second = (store.runs.get(run) for run in json.loads(app.stdout.splitlines()[-1]))
    assert first["status"] == "failed" and first["error"]["what"] == "The GPU has failed this process.", first["error"]
    assert "device-side assert" in first["error"]["why"]
    assert [step for step, _ in store.metrics.points(first["id"], "loss")][:1] == [1]
    assert second["status"] == "finished", second["error"]
    assert second["facts"]["runs_in"].startswith("a process of its own")
    assert second["facts"]["runs_there_because"] == launcher.SPOILT


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_resumed_run_trains_what_an_uninterrupted_one_trains(train, values, where, monkeypatch, method):
    values = {**values, "method": method, "adapter": {**values["adapter"], "lora_dropout": 0.1}}
    whole, store = train(values)
    with monkeypatch.context() as asking:
        commanding(asking, {3: ["stop"]})
        run, _ = train(values)
    assert run["status"] == "stopped" and run["global_step"] == 3
    assert actions.resume(where, run["id"], executor="test") == 3
    launcher.run_here(run["id"], where)
    for name in CURVES:
        one, two = store.metrics.points(run["id"], name), store.metrics.points(whole["id"], name)
        assert [step for step, _ in one] == [step for step, _ in two], name
        assert [value for _, value in one] == pytest.approx([value for _, value in two], rel=1e-3), name


def test_a_command_leaves_the_curve_as_it_is(train, values, monkeypatch):
    values = {**values, "adapter": {**values["adapter"], "lora_dropout": 0.1}}
    left, store = train(values)
    commanding(monkeypatch, {2: ["evaluate"], 3: ["save"], 5: ["evaluate", "save"]})
    asked, _ = train(values)
    one, two = (store.metrics.points(run["id"], "loss") for run in (left, asked))
    assert [value for _, value in one] == pytest.approx([value for _, value in two], rel=1e-3)


def test_a_merged_model_of_a_bf16_run_is_bf16_and_agrees_with_its_adapter(train, values, where, tmp_path):
    run, _ = train(values)
    actions.export(where, run["id"], 8, "adapter", tmp_path / "adapter")
    actions.export(where, run["id"], 8, "merged", tmp_path / "merged")
    saved = load_file(next((tmp_path / "merged").glob("*.safetensors")))
    assert {weight.dtype for weight in saved.values()} == {torch.bfloat16}
    adapted, tokenizer = load.trained(tmp_path / "adapter", run["facts"]["base"], "bfloat16", "cuda")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype="bfloat16").to("cuda").eval()
    prompt = tokenizer("What is the weather in Oslo?", return_tensors="pt").to("cuda")
    with torch.inference_mode():
        difference = (adapted(**prompt).logits - merged(**prompt).logits).abs().max()
    assert difference < 0.05 * adapted(**prompt).logits.abs().max()


def test_a_base_in_4_bit_is_trained_on(train, values):
    run, store = train({**values, "model": {**values["model"], "load_in_4bit": True}})
    assert run["status"] == "finished", run["error"]
    losses = [value for _, value in store.metrics.points(run["id"], "loss")]
    assert len(losses) == 8 and losses[-1] < losses[0]
    assert told(store, run, "warning") == []


@pytest.mark.unsloth
def test_unsloth_trains_the_pages_own_values(train_apart, values):
    preset, gave_way = presets.apply("unsloth", bf16=True, bitsandbytes=True, unsloth=True, in_4bit=True)
    assert gave_way == []
    asked = {**nested(preset), "model": {**nested(preset).get("model", {}), **values["model"]}, "data": values["data"]}
    asked["training"] |= {"max_steps": 4, "max_length": 128, "logging_steps": 1}
    run, store = train_apart(asked)
    assert run["status"] == "finished", run["error"]
    config = RunConfig.model_validate(run["config"])
    assert (config.run.backend, config.training.optim) == ("unsloth", "adamw_8bit")
    assert len(store.metrics.points(run["id"], "loss")) == 4 and told(store, run, "warning") == []


@pytest.mark.unsloth
def test_unsloth_trains_about_what_trl_trains(train, train_apart, values):
    plain, store = train(values)
    theirs, _ = train_apart({**values, "run": {"backend": "unsloth"}})
    assert theirs["status"] == "finished", theirs["error"]
    one, two = (store.metrics.points(run["id"], "loss") for run in (plain, theirs))
    assert [value for _, value in one] == pytest.approx([value for _, value in two], rel=2e-2)
