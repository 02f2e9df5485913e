"""An adapter and its base become one model that works alone.

    merge(Path("runs/r7/checkpoint-60"), base="Qwen/Qwen3-0.6B", out=Path("weather"), dtype="bfloat16")

LoRA on linear layers is merged from file to file (shards.py), so that a model need not fit into memory. What is more
than that PEFT merges, layer by layer in float32, so that a 16-bit model is rounded once and not twice. The result is a
plain transformers folder: weights, config, generation config, tokenizer, chat template.
"""

import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from dfgui import words
from dfgui.artifacts import checkpoints, package, shards, usage
from dfgui.artifacts.folders import new_folder, require_space
from dfgui.errors import UserError
from dfgui.evaluation import generate
from dfgui.models import headers, imports, load

Say = Callable[[str], None]


def merge(
    checkpoint: Path,
    base: str | Path | None,
    out: Path,
    dtype: str | None = None,
    progress: Say | None = None,
    name: str | None = None,
) -> Path:
    """`out`, a folder that AutoModelForCausalLM and AutoTokenizer load, with a USAGE.md that calls it `name`.

    `base` is a folder or Hub id; None: the one that the adapter names. `dtype` is a torch dtype's name: what the run
    held its weights in, or 16 bit on request; None keeps a full checkpoint as it is and merges an adapter into float32,
    which loses nothing. Raises UserError when the checkpoint is torn, the base cannot be had or is another one, `out`
    is taken, or the disk is full.
    """
    say = progress or (lambda said: None)
    found = checkpoints.usable(Path(checkpoint))
    with new_folder(Path(out)) as part:
        if found.kind == "full" and (dtype is None or headers.dtypes(found.path) == {dtype}):
            say("copying the model")
            _link_model(found.path, part)
        elif isinstance(plan := _plan(found, base), shards.Plan):
            shards.write(plan, part, dtype or "float32", say)
            _save_configs(plan.base, found.path, part, dtype or "float32")
        else:
            say(f"merging in memory: {plan[0].lower()}{plan[1:]}")
            _require_memory(found.path if found.kind == "full" else Path(base or base_of(found.path)), plan)
            _save(_model(found, base, dtype or "float32", say), part, say)
        for file in package.tokenizer_files(found.path):
            _copy(file, part / file.relative_to(found.path))
        page = usage.text(part, "merged", name=name or Path(out).name)
        (part / usage.NAME).write_text(page, encoding="utf-8")
    return Path(out)


def _plan(found: checkpoints.Checkpoint, base: str | Path | None) -> shards.Plan | str:
    """How to merge from file to file; a sentence where that cannot be."""
    imports.for_loading()
    if found.kind == "full":
        return "The whole model was trained."
    plan = shards.plan(found.path, Path(base or base_of(found.path)))
    if isinstance(plan, str):
        return plan
    rows = shards.rows_of_embeddings(plan)
    if rows is None or rows < len(_tokenizer(found.path)):
        return "Its tokenizer has more tokens than its base."
    return plan


def _require_memory(weights: Path, why: str) -> None:
    """Raises UserError where a model that has to be whole in memory, in 32 bit, does not fit into what is free."""
    needed = 4 * shards.elements(weights)
    if needed > (free := psutil.virtual_memory().available):
        raise UserError(
            f"The merge needs {words.memory(needed)} of memory, and {words.memory(free)} are free.",
            f"{why} So the whole model has to be in memory.",
            "Free some memory, merge on a machine with more, or take the adapter.",
        )


def _tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


def _save_configs(base: Path, spoken: Path, part: Path, dtype: str) -> None:
    """config.json and generation_config.json, as transformers would write them for the merged model."""
    from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig

    config = AutoConfig.from_pretrained(base, trust_remote_code=False)
    config.dtype = _torch_dtype(dtype)
    made: Any = AutoModelForCausalLM._model_mapping[type(config)]
    config.architectures = config.architectures or [made.__name__]
    config.save_pretrained(part)
    try:
        generation = GenerationConfig.from_pretrained(base)
    except OSError:  # it has none of its own
        generation = GenerationConfig.from_model_config(config)
    _stop_where_trained(generation, _tokenizer(spoken)).save_pretrained(part)


