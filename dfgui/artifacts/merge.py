"""An adapter and its base become one model that works alone.

    merge(Path("runs/r7/checkpoint-60"), base="Qwen/Qwen3-0.6B", out=Path("weather"), dtype="bfloat16")

PEFT does the merging, layer by layer in float32, so that a 16-bit model is rounded once and not twice. The result is a
plain transformers folder: weights, config, generation config, tokenizer, chat template.
"""

import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dfgui.artifacts import checkpoints, headers, package, usage
from dfgui.artifacts.folders import new_folder, require_space
from dfgui.errors import UserError
from dfgui.evaluation import generate
from dfgui.models import imports, load

Say = Callable[[str], None]

SHARD = "5GB"  # per weights file, so that a broken download costs no more than that


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
    say = progress or (lambda words: None)
    found = checkpoints.usable(Path(checkpoint))
    with new_folder(Path(out)) as part:
        if found.kind == "full" and (dtype is None or headers.dtypes(found.path) == {dtype}):
            say("copying the model")
            _link_model(found.path, part)
        else:
            _save(_model(found, base, dtype or "float32", say), part, say)
        for file in package.tokenizer_files(found.path):
            _copy(file, part / file.relative_to(found.path))
        page = usage.text(part, "merged", name=name or Path(out).name)
        (part / usage.NAME).write_text(page, encoding="utf-8")
    return Path(out)


def _model(found: checkpoints.Checkpoint, base: str | Path | None, dtype: str, say: Say) -> Any:
    """The merged model in `dtype`."""
    imports.for_loading()
    from transformers import AutoTokenizer

    say("loading the model")
    tokenizer = AutoTokenizer.from_pretrained(found.path)
    if found.kind == "full":
        model = _base(found.path, dtype)
    else:
        model = _base(base or base_of(found.path), dtype)
        load.make_room(model, tokenizer)
        model = _merged(_adapted(model, found.path), dtype, say)
    return _stopping_where_trained(model.to(_torch_dtype(dtype)), tokenizer)


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


def _stopping_where_trained(model: Any, tokenizer: Any) -> Any:
    """Generation must end where training did, which a base model's own generation config may not know."""
    model.generation_config.eos_token_id = generate.ends(model, tokenizer)
    sampling = (model.generation_config.temperature, model.generation_config.top_p, model.generation_config.top_k)
    if any(value is not None for value in sampling):  # else transformers refuses to save what some models come with
        model.generation_config.do_sample = True
    return model


def _save(model: Any, part: Path, say: Say) -> None:
    require_space(part, sum(weight.nbytes for weight in model.parameters()))
    say("writing")
    model.save_pretrained(part, max_shard_size=SHARD)


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
