"""How it is trained: SFTConfig's names and meanings, flat. Each theme has a file; precision and memory stand here."""

from typing import Literal

from dfgui.config.batches import Batches, Duration
from dfgui.config.block import Block, setting
from dfgui.config.optimisation import Optimiser, Schedule
from dfgui.config.records import Records


class Memory(Block):
    precision: Literal["auto", "bf16", "fp16", "fp32"] = setting(
        "auto", "Precision", "auto: bf16 where the hardware supports it, otherwise fp16, otherwise fp32.", "precision"
    )
    gradient_checkpointing: Literal["auto"] | bool = setting(
        "auto",
        "Gradient checkpointing",
        "Recompute instead of remember: much less memory, about a quarter slower. auto: off where there is room.",
        "memory",
    )
    activation_offloading: bool = setting(
        False,
        "Activations to the CPU",
        "What is remembered for the way back waits in the machine's memory: less GPU memory, slower. Needs a GPU.",
        "memory",
        "advanced",
    )
    use_liger_kernel: bool = setting(
        False,
        "Liger kernels",
        "Fused kernels that save memory and time on a GPU. Needs the package liger-kernel.",
        "memory",
        "advanced",
    )


class Training(Records, Memory, Optimiser, Schedule, Batches, Duration):
    """All of it as one block: what stands last among the bases comes first in a file."""
