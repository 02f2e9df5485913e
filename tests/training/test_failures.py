import errno
import os
import re
import signal
import subprocess
import sys
from importlib.util import find_spec

import pytest

from dfgui.errors import UserError
from dfgui.recipe import flat, nested, parse
from dfgui.training.failures import explain, is_cuda_fault, killed
from tests.disk import disk_of
from tests.tiny import tiny_folder


def raised(action) -> BaseException:
    with pytest.raises(BaseException) as caught:
        action()
    return caught.value


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    return tiny_folder(tmp_path_factory.mktemp("model"))


def test_what_is_already_in_words_passes_through():
    error = UserError("Learning rate 0 cannot train.", "The model would stay as it is.", "Use a value above 0.")
    assert explain(error) is error


def test_words_inside_another_error_are_found():
    error = UserError("What.", "Why.", "Do.")
    wrapped = RuntimeError("in the worker")
    wrapped.__cause__ = error
    assert explain(wrapped) is error


@pytest.mark.parametrize("writer", ["python", "torch", "safetensors"])
def test_a_full_disk_is_known_whoever_was_writing(tmp_path, writer):
    import torch
    from safetensors.torch import save_file

    weights = {"weight": torch.zeros(100_000)}
    write = {
        "python": lambda: (tmp_path / "log").write_bytes(b"0" * 100_000),
        "torch": lambda: torch.save(weights, tmp_path / "optimizer.pt"),
        "safetensors": lambda: save_file(weights, tmp_path / "model.safetensors"),
    }[writer]
    with disk_of(10_000):
        told = explain(raised(write))
    assert told.what == "The disk is full."
    assert "Free some space" in told.do


def test_a_full_disk_is_known_by_the_systems_own_error():
    assert explain(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))).what == "The disk is full."


CUDA = (  # as torch 2.13 words it
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB of which 1.22 GiB is "
    "free. Including non-PyTorch memory, this process has 77.88 GiB memory in use. Of the allocated memory 76.00 GiB "
    "is allocated by PyTorch, and 1.20 GiB is reserved by PyTorch but unallocated."
)


def test_memory_that_ran_out_names_the_batch():
    import numpy
    import torch

    for error in (
        raised(lambda: torch.empty(10**14)),
        raised(lambda: numpy.empty(10**14)),
        raised(lambda: bytearray(10**15)),
        torch.OutOfMemoryError(CUDA),
    ):
        told = explain(error)
        assert told.what == "The memory ran out."
        assert told.field == "training.per_device_train_batch_size"


def test_memory_says_what_was_asked_and_what_there_was():
    import torch

    on_the_gpu = explain(torch.OutOfMemoryError(CUDA)).why
    assert on_the_gpu == "It asked for 2.1 GB more; the GPU has 84.9 GB, of which 1.3 GB were free."
    there = r"his machine has [\d.]+ GB, of which [\d.]+ [GM]B were free\."
    on_the_cpu = explain(raised(lambda: torch.empty(10**14))).why
    assert re.fullmatch(rf"It asked for 400000\.0 GB more; t{there}", on_the_cpu)
    assert re.fullmatch(rf"T{there}", explain(raised(lambda: bytearray(10**15))).why)


def test_memory_names_three_settings_to_change_and_to_what():
    import torch

    training = {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 4, "gradient_checkpointing": False}
    asked = parse({"training": {**training, "max_length": 2048}})
    told = explain(torch.OutOfMemoryError(CUDA), asked)
    assert told.changes == {
        "training.per_device_train_batch_size": 2,
        "training.gradient_accumulation_steps": 8,
        "training.gradient_checkpointing": True,
        "training.max_length": 1024,
    }
    assert told.do == (
        "Set per_device_train_batch_size to 2 (now 4; still 16 rows per step), gradient_accumulation_steps to 8 "
        "(now 4), gradient_checkpointing to true (now false; about a quarter slower) and max_length to 1024 (now 2048; "
        "longer rows lose their end)."
    )
    parse(nested(flat(asked.model_dump()) | told.changes))  # and it is a config


def test_a_max_length_beyond_every_row_is_halved_from_the_longest_row():
    asked = parse({"training": {"per_device_train_batch_size": 1, "max_length": 8192, "gradient_checkpointing": True}})
    assert explain(MemoryError(), asked, {"longest": 900}).changes == {"training.max_length": 450}


def test_what_is_at_its_best_is_not_named():
    smallest = parse(
        {"training": {"per_device_train_batch_size": 1, "max_length": 200, "gradient_checkpointing": True}}
    )
    told = explain(MemoryError(), smallest)
    assert (told.changes, told.do) == ({}, "Use a smaller model, or a machine with more memory.")
    full = parse({"method": "full", "training": {"per_device_train_batch_size": 1, "gradient_checkpointing": True}})
    assert explain(MemoryError(), full).changes == {
        "method": "lora",
        "training.learning_rate": 2e-4,
        "training.max_length": 512,
    }


