"""S5: precision follows the hardware, is shown, and can be overridden."""

import shutil
import subprocess
from types import SimpleNamespace

import psutil
import pytest

from dfgui.models import hardware
from dfgui.models.hardware import Hardware, precision, weights_dtype

CPU = Hardware("cpu", "CPU", False, 16 * 10**9)
NEW_GPU = Hardware("cuda", "NVIDIA L4", True, 24 * 10**9)
OLD_GPU = Hardware("cuda", "Tesla T4", False, 16 * 10**9)


@pytest.mark.parametrize(("machine", "chosen"), [(NEW_GPU, "bf16"), (OLD_GPU, "fp16"), (CPU, "fp32")])
def test_s5_bf16_where_supported_else_fp16_else_fp32(machine, chosen):
    assert precision("auto", machine) == chosen


@pytest.mark.parametrize("wanted", ["bf16", "fp16", "fp32"])
def test_s5_what_the_person_asks_for_wins(wanted):
    assert precision(wanted, NEW_GPU) == wanted


def test_full_fine_tuning_keeps_32_bit_weights_under_mixed_precision():
    assert weights_dtype("auto", "full", "bf16") == "float32"
    assert weights_dtype("auto", "lora", "bf16") == "bfloat16"
    assert weights_dtype("auto", "lora", "fp16") == "float16"
    assert weights_dtype("auto", "lora", "fp32") == "float32"
    assert weights_dtype("float32", "lora", "bf16") == "float32"


def test_torch_and_the_driver_agree_about_this_machine():
    quick, exact = hardware.look(), hardware.measure()
    assert (quick.device, quick.bf16, quick.devices) == (exact.device, exact.bf16, exact.devices)
    assert hardware.describe(quick)


def test_the_hardware_in_words():
    assert hardware.describe(NEW_GPU) == "NVIDIA L4, 24.0 GB"
    assert "no GPU" in hardware.describe(CPU)


@pytest.mark.parametrize(
    ("answer", "cards"),
    [
        ("Tesla T4, 15360, 7.5\n", [("Tesla T4", 15360 * 2**20, 7.5)]),
        ("NVIDIA GB10, [N/A], 12.1\n", [("NVIDIA GB10", psutil.virtual_memory().total, 12.1)]),
        ("Unable to determine the device handle\n", []),
    ],
)
def test_what_the_driver_says_is_read_or_left(monkeypatch, answer, cards):
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: subprocess.CompletedProcess(a, 0, answer, ""))
    assert hardware._nvidia_cards() == cards


def test_a_driver_that_hangs_counts_as_none(monkeypatch):
    def hang(*arguments, **options):
        raise subprocess.TimeoutExpired("nvidia-smi", 10)

    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(subprocess, "run", hang)
    assert hardware._nvidia_cards() == []


def test_s5_bf16_that_a_card_only_imitates_is_not_chosen(monkeypatch):
    import torch

    card = SimpleNamespace(name="Tesla T4", total_memory=16 * 10**9, major=7)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: card)
    assert precision("auto", hardware.measure()) == "fp16"


def test_what_is_free_is_the_cards_and_else_the_machines(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: subprocess.CompletedProcess(a, 0, "8000\n", ""))
    for machine, expected in ((NEW_GPU, 8000 * 2**20), (CPU, psutil.virtual_memory().available)):
        monkeypatch.setattr(hardware, "look", lambda machine=machine: machine)
        hardware._free.cache_clear()
        assert hardware.free() == pytest.approx(expected, rel=0.2)
    hardware._free.cache_clear()


@pytest.mark.parametrize(
    ("visible", "asked"),
    [(None, []), ("0,2", ["--id=0,2"]), ("GPU-5e7f", ["--id=GPU-5e7f"]), ("MIG-1a2b", []), ("", None), ("-1", None)],
)
def test_cards_that_torch_may_not_see_are_not_counted(monkeypatch, visible, asked):
    told = []
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(
        subprocess, "run", lambda command, **k: told.append(command) or subprocess.CompletedProcess(command, 0, "", "")
    )
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert hardware._nvidia_cards() == []
    assert [command[3:] for command in told] == ([] if asked is None else [asked])
