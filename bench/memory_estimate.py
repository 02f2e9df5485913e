"""How far the memory that a run is said to take is from what it takes, over kinds of models, methods and settings.

    python bench/memory_estimate.py                          every case, on this machine
    python bench/memory_estimate.py --kinds llama qwen3 --json estimate.jsonl

What stays (weights, gradients, the optimiser's state) is compared with the tensors of a real model after a real step of
a real optimiser: the error is 0 or there is a mistake. What comes and goes is compared with the most that is alive in
that step, at a batch and length that the estimate was not made from: real tensors, counted as they are made and freed
and, as a second witness, those that autograd saves. On a GPU it is torch's own peak of the step, workspaces included.
"""

import argparse
import gc
import json
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

SMALL = {
    "vocab_size": 4096, "hidden_size": 128, "intermediate_size": 384, "num_hidden_layers": 8,
    "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 16,
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
LARGE = {
    **SMALL, "vocab_size": 65_536, "hidden_size": 1024, "intermediate_size": 3072, "num_attention_heads": 16,
    "num_key_value_heads": 8, "head_dim": 64,
}  # fmt: skip  # on a GPU
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64}
KINDS: dict[str, dict[str, Any]] = {
    "llama": {"tie_word_embeddings": False},
    "qwen3": {"tie_word_embeddings": True},
    "gemma3_text": {"sliding_window": 256, "num_hidden_layers": 14},
    "phi3": {},
    "mistral": {"sliding_window": 256},
    "qwen3_moe": EXPERTS,
}
HELD = {"lora": ("bfloat16", "bf16"), "full": ("float32", "bf16")}  # weights, and what is computed in


class Case(NamedTuple):
    rank: int
    optim: str
    batch: int
    length: int
    checkpointing: bool
    loss: str


GRID = [
    Case(8, "adamw_torch_fused", 4, 256, False, "auto"),
    Case(8, "adamw_torch_fused", 4, 256, True, "auto"),
    Case(32, "adafactor", 1, 1024, True, "auto"),
    Case(8, "sgd", 2, 640, False, "nll"),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS), metavar="KIND")
    parser.add_argument("--methods", nargs="+", default=list(HELD), choices=list(HELD))
    parser.add_argument("--json", type=Path, metavar="FILE", help="where each case goes, as a line")
    given = parser.parse_args()
    worst: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(given.kinds, given.methods, Path(folder)):
            print(line(case), flush=True)
            worst = {part: max(worst.get(part, 0.0), abs(off(case, part))) for part in case["said"]}
            if given.json:
                with given.json.open("a") as file:
                    file.write(json.dumps(case) + "\n")
    print("\nfurthest off: " + ", ".join(f"{part} {100 * error:.2f} %" for part, error in worst.items()))


def cases(kinds: list[str], methods: list[str], folder: Path) -> Iterator[dict[str, Any]]:
    for kind, method in product(kinds, methods):
        place = model_of(kind, folder)
        shapes: dict[Any, Any] = {}
        for case in GRID:
            yield compared(shapes, place, method, case)
            gc.collect()


def off(case: dict[str, Any], part: str) -> float:
    """The share that the estimate is too high by."""
    said, found = case["said"][part], case["found"][part]
    return said / found - 1 if found else float(said != 0)


def line(case: dict[str, Any]) -> str:
    parts = "  ".join(
        f"{part} {case['found'][part] / 1e6:8.2f} MB {100 * off(case, part):+6.2f} %" for part in case["said"]
    )
    return f"{case['case']:66} {parts}  saved by autograd {case['saved'] / 1e6:.2f} MB"


def model_of(kind: str, folder: Path) -> Path:
    import torch
    from transformers import AutoConfig

    place = folder / kind
    size = LARGE if torch.cuda.is_available() else SMALL
    AutoConfig.for_model(kind, **{**size, **KINDS[kind]}).save_pretrained(place)
    return place