def test_an_odd_batch_keeps_its_rows_per_step():
    asked = parse({"training": {"per_device_train_batch_size": 3, "gradient_accumulation_steps": 2}})
    changed = explain(MemoryError(), asked).changes
    assert changed["training.per_device_train_batch_size"] == 1 and changed["training.gradient_accumulation_steps"] == 6


def test_memory_that_runs_out_while_evaluating_changes_that_batch_first():
    def evaluation_loop():
        raise MemoryError

    told = explain(raised(evaluation_loop), parse({}))
    assert next(iter(told.changes.items())) == ("training.per_device_eval_batch_size", 2)


def test_memory_that_a_machine_refuses_is_known_for_real():
    code = """
import resource, torch
from dfgui.recipe import flat, parse
from dfgui.training.failures import explain
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))
for ask in (lambda: torch.ones(2**28), lambda: bytearray(2**30)):
    try:
        ask()
    except BaseException as error:
        told = explain(error, parse({}))
        print(told.what, sorted(told.changes))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.count("The memory ran out.") == 2 and "training.max_length" in ran.stdout, ran.stderr


def test_a_loss_that_is_no_number_advises_a_smaller_learning_rate():
    told = explain(FloatingPointError("The loss is nan at step 12."))
    assert told.why == "The loss is nan at step 12."
    assert "smaller learning rate" in told.do


@pytest.mark.parametrize(
    ("asked", "changes"),
    [
        ({"learning_rate": 2e-2}, {"training.learning_rate": 2e-3, "training.warmup_steps": 0.1}),
        ({"learning_rate": 1e-3, "warmup_steps": 10}, {"training.learning_rate": 2e-4}),
        ({"learning_rate": 1e-4, "precision": "fp16"}, {"training.precision": "auto", "training.warmup_steps": 0.1}),
        ({"learning_rate": 1e-4, "max_grad_norm": 9, "warmup_steps": 5}, {"training.max_grad_norm": 1.0}),
        ({"learning_rate": 1e-4, "warmup_steps": 5}, {"training.learning_rate": 1e-5}),
    ],
)
def test_a_loss_that_is_no_number_has_a_cure_with_a_number(asked, changes):
    told = explain(FloatingPointError("The loss is nan."), parse({"training": asked}))
    assert told.changes == changes
    assert all(path.removeprefix("training.") in told.do for path in changes)


def test_a_folder_without_weights_says_so(model_folder, tmp_path):
    from transformers import AutoModelForCausalLM

    (tmp_path / "config.json").write_bytes((model_folder / "config.json").read_bytes())
    told = explain(raised(lambda: AutoModelForCausalLM.from_pretrained(tmp_path)))
    assert told.what == "The model has no weights that can be loaded."
    assert "safetensors" in told.do


def test_weights_cut_short_are_damaged(model_folder, tmp_path):
    from transformers import AutoModelForCausalLM

    (tmp_path / "config.json").write_bytes((model_folder / "config.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes((model_folder / "model.safetensors").read_bytes()[:1000])
    assert explain(raised(lambda: AutoModelForCausalLM.from_pretrained(tmp_path))).what == "A weights file is damaged."


def test_a_hub_id_that_is_not_here_while_offline_says_so():
    code = """
from datasets import load_dataset
from huggingface_hub import snapshot_download
from transformers import AutoConfig
from dfgui.training.failures import explain
for ask in (AutoConfig.from_pretrained, snapshot_download, load_dataset):
    try:
        ask("nobody/nothing-here")
    except Exception as error:
        print(explain(error))
