"""S8: a run as a script. Its folder runs alone, knows nothing of dfgui, and gives the same numbers, step by step."""

import ast
import dataclasses
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from trl import SFTConfig

from dfgui import actions, presets, recipe
from dfgui.errors import UserError
from dfgui.fields import specs
from dfgui.models import fastest
from dfgui.models.hardware import Hardware
from dfgui.recipe import parse
from dfgui.settings import Settings
from dfgui.store import Store
from dfgui.training import sft
from dfgui.training.script import arguments, known, text
from tests.hub import COMMIT
from tests.test_presets import nested
from tests.tiny import WEATHER, tiny_folder, tiny_tokenizer

NEVER_EQUAL = ("epoch", "runtime", "per_second")  # epoch is also in the summary; the others are times
CPU = Hardware("cpu", "CPU", False, 8 * 10**9)
SECRET = {"SECRET_OF_MINE": "hunter2"}  # what a callback is given of the environment

# Runs train.py after train.py, each in a process of its own and in its own folder, as `python -I train.py` would. What
# they all import is imported once, and then there is a fork for each.
RUNNER = """
import os, runpy, sys, traceback
import datasets, peft, torch, transformers, trl
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

for line in sys.stdin:
    child = os.fork()
    if child:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    os.chdir(line.strip())
    sys.path.insert(0, line.strip())
    said, code = open("said.txt", "w"), 0
    sys.stdout = sys.stderr = said
    try:
        runpy.run_path("train.py", run_name="__main__")
        assert not any(name.split(".")[0] == "dfgui" for name in sys.modules)
    except BaseException:
        traceback.print_exc()
        code = 1
    said.flush()
    os._exit(code)
"""


@pytest.fixture(scope="module")
def runner():
    command, given = [sys.executable, "-I", "-c", RUNNER], {**os.environ, **SECRET}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=given) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def ran(runner, where, tmp_path):
    """Writes the script of a run and runs it; returns its folder."""

    def run(run):
        folder = tmp_path / f"script-{run['id']}"
        answer = actions.script(where, run["id"], folder)
        assert answer["path"] == str(folder / "train.py")
        assert (folder / "train.py").read_text() == actions.source(where, run["id"])
        runner.stdin.write(f"{folder}\n")
        runner.stdin.flush()
        assert runner.stdout.readline().strip() == "0", (folder / "said.txt").read_text()[-3000:]
        return folder

    return run


def curves(folder):
    """What a script has logged: {"loss": [[step, value], ...]}."""
    found = {}
    for entry in json.loads((folder / "log_history.json").read_text()):
        if "train_loss" not in entry:
            for name, value in entry.items():
                found.setdefault(name, []).append([entry["step"], value])
    return {name: points for name, points in found.items() if name != "step" and not name.endswith(NEVER_EQUAL)}


def recorded(store, run):
    """What the run has logged, the same way."""
    names = [name for name in store.metrics.names(run["id"]) if not name.endswith(NEVER_EQUAL)]
    return {name: [list(point) for point in store.metrics.points(run["id"], name)] for name in names}


def require_equal(store, run, folder):
    """To the last digit, at every step."""
    expected = recorded(store, run)
    assert {"loss", "grad_norm", "learning_rate"} <= expected.keys()
    assert curves(folder) == expected
    return expected


def shaped(values, **blocks):
    return {**values, **{name: {**values.get(name, {}), **block} for name, block in blocks.items()}}


COMBINED = {
    "adapter": {"lora_dropout": 0.1, "use_rslora": True, "use_dora": True, "target_modules": "q_proj, v_proj, up_proj"},
    "training": {
        "max_steps": -1,
        "num_train_epochs": 1.6,
        "lr_scheduler_type": "cosine_with_min_lr",
        "lr_scheduler_kwargs": {"min_lr": 1e-3},
        "warmup_steps": 3,
        "weight_decay": 0.01,
        "max_grad_norm": 0.3,
        "neftune_noise_alpha": 5,
        "train_sampling_strategy": "group_by_length",
        "gradient_checkpointing": True,
        "optim": "adamw_torch",
        "loss_type": "dft",
        "seed": 7,
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
    },
    "extra": {"adam_beta2": 0.95, "label_smoothing_factor": 0.0, "data_seed": 3, "logging_first_step": True},
}


