"""What an optimiser remembers of each weight that is trained, in bytes.

    state_bytes("adamw_torch_fused", (1024, 16), 4)     two moments in the weight's dtype, and the step: 131,076
    state_bytes("galore_adamw", ...)                    None: it depends on more than the weight

Sources: torch.optim (a state is zeros_like the weight, a step is one float32), transformers' Adafactor, and the
optimizer.py of bitsandbytes: 8-bit states are a byte a weight with a float32 scale for each 256, but for weights of
fewer than 4,096 elements and, by transformers' Trainer, for embeddings; those are held in 32 bit.
"""

from math import prod

STEP = 4  # bytes of torch's step counter
BLOCK = 256  # elements that share a scale in bitsandbytes and torchao
SMALL = 4096  # elements below which a weight's state stays in 32 bit

# states, each as large as the weight and of its dtype; with a step counter or none
LIKE_THE_WEIGHT: dict[str, tuple[int, bool]] = {
    **dict.fromkeys(("adamw_torch", "adamw_torch_fused", "adamw_torch_xla", "adamw_torch_npu_fused"), (2, True)),
    **dict.fromkeys(("adagrad", "rmsprop"), (1, True)),
    "sgd": (0, False),
    "stable_adamw": (2, True),
    "grokadamw": (3, False),
    **dict.fromkeys(("schedule_free_adamw", "schedule_free_radam"), (2, False)),
    "schedule_free_sgd": (1, False),
}
IN_32_BIT = {
    "paged_adamw_32bit": 2,
    "adamw_anyprecision": 2,
    **dict.fromkeys(("lion_32bit", "paged_lion_32bit", "rmsprop_bnb", "rmsprop_bnb_32bit"), 1),
    **dict.fromkeys(("ademamix", "paged_ademamix_32bit"), 3),
}
IN_8_BIT = {
    **dict.fromkeys(("adamw_8bit", "adamw_bnb_8bit", "paged_adamw_8bit"), 2),
    **dict.fromkeys(("lion_8bit", "paged_lion_8bit", "rmsprop_bnb_8bit"), 1),
    **dict.fromkeys(("ademamix_8bit", "paged_ademamix_8bit"), 3),
}
OF_TORCHAO = {"adamw_torch_8bit": 1.0, "adamw_torch_4bit": 0.5}  # bytes of each of two states


def state_bytes(optim: str, shape: tuple[int, ...], size: int, embedding: bool = False) -> int | None:
    """Bytes kept for one weight of this shape, whose elements have `size` bytes; None where that cannot be known."""
    count = prod(shape)
    if optim in LIKE_THE_WEIGHT:
        states, steps = LIKE_THE_WEIGHT[optim]
        return states * count * size + STEP * steps
    if optim == "adafactor":
        return _factored(shape) * size + STEP  # and the root mean square of the weight
    if optim in IN_32_BIT:
        return 4 * IN_32_BIT[optim] * count
    if optim in IN_8_BIT:
        whole = count < SMALL or embedding
        return IN_8_BIT[optim] * (4 * count if whole else count + 4 * -(-count // BLOCK))
    if optim in OF_TORCHAO:
        small = count < SMALL or count % BLOCK != 0
        return STEP + (2 * count * size if small else int(2 * count * OF_TORCHAO[optim]) + 8 * count // BLOCK)
    return None


def temporary_bytes(optim: str, trainable: int, device: str) -> int:
    """What an update takes for its own time: torch's foreach AdamW, used on a GPU, makes one tensor for each weight."""
    return trainable if device == "cuda" and optim == "adamw_torch" else 0


def _factored(shape: tuple[int, ...]) -> int:
    """Adafactor remembers a row and a column of a matrix, and all of a vector."""
    if len(shape) < 2:
        return prod(shape)
    return prod(shape[:-1]) + prod(shape[:-2]) * shape[-1]
