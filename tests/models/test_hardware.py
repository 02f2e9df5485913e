"""S5: precision follows the hardware, is shown, and can be overridden."""

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