@pytest.mark.parametrize(
    ("method", "blocks"),
    [
        ("full", {}),
        ("lora", {}),
        ("lora", {"training": {"packing": True, "max_length": 96}}),
        ("full", {"training": {"packing": True, "packing_strategy": "wrapped"}}),
        ("full", {"training": {"gradient_accumulation_steps": 2, "eval_on_start": True}}),
        ("lora", COMBINED),
        ("full", {"training": {**COMBINED["training"], "loss_type": "nll", "dataloader_num_workers": 1}}),
    ],
    ids=["full", "lora", "packing", "wrapped", "accumulation", "combined", "combined-full"],
)
def test_s8_the_script_gives_the_losses_of_the_run(train, values, ran, method, blocks):
    run, store = train({**shaped(values, **blocks), "method": method})
    assert run["status"] == "finished", run["reason"]
    folder = ran(run)
    equal = require_equal(store, run, folder)
    assert "eval_loss" in equal and len(equal["loss"]) == run["global_step"]
    kind = "adapter_model" if method == "lora" else "model"
    assert (folder / "trained" / f"{kind}.safetensors").is_file() and (folder / "trained" / "tokenizer.json").is_file()


def test_it_stops_early_where_the_run_did(train, values, ran):
    training = {"max_steps": 60, "learning_rate": 0.5, "eval_steps": 2, "save_steps": 4, "save_total_limit": 2}
    stopping = {"patience": 3, "threshold": 0.01, "load_best_model_at_end": True}
    run, store = train(shaped(values, training=training, early_stopping=stopping))
    assert run["global_step"] < 60 and run["reason"].startswith("Stopped early")
    require_equal(store, run, ran(run))


def test_it_learns_of_calls_what_the_run_learned(train, values, ran, tmp_path):
    """Answers and calls alone, with the tools in the prompt; what is not learned is -100."""
    path = tmp_path / "calls.jsonl"
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"Weather in Oslo in {n} days?"},
                {"role": "assistant", "content": "", "tool_calls": [call(n)]},
                {"role": "tool", "name": "get_weather", "content": f"{n} degrees"},
                {"role": "assistant", "content": f"It will be {n} degrees."},
            ],
            "tools": [WEATHER],
        }
        for n in range(20)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run, store = train(shaped(values, data={"source": str(path)}, training={"max_length": 1024}))
    folder = ran(run)
    require_equal(store, run, folder)
    from datasets import Dataset

    row = Dataset.from_parquet(str(folder / "train.parquet"))[0]
    learned = tiny_tokenizer().decode([token for token in row["labels"] if token != -100])
    assert "get_weather" in learned and "degrees." in learned and "Weather in a city" not in learned
    assert "Weather in a city" in tiny_tokenizer().decode(row["input_ids"])


def call(n):
    return {"type": "function", "function": {"name": "get_weather", "arguments": {"city": "Oslo", "days": n}}}


def test_it_goes_on_from_an_earlier_runs_adapter(train, values, ran, where):
    first, store = train(values)
    longer = {"model": {"name": f"run:{first['id']}@4"}, "adapter": {"lora_dropout": 0.1}}
    for method, names in (("lora", "is_trainable=True"), ("full", "merge_and_unload")):
        run, _ = train({**shaped(values, **longer), "method": method})
        folder = ran(run)
        require_equal(store, run, folder)
        assert names in (folder / "train.py").read_text() and (folder / "model" / "model.safetensors").is_file()
    whole, _ = train(shaped(values, model={"name": f"run:{run['id']}@8"}))
    folder = ran(whole)
    require_equal(store, whole, folder)
    assert not (folder / "adapter").exists()


def test_it_learns_the_marks_of_a_chat_template_that_is_new_to_the_model(train, values, ran, tmp_path):
    base = tiny_folder(tmp_path / "base")
    asked = shaped(values, model={"name": str(base), "chat_template": "gemma3"})
    run, store = train(asked)
    folder = ran(run)
    require_equal(store, run, folder)
    source = (folder / "train.py").read_text()
    assert "trainable_token_indices" in source and "def make_room" in source and 'loss_type="nll"' in source
    longer, _ = train(shaped(values, model={"name": f"run:{run['id']}@8"}))
    require_equal(store, longer, ran(longer))
    run, _ = train({**asked, "method": "full"})
    require_equal(store, run, ran(run))