"""
    env = {**os.environ, "HF_HUB_OFFLINE": "1"}  # read when huggingface_hub is imported
    ran = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    told = ran.stdout.splitlines()
    assert len(told) == 3
    assert all("not on this machine" in line and "Go online" in line for line in told)


def test_a_gated_model_asks_for_its_terms_and_a_token():
    import httpx
    from huggingface_hub.errors import GatedRepoError

    response = httpx.Response(403, request=httpx.Request("GET", "https://huggingface.co/meta/llama"))
    assert "HF_TOKEN" in explain(GatedRepoError("403 Client Error.", response=response)).do
    wrapped = OSError("You are trying to access a gated repo.\nMake sure to have access to it.")
    assert "HF_TOKEN" in explain(wrapped).do


def test_a_missing_package_is_named_with_the_command_that_gets_it(model_folder):
    from transformers import AutoModelForCausalLM, Trainer, TrainingArguments

    model = AutoModelForCausalLM.from_pretrained(model_folder)
    arguments = TrainingArguments(str(model_folder), optim="adamw_8bit", use_cpu=True)
    actions = {
        "bitsandbytes": lambda: Trainer(model, arguments).create_optimizer(),
        "surely_not_installed": lambda: __import__("surely_not_installed"),
        "wandb": lambda: Trainer(model, TrainingArguments(str(model_folder), report_to=["wandb"], use_cpu=True)),
    }
    missing = {name: action for name, action in actions.items() if find_spec(name) is None}
    assert "surely_not_installed" in missing
    for name, action in missing.items():
        told = explain(raised(action))
        assert told.what == f"{name} is not installed."
        assert f"pip install {name}" in told.do


def test_a_missing_optimiser_names_the_one_that_is_there():
    asked = parse({"training": {"optim": "paged_adamw_8bit"}})
    told = explain(ImportError("You need to install `bitsandbytes`: `pip install bitsandbytes`"), asked)
    assert told.changes == {"training.optim": "adamw_torch_fused"}
    assert told.do == "Install it (pip install bitsandbytes), or set optim to adamw_torch_fused (now paged_adamw_8bit)."


def test_a_full_disk_names_how_many_checkpoints_to_keep():
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert explain(full, parse({})).changes == {"training.save_total_limit": 2}
    told = explain(full, parse({"training": {"save_total_limit": 2}}))
    assert told.changes == {} and "--home" in told.do


def test_a_gated_model_is_named_with_its_page(monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    gated = OSError("You are trying to access a gated repo.\nMake sure to have access to it.")
    told = explain(gated, parse({"model": {"name": "meta-llama/Llama-3.2-1B"}}))
    assert "https://huggingface.co/meta-llama/Llama-3.2-1B" in told.do and "HF_TOKEN is not set" in told.why
    monkeypatch.setenv("HF_TOKEN", "hf_of_somebody_else")
    assert "without access" in explain(gated).why


@pytest.mark.parametrize(
    "words",
    [
        "CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported",
        "CUDA error: an illegal memory access was encountered",
        "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx(...)`",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
    ],
)
def test_a_fault_of_the_gpu_is_known_and_told(words):
    import torch

    for kind in (RuntimeError, torch.AcceleratorError):
        wrapped = ValueError("in a step")
        wrapped.__cause__ = kind(words)
        assert is_cuda_fault(wrapped)
        assert explain(wrapped).what == "The GPU has failed this process."


def test_memory_that_ran_out_on_the_gpu_is_no_fault_of_it():
    import torch

    for error in (torch.OutOfMemoryError(CUDA), RuntimeError("CUDA error: out of memory"), KeyError("lost")):
        assert not is_cuda_fault(error)


def died(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("number", "why", "do"),
    [
        (signal.SIGKILL, "too much memory", "per_device_train_batch_size to 2"),
        (signal.SIGSEGV, "outside of Python", "driver"),
        (signal.SIGABRT, "outside of Python", "log"),
        (signal.SIGBUS, "/dev/shm", "--shm-size"),
        (signal.SIGTERM, "asked it to end", "Resume"),
    ],
)
def test_a_process_that_was_killed_is_explained_by_its_signal(number, why, do):
    ran = died(f"import os; os.kill(os.getpid(), {int(number)})")
    for code in (ran.returncode, 128 + number):  # as Python and as a shell count
        told = killed(code, "the last\nlines", parse({}))
        assert number.name in told.what and why in told.why and do in told.do
        assert told.details == "the last\nlines"


def test_a_process_that_ended_in_an_error_is_explained_by_its_last_words():
    ran = died(f"import torch; raise torch.OutOfMemoryError({CUDA!r})")
    told = killed(ran.returncode, ran.stderr, parse({}))
    assert told.what == "The memory ran out." and "84.9 GB" in told.why and told.changes
    assert "Traceback" in told.details
    unknown = killed(3, "no\ntraceback")
    assert "exit code 3" in unknown.what and unknown.details == "no\ntraceback"


def test_secrets_of_the_environment_do_not_reach_the_store_through_a_log(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "abcdef0123456789")
    assert explain(KeyError("x"), log="key abcdef0123456789 refused").details == "key ... refused"


def test_what_nobody_foresaw_is_told_as_it_is_with_the_last_lines_of_the_log():
    assert explain(raised(lambda: {}["lost"]), log="one\ntwo").details == "one\ntwo"


def test_what_nobody_foresaw_is_told_as_it_is():
    told = explain(raised(lambda: {}["lost"]))
    assert told.what == "The run ended in KeyError."
    assert told.why == "'lost'."
    assert told.do == "The log holds the traceback."


def test_a_long_message_is_cut_to_its_first_line():
    told = explain(ValueError("first line\n" + "more\n" * 100))
    assert told.why == "first line."
    assert len(explain(ValueError("x" * 10_000)).why) < 400


def test_an_error_without_words_is_told_too():
    assert explain(AssertionError()).why == "It said nothing more."