def compared(shapes: dict[Any, Any], place: Path, method: str, case: Case) -> dict[str, Any]:
    """What is said of a case, and what is found. `shapes` holds what was measured of this model."""
    from dfgui import config
    from dfgui.models import memory, rehearsal
    from dfgui.recipe import parse

    dtype, precision = HELD[method]
    rank = case.rank if method == "lora" else 0
    adapter = config.Adapter(r=rank).model_dump() if rank else {}
    asked = memory.Asked(str(place), "", {"name": str(place)}, method, adapter, dtype, precision, case.loss)
    if (rank, case.loss) not in shapes:
        shapes[rank, case.loss] = rehearsal.measured(asked)
    shape = shapes[rank, case.loss]
    training = {"optim": case.optim, "max_length": case.length, "gradient_checkpointing": case.checkpointing}
    training |= {"per_device_train_batch_size": case.batch, "gradient_accumulation_steps": 1}
    data = {"source": "demo", "eval_fraction": 0}
    run = parse({"data": data, "method": method, "training": training})
    added_up = parse({"data": data, "method": method, "training": {**training, "gradient_accumulation_steps": 2}})
    stays = memory.estimate(shape, added_up).parts  # then the gradients are there all the time
    said = {name: stays[name] for name in ("weights", "adapter", "gradients", "optimiser")}
    said["step"] = sum(memory.training_step(shape, run).values())
    mode = "checkpointed" if case.checkpointing else "plain"
    found, saved = measured(asked, case, mode)
    words = f"{place.name} {method}{f' r{rank}' if rank else ''} {case.optim} {case.batch} x {case.length}"
    return {"case": f"{words} {mode} {case.loss}", "said": said, "found": found, "saved": saved}


def measured(asked: Any, case: Case, mode: str) -> tuple[dict[str, int], int]:
    """({part: bytes}, bytes that autograd saved) of a real step of a real model."""
    import torch
    from transformers import Trainer, TrainingArguments

    from dfgui.models import memory, rehearsal, steps

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = real(asked).to(device)
    ids = torch.randint(3, 4096, (case.batch, case.length), device=device)
    mask = torch.ones_like(ids)
    if case.batch > 1:  # rows of a batch differ in length
        mask[0, case.length // 2 :] = 0
    loss = rehearsal.loss_of(asked, model, [])
    before = torch.cuda.memory_allocated() if device == "cuda" else 0
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    alive = steps.Alive(model)
    steps.step(model, loss, ids, mask, mode, asked.precision, alive)
    peak = max(total for total, _, _ in alive.line)
    if device == "cuda":
        peak = torch.cuda.max_memory_allocated() - before - memory.WORKSPACE_BYTES
    kept = saved(model, loss, ids, mask, asked.precision)
    arguments = TrainingArguments("unused", optim=case.optim, report_to="none", use_cpu=device == "cpu")
    kind, given = Trainer.get_optimizer_cls_and_kwargs(arguments)
    learned = [one for one in model.parameters() if one.requires_grad]
    optimiser = kind(learned, **given)
    optimiser.step()
    full = asked.method == "full"
    own = sum(one.nbytes for one in learned)
    others = sum(one.nbytes for one in model.parameters() if not one.requires_grad)
    buffers = sum(one.nbytes for one in model.buffers())
    states = (one for state in optimiser.state.values() for one in state.values())
    found = {
        "weights": (own if full else others) + buffers,
        "adapter": 0 if full else own,
        "gradients": sum(one.grad.nbytes for one in learned if one.grad is not None),
        "optimiser": sum(one.nbytes for one in states if torch.is_tensor(one)),
        "step": peak,
    }
    return found, kept


def real(asked: Any) -> Any:
    """The model with real weights, readied as TRL readies it."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from dfgui import config
    from dfgui.models import rehearsal

    how = AutoConfig.from_pretrained(asked.folder)
    model: Any = AutoModelForCausalLM.from_config(how, dtype=getattr(torch, asked.dtype))
    model.config.use_cache = False
    return rehearsal.adapted(model, config.Adapter(**asked.adapter), []) if asked.method == "lora" else model


def saved(model: Any, loss: Any, ids: Any, mask: Any, precision: str) -> int:
    """Bytes of the tensors that autograd saves on the way forth, weights left out; leaves gradients behind."""
    import torch

    own = {one.untyped_storage().data_ptr() for one in model.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    cast = torch.autocast(ids.device.type, torch.bfloat16, enabled=precision == "bf16")
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), cast:
        result = loss(model, ids, mask)
    result.backward()
    return sum(kept.values())


if __name__ == "__main__":
    main()