def test_own_callbacks_hear_what_they_heard(train, values, ran, where, monkeypatch, tmp_path):
    where.callbacks.mkdir()
    (where.callbacks / "train.py").write_text(PLAIN_CLASS)
    monkeypatch.setenv(*next(iter(SECRET.items())))
    args = {"path": str(tmp_path / "heard.txt"), "trainer": "@trainer", "token": "@env:SECRET_OF_MINE"}
    run, store = train({**values, "callbacks": [{"use": "train.py:Ear", "args": args}]})
    heard = (tmp_path / "heard.txt").read_text()
    (tmp_path / "heard.txt").unlink()
    folder = ran(run)
    require_equal(store, run, folder)
    assert heard and (tmp_path / "heard.txt").read_text().replace("SFTTrainer", "Trainer") == heard
    assert not any("hunter2" in file.read_text(errors="ignore") for file in folder.glob("*.*"))


PLAIN_CLASS = '''
class Ear:
    """Derives from nothing."""

    def __init__(self, path, trainer, token):
        self.path, self.said = path, f"{type(trainer).__name__} {len(token)}"

    def on_step_end(self, args, state, control, **kwargs):
        with open(self.path, "a") as file:
            file.write(f"{state.global_step} {self.said}\\n")
'''


# What is written


def source_of(values, **facts):
    config = parse(values)
    return text(config, dataclasses.replace(known(config, Settings(Path("/nowhere"))), **facts))


def require_clean(source, tmp_path):
    """It parses, is as `ruff format` leaves it, and imports nothing that it does not use."""
    compile(source, "train.py", "exec")
    file = tmp_path / "train.py"
    file.write_text(source, encoding="utf-8")
    for command in (["format", "--diff"], ["check", "--select", "E,F,W,I,B,UP,C4"]):
        asked = [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length", "120", "--no-cache", "train.py"]
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=60, cwd=tmp_path)
        assert answer.returncode == 0, answer.stdout + answer.stderr


EVERYTHING = {
    "name": 'A "name"\twith \\ signs',
    "model": {
        "name": "owner/model",
        "revision": "v1.0",
        "dtype": "bfloat16",
        "attn_implementation": "flash_attention_2",
        "load_in_4bit": True,
        "chat_template": "gemma3",
    },
    "adapter": {
        "r": 8,
        "lora_alpha": 8,
        "lora_dropout": 0.05,
        "use_rslora": True,
        "use_dora": True,
        "modules_to_save": "lm_head",
    }
    | {"target_modules": [f"a_layer_with_a_long_name_{n}" for n in range(8)]},
    "training": {
        "max_steps": 12,
        "max_length": 512,
        "seed": 1,
        "per_device_train_batch_size": 2,
        "packing": True,
        "gradient_accumulation_steps": 3,
        "packing_strategy": "wrapped",
        "train_sampling_strategy": "sequential",
        "dataloader_num_workers": 2,
        "learning_rate": 1e-5,
        "lr_scheduler_type": "cosine_with_min_lr",
        "lr_scheduler_kwargs": {"min_lr": 1e-6, "num_cycles": 0.5},
        "warmup_steps": 0.1,
        "optim": "galore_adamw",
        "weight_decay": 0.1,
        "max_grad_norm": 0.5,
        "neftune_noise_alpha": 5.0,
        "loss_type": "nll",
        "precision": "bf16",
        "gradient_checkpointing": False,
        "activation_offloading": True,
        "use_liger_kernel": True,
        "logging_steps": 2,
        "save_steps": 6,
        "save_total_limit": 3,
        "eval_steps": 3,
        "eval_on_start": True,
        "per_device_eval_batch_size": 2,
    },
    "early_stopping": {"patience": 2, "threshold": 0.1, "metric": "eval_entropy", "load_best_model_at_end": True},
    "trackers": ["tensorboard", "wandb", "deepfabric"],
    "callbacks": [
        {"use": "a.module:Mine", "args": {"words": 'it\'s "so"', "to": "@trainer", "key": "@env:A_KEY"}},
        {"use": "my-file.py:Mine", "args": {"lists": [{"name": f"number {n}"} for n in range(9)]}},
        {"use": "json.py:SFTTrainer"},
    ],
    "run": {"placement": "accelerate", "accelerate_config": "/somewhere/fsdp.yaml"},
    "extra": {
        "optim_target_modules": "all-linear",
        "adam_beta2": 0.95,
        "gradient_checkpointing_kwargs": {"use_reentrant": False},
    },
}


HEARD = {"plain": frozenset(one["use"] for one in EVERYTHING["callbacks"])}


