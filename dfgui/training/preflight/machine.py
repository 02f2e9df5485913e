"""What this machine can do of what a run asks for: engine, precision, optimiser, kernels, devices."""

from collections.abc import Iterator
from typing import Literal

from dfgui import config, words
from dfgui.config import RunConfig
from dfgui.models import hardware
from dfgui.settings import Settings
from dfgui.training import engine as engines
from dfgui.training.preflight import data
from dfgui.training.preflight.note import Note

FLASH = {"flash_attention_2": "flash_attn", "flash_attention_3": "flash_attn_interface"}  # and its package
FEWEST_STEPS = 20  # of an epoch, where a batch is made smaller


def engine(run: RunConfig, settings: Settings) -> Iterator[Note]:
    if run.run.backend == "unsloth":
        engines.require_unsloth(run)
        kind: Literal["ok", "warn"] = "warn" if (advice := engines.advice(run)) else "ok"
        yield Note(kind, "Engine", f"Unsloth, in a process of its own. {advice}".strip(), field="run.backend")
    if bits := run.model.bits:
        engines.require_bits(run)
        text = f"The frozen base takes about {'a quarter' if bits == 4 else 'half'} of the memory."
        slow = hardware.look().device == "cpu"
        yield Note("warn" if slow else "ok", f"Base in {bits} bit", f"{text}{' On a CPU it is slow.' if slow else ''}")


def precision(run: RunConfig, settings: Settings) -> Iterator[Note]:
    machine = hardware.look()
    wanted = run.training.precision
    chosen = hardware.precision(wanted, machine)
    if chosen == "fp16" and machine.device == "cpu":
        text, cure = "fp16 training needs a GPU.", "Choose auto, fp32 or bf16."
        yield Note("stop", "fp16 does not work on a CPU.", text, cure, "training.precision")
    elif chosen == "bf16" and machine.device == "cuda" and not machine.bf16:
        text, cure = f"{machine.name} has no bf16.", "Choose auto or fp16."
        yield Note("stop", "bf16 is not supported here.", text, cure, "training.precision")
    else:
        why = "chosen by the hardware" if wanted == "auto" else "as set"
        yield Note("ok", "Precision", f"{chosen}, {why} ({hardware.describe(machine)}).")


def optimizer(run: RunConfig, settings: Settings) -> Iterator[Note]:
    optim = run.training.optim
    package = config.OPTIMIZERS[optim]
    if package and not hardware.has(package):
        name = package.replace("_", "-")
        text, cure = "It is not installed.", f"Install it with `pip install {name}`, or choose adamw_torch_fused."
        yield Note("stop", f"{optim} needs {name}.", text, cure, "training.optim")


def means(run: RunConfig, settings: Settings) -> Iterator[Note]:
    """Ways to save memory that this machine may not have."""
    on_gpu = hardware.look().device == "cuda"
    if run.training.activation_offloading and not on_gpu:
        text, cure = "There is no GPU whose memory it would save.", "Leave 'Activations to the CPU' off."
        yield Note("stop", "Activations are at the CPU already.", text, cure, "training.activation_offloading")
    if run.training.use_liger_kernel and not (on_gpu and hardware.has("liger_kernel")):
        missing = "The package liger-kernel is not installed." if on_gpu else "They are written for a GPU."
        yield Note("stop", "Liger kernels cannot run here.", missing, "Leave them off.", "training.use_liger_kernel")
    if (package := FLASH.get(run.model.attn_implementation)) and not (on_gpu and hardware.has(package)):
        text = f"It needs an NVIDIA GPU and the package {package.replace('_', '-')}."
        title = f"{run.model.attn_implementation} is not possible here."
        yield Note("stop", title, text, "Choose auto.", "model.attn_implementation")
    if run.training.packing and run.training.packing_strategy != "wrapped" and hardware.look().device == "cpu":
        text = "TRL joins the packed sequences of a batch into one, and attention to so long a one takes its time."
        cure = "Leave packing off: rows by length waste little."
        unpacked = {"training.packing": False}
        yield Note("warn", "Packing is slow on a CPU.", text, cure, "training.packing", unpacked)
    if run.training.packing and run.training.packing_strategy == "wrapped":
        text = "They are joined without a border, and cut wherever a sequence is full."
        yield Note("warn", "Wrapped rows read each other", text, "Pack them by bfd.", "training.packing_strategy")


def batch(run: RunConfig, settings: Settings) -> Iterator[Note]:
    machine = hardware.look()
    each = f"{run.training.per_device_train_batch_size} x {run.training.gradient_accumulation_steps}"
    devices = f" x {machine.devices} GPUs" if machine.devices > 1 else ""
    step = run.rows_per_step(machine.devices)
    text = f"{each}{devices} = {words.whole(step)} rows per step."
    rows = None if run.data.also or run.training.packing else data.counted(run, settings)  # else nobody knows yet
    if rows and step > rows:
        yield _larger_than_the_data(run, text, rows, machine.devices)
    else:
        yield Note("ok", "Batch", text)
    if machine.devices > 1 and run.run.placement != "accelerate" and run.run.backend == "trl":
        text = f"One process would drive all {machine.devices}, copying the model to each of them at every step."
        cure = "Run it under accelerate, which gives each GPU a process of its own."
        yield Note("warn", "Several GPUs", text, cure, "run.placement")


def _larger_than_the_data(run: RunConfig, text: str, rows: int, devices: int) -> Note:
    size = run.training.per_device_train_batch_size
    fits = 1 << (max(rows // (FEWEST_STEPS * devices), 1).bit_length() - 1)  # rows of a step on each device
    batch, added = min(size, fits), max(fits // size, 1)
    cure = f"Take {batch} x {added}, so that each time through the rows has steps to learn in."
    changes = {"training.per_device_train_batch_size": batch, "training.gradient_accumulation_steps": added}
    why = f"{text} A step sees more rows than there are: {words.counted(rows, 'row')} to train on."
    return Note("warn", "Batch", why, cure, "training.per_device_train_batch_size", changes)
