"""A merge that fits: LoRA on linear layers, weight by weight from the base's files, one shard in memory at a time.

    found = plan(Path("checkpoint-60"), Path("base"))       # a Plan; a sentence where only PEFT can merge it
    write(found, Path("merged"), "bfloat16", say)

W + alpha / r * B A (arXiv 2106.09685, section 4.1; alpha / sqrt(r) for rsLoRA, arXiv 2312.03732) is computed in 32 bit
and rounded once, in PEFT's order of operations, so that the result is PEFT's to the last bit.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dfgui.artifacts.folders import require_space
from dfgui.models import headers

Say = Callable[[str], None]

SHARD_BYTES = 1_000_000_000  # per weights file: what a merge holds at once, and what a broken download costs
LORA = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<part>[AB])\.weight")
UNDERSTOOD = {  # what an adapter_config.json may say without the result being another
    *("task_type", "peft_type", "auto_mapping", "peft_version", "base_model_name_or_path", "revision"),
    *("inference_mode", "r", "lora_alpha", "lora_dropout", "use_rslora", "bias", "target_modules", "exclude_modules"),
    *("layers_to_transform", "layers_pattern", "megatron_core", "qalora_group_size"),
}
PLAIN_STARTS = (True, False, None, "gaussian", "orthogonal")  # init_lora_weights that leave the base as it was


@dataclass(frozen=True)
class Weight:
    """A tensor of the base: where it lies, and how many elements it has."""

    name: str
    file: Path
    shape: tuple[int, ...]
    dtype: str  # as safetensors has it: "BF16"

    def bytes(self, dtype: str) -> int:
        held = dtype if self.dtype in headers.DTYPES else headers.DTYPES.get(self.dtype, self.dtype)
        return math.prod(self.shape) * WIDTHS.get(held, 8)


WIDTHS = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True)
class Plan:
    base: Path
    adapter: Path
    weights: list[Weight]  # of the base, in the order of its files
    adapted: set[str]  # modules that the adapter changes
    scaling: float


def plan(checkpoint: Path, base: Path) -> Plan | str:
    """How to merge by shards; a sentence that says why it cannot be done so."""
    how = json.loads((checkpoint / "adapter_config.json").read_text(encoding="utf-8"))
    if how.get("peft_type") != "LORA" or how.get("bias", "none") != "none":
        return "Its adapter is more than LoRA on linear layers."
    if other := [name for name, value in how.items() if value and name not in UNDERSTOOD | {"init_lora_weights"}]:
        return f"Its adapter has {other[0]}."
    if (start := how.get("init_lora_weights")) not in PLAIN_STARTS:
        return f"Its adapter began as {start}, which changes the base."
    if not base.is_dir():
        return "Its base is not in a folder."
    about = json.loads((base / "config.json").read_text(encoding="utf-8"))
    if about.get("quantization_config"):
        return "Its base is quantised."
    if about.get("transformers_weights"):
        return "Its base names a file of weights of its own."
    weights = list(_weights(base))
    shapes = {one.name: one.shape for one in weights}
    parts = _parts(headers.tensors(checkpoint / "adapter_model.safetensors") or {})
    if isinstance(parts, str):
        return parts
    for module, (rank_in, rank_out) in parts.items():
        shape = shapes.get(f"{module}.weight")
        if shape is None or shape != (rank_out[0], rank_in[1]) or rank_in[0] != rank_out[1]:
            return f"{module} is not a linear layer of this shape in the base's files."
    if "lm_head" in parts and about.get("tie_word_embeddings"):
        return "Its last layer is the embeddings' own."
    rank, alpha = how["r"], how["lora_alpha"]
    scaling = alpha / math.sqrt(rank) if how.get("use_rslora") else alpha / rank
    return Plan(base, checkpoint / "adapter_model.safetensors", weights, set(parts), scaling)


def _weights(folder: Path) -> Iterator[Weight]:
    for file in headers.files(folder):
        for name, tensor in (headers.tensors(file) or {}).items():
            yield Weight(name, file, tuple(tensor["shape"]), tensor["dtype"])


def elements(folder: Path) -> int:
    """How many numbers a model's files hold; 0 where there are none to read."""
    return sum(math.prod(one.shape) for one in _weights(folder))


Shape = list[int]


def _parts(tensors: dict[str, Any]) -> dict[str, tuple[Shape, Shape]] | str:
    """The shapes of A and B by module; a sentence where the adapter holds anything else."""
    found: dict[str, dict[str, Shape]] = {}
    for name, tensor in tensors.items():
        part = LORA.fullmatch(name)
        if part is None:
            return f"Its adapter holds {name}."
        found.setdefault(part["module"], {})[part["part"]] = tensor["shape"]
    if not found or any(len(one) != 2 for one in found.values()):
        return "Its adapter is not whole."
    return {module: (one["A"], one["B"]) for module, one in found.items()}


def rows_of_embeddings(found: Plan) -> int | None:
    """How many tokens the base's embeddings have a row for; None where its files do not tell."""
    embeddings = [
        one.shape for one in found.weights if re.search(r"(embed_tokens|wte|word_embeddings)\.weight$", one.name)
    ]
    return embeddings[0][0] if len(embeddings) == 1 else None


def write(found: Plan, part: Path, dtype: str, say: Say) -> None:
    """Writes model*.safetensors into the folder `part`, weights held in `dtype`, a torch dtype's name."""
    from safetensors.torch import save_file

    require_space(part, sum(one.bytes(dtype) for one in found.weights))
    shards = list(_shards(found.weights, dtype))
    placed: dict[str, str] = {}
    for number, weights in enumerate(shards, start=1):
        say(f"merging part {number} of {len(shards)}")
        name = "model.safetensors" if len(shards) == 1 else f"model-{number:05}-of-{len(shards):05}.safetensors"
        save_file(dict(_merged(found, weights, dtype)), part / name, metadata={"format": "pt"})
        placed |= dict.fromkeys((one.name for one in weights), name)
    if len(shards) > 1:
        size = sum(one.bytes(dtype) for one in found.weights)
        index = {"metadata": {"total_size": size}, "weight_map": dict(sorted(placed.items()))}
        (part / headers.INDEX).write_text(json.dumps(index, indent=2), encoding="utf-8")


def _shards(weights: list[Weight], dtype: str) -> Iterator[list[Weight]]:
    shard: list[Weight] = []
    held = 0
    for one in weights:
        size = one.bytes(dtype)
        if shard and held + size > SHARD_BYTES:
            yield shard
            shard, held = [], 0
        shard.append(one)
        held += size
    if shard:
        yield shard


def _merged(found: Plan, weights: list[Weight], dtype: str) -> Iterator[tuple[str, Any]]:
    """(name, tensor in `dtype`) of these weights, each merged if it is adapted; what is no float stays as it is."""
    import torch
    from safetensors import safe_open

    wanted = getattr(torch, dtype)
    with safe_open(found.adapter, framework="pt") as adapter:
        for one in weights:
            with safe_open(one.file, framework="pt") as file:
                tensor = file.get_tensor(one.name)
            module = one.name.removesuffix(".weight")
            if one.name.endswith(".weight") and module in found.adapted:
                a, b = (adapter.get_tensor(f"base_model.model.{module}.lora_{part}.weight").float() for part in "AB")
                tensor = tensor.float() + (b @ a) * found.scaling
            yield one.name, tensor.to(wanted) if tensor.is_floating_point() else tensor