def _model(found: checkpoints.Checkpoint, base: str | Path | None, dtype: str, say: Say) -> Any:
    """The merged model in `dtype`."""
    say("loading the model")
    tokenizer = _tokenizer(found.path)
    if found.kind == "full":
        model = _base(found.path, dtype)
    else:
        model = _base(base or base_of(found.path), dtype)
        load.make_room(model, tokenizer)
        model = _merged(_adapted(model, found.path), dtype, say)
    _stop_where_trained(model.generation_config, tokenizer)
    return model.to(_torch_dtype(dtype))


def base_of(checkpoint: Path) -> str:
    """The base that the adapter was trained on: a Hub id, or the folder it lay in on that day."""
    return json.loads((checkpoint / "adapter_config.json").read_text(encoding="utf-8"))["base_model_name_or_path"]


def _base(folder: str | Path, dtype: str) -> Any:
    """Weights in `dtype` where the files hold just that, otherwise in float32 so that nothing is rounded yet."""
    held = headers.dtypes(Path(folder))
    try:
        return load.weights(str(folder), dtype if held == {dtype} else "float32")
    except (OSError, ValueError) as error:
        raise UserError(
            f"The model {folder} cannot be loaded.",
            f"{_first_line(error)}",
            "Name the folder or the Hub id of the model that the adapter was trained on.",
        ) from error


def _adapted(model: Any, checkpoint: Path) -> Any:
    """The base with its adapter on. An adapter of another base fits badly or, in silence, not at all: refused."""
    from peft import PeftModel, get_peft_model_state_dict

    try:
        adapted = PeftModel.from_pretrained(model, str(checkpoint))
    except (RuntimeError, ValueError) as error:  # shapes differ, or no layer has the names it wants
        raise _another_base(checkpoint, _first_line(error)) from error
    stored = {name for name in headers.tensors(checkpoint / "adapter_model.safetensors") or {} if "lora_" in name}
    placed = {name for name in get_peft_model_state_dict(adapted, save_embedding_layers=False) if "lora_" in name}
    if stored != placed:
        raise _another_base(checkpoint, f"{len(stored ^ placed)} of its weights have no place there.")
    return adapted


def _merged(adapted: Any, dtype: str, say: Say) -> Any:
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [module for module in adapted.modules() if isinstance(module, BaseTunerLayer)]
    for number, layer in enumerate(layers, start=1):
        say(f"merging layer {number} of {len(layers)}")
        weights = layer.get_base_layer().float()
        layer.merge()
        weights.to(_torch_dtype(dtype))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All adapters are already merged")  # as they are: one by one, above
        return adapted.merge_and_unload()


def _stop_where_trained(generation: Any, tokenizer: Any) -> Any:
    """Generation must end where training did, which a base model's own generation config may not know."""
    generation.eos_token_id = generate.ends(generation, tokenizer)
    if any(value is not None for value in (generation.temperature, generation.top_p, generation.top_k)):
        generation.do_sample = True  # else transformers refuses to save what some models come with
    return generation


def _save(model: Any, part: Path, say: Say) -> None:
    require_space(part, sum(weight.nbytes for weight in model.parameters()))
    say("writing")
    model.save_pretrained(part, max_shard_size=shards.SHARD_BYTES)


def _link_model(checkpoint: Path, part: Path) -> None:
    """Weights are linked where the file system can, which costs no space; the rest, which people edit, is copied."""
    for file in package.model_files(checkpoint):
        if file.suffix == ".safetensors":
            _link(file, part / file.name)
        else:
            _copy(file, part / file.name)


def _link(file: Path, to: Path) -> None:
    try:
        os.link(file, to)
    except OSError:  # another file system, or one without links
        _copy(file, to)


def _copy(file: Path, to: Path) -> None:
    to.parent.mkdir(exist_ok=True)
    shutil.copy2(file, to)


def _another_base(checkpoint: Path, why: str) -> UserError:
    return UserError(
        f"The adapter {checkpoint.name} does not fit this base model.",
        why,
        f"Name the model that it was trained on: {base_of(checkpoint)}.",
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def _torch_dtype(name: str) -> Any:
    import torch

    return getattr(torch, name)