@pytest.mark.parametrize("name", [*presets.PRESETS, "everything", "unsloth everything", "nothing"])
def test_the_script_is_tidy(name, tmp_path):
    unsloth = {**EVERYTHING, "run": {"backend": "unsloth"}, "adapter": {"r": 8, "lora_alpha": 4}}
    given = {"everything": EVERYTHING, "unsloth everything": unsloth, "nothing": {}}
    values = given[name] if name in given else nested(presets.apply(name, True, True, True, True)[0])
    for beside in ("my_file.py", "own_json.py"):
        (tmp_path / beside).touch()
    learned = [dict.fromkeys(("embed_tokens", "lm_head"), ids) for ids in (list(range(151_000, 151_040)), [1, 5])]
    marked = [{"marks": True, "learned": rows, "grows": True} for rows in learned]
    for facts in ({}, *marked, {"adapter": "merged"}, HEARD | {"device": "cuda"}):
        require_clean(source_of(values, **facts), tmp_path)


def arguments_of(source):
    """The SFTConfig that the source makes."""
    tree = ast.parse(source)
    made = next(node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "SFTConfig")
    seed = next(node.value.value for node in tree.body if ast.unparse(node).startswith("SEED = "))
    return eval(ast.unparse(made), {"SFTConfig": SFTConfig, "HERE": Path("/here"), "SEED": seed})


def other(spec):
    """A value that a setting does not have by default."""
    if spec.kind == "switch":
        return spec.default is False
    if spec.kind == "choice":
        return next(one for one in reversed(spec.choices) if one != str(spec.default))
    if spec.kind == "mapping":
        return {"num_cycles": 2}
    return {"integer": 3, "number": 0.5}.get(spec.kind, "x") if spec.default != 3 else 4


NEEDS = {  # what a setting cannot do without, or another value
    "training.max_length": {"max_length": 64},
    "training.precision": {"precision": "fp16"},
    "training.packing_strategy": {"packing": True},
    "training.lr_scheduler_kwargs": {"lr_scheduler_type": "cosine_with_restarts"},
    "training.optim": {"optim": "adafactor"},
}
APART = {"output_dir", "disable_tqdm", "save_total_limit"}
SAYS_NOTHING = {"metric_for_best_model", "greater_is_better"}  # where nothing goes by the best checkpoint
WHERE = {  # what says nothing where another setting has this value
    "num_train_epochs": ("max_steps", 3),
    "packing_strategy": ("packing", False),
    "dataset_kwargs": ("packing", True),
    "save_steps": ("save_strategy", "epoch"),
    "eval_steps": ("eval_strategy", "epoch"),
}


@pytest.mark.parametrize("path", [spec.path for spec in specs() if spec.path.startswith("training.")])
def test_the_trainer_of_the_script_is_told_what_that_of_the_run_is_told(path, tmp_path):
    spec = next(spec for spec in specs() if spec.path == path)
    name = path.partition(".")[2]
    changed = {name: other(spec), **NEEDS.get(path, {})}
    config = parse({"training": changed})
    assert getattr(config.training, name) != spec.default
    precision = "fp16" if name == "precision" else "fp32"
    config = fastest.as_trl_has_it(config)
    expected = SFTConfig(**sft.sft_arguments(config, tmp_path, config.training.eval_strategy != "no", CPU, precision))
    made = arguments_of(source_of({"training": changed}, device="cpu", precision=precision))
    fields = [field.name for field in dataclasses.fields(SFTConfig)]
    differing = {one for one in fields if (getattr(made, one) or None) != (getattr(expected, one) or None)} - APART
    silent = {one for one, (where, value) in WHERE.items() if getattr(config.training, where) == value}
    assert differing <= SAYS_NOTHING | silent - {name}
    if name == "save_total_limit":  # which dfgui keeps itself
        assert made.save_total_limit == config.training.save_total_limit


def test_what_is_left_out_is_sft_configs_own_default():
    fields = {field.name: field.default for field in dataclasses.fields(SFTConfig)}
    assert {name: fields[name] for name in arguments.DEFAULTS} == arguments.DEFAULTS


