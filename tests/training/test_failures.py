import errno
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from dfgui.errors import UserError
from dfgui.training.failures import explain
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


def test_memory_that_ran_out_names_the_batch(model_folder):
    import numpy
    import torch

    for error in (
        raised(lambda: torch.empty(10**14)),
        raised(lambda: numpy.empty(10**14)),
        raised(lambda: bytearray(10**15)),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has ..."),
    ):
        told = explain(error)
        assert told.what == "The memory ran out."
        assert told.field == "training.per_device_train_batch_size"


def test_a_loss_that_is_no_number_advises_a_smaller_learning_rate():
    told = explain(FloatingPointError("The loss is nan at step 12."))
    assert told.why == "The loss is nan at step 12."
    assert "smaller learning rate" in told.do


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
