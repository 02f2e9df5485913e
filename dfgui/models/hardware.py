"""What this machine can train with, and the precision that follows from it.

`look()` asks the driver's own tool and never imports torch, so a page may call it; `measure()` asks torch itself, which
is what counts when a run starts (a CPU build of torch on a GPU machine trains on the CPU).
"""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import psutil

Precision = Literal["bf16", "fp16", "fp32"]

FREE_SECONDS = 2  # how long what was free is believed
CARDS = re.compile(r"(\d+|GPU-[\w-]+)(,(\d+|GPU-[\w-]+))*")  # as CUDA_VISIBLE_DEVICES and nvidia-smi name them


@dataclass(frozen=True)
class Hardware:
    device: Literal["cuda", "mps", "cpu"]
    name: str
    bf16: bool  # whether training in bf16 is worth it here; bf16 on a CPU works and is slower
    memory: int  # bytes the device has in all
    devices: int = 1

    @property
    def best_precision(self) -> Precision:
        if self.device == "cpu":
            return "fp32"
        return "bf16" if self.bf16 else "fp16"


def precision(wanted: str, hardware: Hardware) -> Precision:
    """The precision a run will use: what was asked for, or what suits the hardware when `wanted` is "auto"."""
    return hardware.best_precision if wanted == "auto" else wanted  # type: ignore[return-value]


def weights_dtype(wanted: str, method: str, chosen: Precision) -> str:
    """How the weights are held, as a torch dtype's name.

    Full fine-tuning keeps 32-bit weights under mixed precision, since a step of 2e-5 is lost in 16-bit rounding. An
    adapter's base never changes, so 16 bit costs it nothing.
    """
    if wanted != "auto":
        return wanted
    if method != "lora" or chosen == "fp32":
        return "float32"
    return {"bf16": "bfloat16", "fp16": "float16"}[chosen]


def describe(hardware: Hardware) -> str:
    """One line for a page: "NVIDIA L4, 22.5 GB" or "CPU, 2 cores, 23.5 GB memory"."""
    size = f"{hardware.memory / 1e9:.1f} GB"
    if hardware.device == "cpu":
        return f"no GPU: CPU, {os.cpu_count()} cores, {size} memory"
    return f"{hardware.devices} x {hardware.name}, {size}" if hardware.devices > 1 else f"{hardware.name}, {size}"


def has(package: str) -> bool:
    """Whether a package is installed, without importing it."""
    return importlib.util.find_spec(package) is not None


def has_4bit() -> bool:
    """Whether a model can be held in 4 bit here."""
    return look().device == "cuda" and has("bitsandbytes")


@lru_cache(maxsize=1)
def look() -> Hardware:
    """The hardware as the driver reports it, without torch."""
    cards = _nvidia_cards()
    if cards and _torch_is_built_for_cuda():
        name, memory, capability = cards[0]
        return Hardware("cuda", name, capability >= 8.0, memory, len(cards))
    return _apple() if (platform.system(), platform.machine()) == ("Darwin", "arm64") else _cpu()


def free() -> int:
    """Bytes of memory that nobody uses just now: of the first GPU, else of the machine."""
    return _free(int(time.monotonic() // FREE_SECONDS))


@lru_cache(maxsize=1)
def _free(at: int) -> int:
    if look().device == "cuda" and (said := _nvidia("memory.free")) and said[0][0][:1].isdigit():
        return int(float(said[0][0]) * 2**20)
    return psutil.virtual_memory().available


def measure() -> Hardware:
    """The hardware as torch can use it."""
    import torch

    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        return Hardware("cuda", card.name, bf16, card.total_memory, torch.cuda.device_count())
    if torch.backends.mps.is_available():
        return _apple()
    return _cpu()


def _apple() -> Hardware:
    return Hardware("mps", "Apple GPU", True, psutil.virtual_memory().total)


def _cpu() -> Hardware:
    return Hardware("cpu", "CPU", False, psutil.virtual_memory().total)


def _torch_is_built_for_cuda() -> bool:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return "+cpu" not in version("torch")
    except PackageNotFoundError:
        return False


def _nvidia_cards() -> list[tuple[str, int, float]]:
    """(name, bytes, compute capability) of each card; empty without NVIDIA's tool or when it fails."""
    try:
        said = _nvidia("name,memory.total,compute_cap")
        return [(name, _memory(mib), float(capability)) for name, mib, capability in said]
    except ValueError:
        return []


def _nvidia(query: str) -> list[list[str]]:
    """What NVIDIA's tool answers, a list for each card that torch may see; empty without it or when it fails."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if not shutil.which("nvidia-smi") or named in ("", "-1"):
        return []
    # Parts of a card (MIG) have names that the tool does not look up: then it tells of all.
    cards = [f"--id={named}"] if named and CARDS.fullmatch(named) else []
    command = ["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader,nounits", *cards]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [[part.strip() for part in line.split(",")] for line in answer.stdout.splitlines() if line.strip()]


def _memory(mib: str) -> int:
    """Bytes. Cards that share the machine's memory report none of their own: "[N/A]"."""
    return int(float(mib) * 2**20) if mib[:1].isdigit() else psutil.virtual_memory().total