def test_a_model_of_the_hub_stays_there_pinned_to_the_commit_that_was_trained(
    train, values, where, model_folder, monkeypatch, tmp_path
):
    """Run as a person would run it, with nothing but its folder and the Hub's cache."""
    kept = tmp_path / "cache" / "models--owner--tiny"
    shutil.copytree(model_folder, kept / "snapshots" / COMMIT)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    run, store = train(shaped(values, model={"name": "owner/tiny"}, training={"max_steps": 3}))
    assert run["status"] == "finished", run["reason"]
    folder = tmp_path / "script"
    answer = actions.script(where, run["id"], folder)
    assert not any(name.startswith("model/") for name in answer["files"])
    source = (folder / "train.py").read_text()
    assert '"owner/tiny"' in source and f'revision="{COMMIT}"' in source
    assert source == actions.source(where, run["id"])
    new = actions.script(where, shaped(values, model={"name": "owner/tiny"}), tmp_path / "new")
    assert f'revision="{COMMIT}"' in Path(new["path"]).read_text()
    alone = {**os.environ, "HF_HUB_CACHE": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-I", "train.py"]
    answer = subprocess.run(command, cwd=folder, env=alone, capture_output=True, text=True, timeout=240)
    assert answer.returncode == 0, answer.stderr[-3000:]
    require_equal(store, run, folder)


def test_what_the_run_trained_with_is_what_the_script_trains_with(where, values):
    """A run of a GPU, looked at on a machine that has none."""
    store = Store(where.store_path)
    run = store.runs.create(parse(values), "test")
    store.runs.update(run, facts={"precision": "bf16", "dtype": "bfloat16", "device_type": "cuda", "eval_rows": 0})
    source = actions.source(where, run)
    assert 'dtype="bfloat16"' in source and "bf16=True," in source and 'model.to("cuda")' in source
    assert "use_cpu" not in source and "eval" not in source


def test_its_source_is_written_without_torch(values, where):
    code = (
        "import json, sys; from dfgui import actions, settings\n"
        "values = json.loads(sys.argv[1])\n"
        "print(actions.source(settings.load(home=sys.argv[2], jailed=False), values))\n"
        "print(sorted({'torch', 'transformers', 'trl', 'peft', 'datasets'} & set(sys.modules)))"
    )
    asked = [sys.executable, "-c", code, json.dumps(values), str(where.home)]
    answer = subprocess.run(asked, capture_output=True, text=True, timeout=120, check=True)
    *source, heavy = answer.stdout.rstrip().splitlines()
    assert heavy == "[]" and "SFTTrainer(" in "\n".join(source)
    compile("\n".join(source), "train.py", "exec")


def test_what_a_new_run_would_do_can_be_written_too(where, values, tmp_path):
    answer = actions.script(where, values, tmp_path / "new")
    assert answer["files"][:3] == ["eval.parquet", "model/config.json", "model/generation_config.json"]
    assert answer["bytes"] == sum((tmp_path / "new" / name).stat().st_size for name in answer["files"])
    kept = recipe.from_yaml((tmp_path / "new" / "run.yaml").read_text())
    assert kept == parse(values | {"training": values["training"] | {"train_sampling_strategy": "random"}})
    pinned = (tmp_path / "new" / "requirements.txt").read_text().splitlines()
    assert "trl==1.14.2" in pinned and not any("+" in line for line in pinned)
    assert {line.partition("==")[0] for line in pinned} == {
        *("torch", "transformers", "trl", "datasets", "accelerate", "peft")
    }


def test_a_download_of_it_is_its_folder_as_a_zip_and_leaves_nothing_behind(train, values, where, tmp_path):
    run, _ = train(values)
    written = actions.script(where, run["id"], tmp_path / "written")
    package = actions.package(where, run["id"], 4, "script")
    content = b"".join(package.chunks)
    assert len(content) == package.size and package.filename.endswith("-script.zip")
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        inside = {name.partition("/")[2]: zipped.read(name) for name in zipped.namelist()}
    assert sorted(inside) == sorted(written["files"])
    assert inside["train.py"] == (tmp_path / "written" / "train.py").read_bytes()
    package.close()
    assert not package.folder.exists()


def test_what_cannot_be_written_is_said_in_words(train, values, where, rows_file, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty"):
        actions.script(where, values, tmp_path / "full")
    assert [file.name for file in (tmp_path / "full").iterdir()] == ["mine.txt"]
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="that you may write to"):
        actions.script(where, values, tmp_path / "file" / "below")
    with pytest.raises(UserError, match="See the list of runs"):
        actions.script(where, "nosuchrun1", tmp_path / "new")
    with pytest.raises(UserError, match="Check the spelling"):
        actions.script(where, shaped(values, model={"name": str(tmp_path / "gone")}), tmp_path / "new")
    with pytest.raises(UserError, match="Put it there"):
        actions.script(where, {**values, "callbacks": ["gone.py:Mine"]}, tmp_path / "new")
    run, _ = train(values)
    lines = rows_file.read_text().splitlines()
    rows_file.write_text("\n".join(lines[1:]) + "\n")
    with pytest.raises(UserError, match="Bring the dataset back"):
        actions.script(where, run["id"], tmp_path / "new")
    assert not (tmp_path / "new").exists()
