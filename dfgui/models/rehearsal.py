"""The shape of a model that is to be trained, from its config.json alone: no weights are loaded.

As a process of its own (child.py) it answers {"folder": "...", "method": "lora", "adapter": {...}, ...} with a Shape.
The model is made on torch's meta device and adapted as models/backends/trl.py does it. Its weights are counted as they
would be held, and a step is rehearsed (steps.py) with TRL's loss. Who shows the figures (memory.py) imports no torch.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch

from dfgui import child, config
from dfgui.child import Say
from dfgui.errors import UserError
from dfgui.models import chat_template, load, steps
from dfgui.models.backends import trl
from dfgui.models.memory import Asked, Shape, Tensors
from dfgui.models.steps import LEARNED
from dfgui.settings import Settings


def measured(asked: Asked) -> Shape:
    """The shape of a model that is trained as asked."""
    model, marks, names = made(asked)
    bits = bits_of(asked, model)
    parameters = list(model.parameters())
    quantised = quantised_weights(model) if bits else set()
    frozen = [one for one in parameters if not one.requires_grad]
    trainable = [one for one in parameters if one.requires_grad]
    loss = loss_of(asked, model, marks)
    weights = sum(held_in(bits, one) if bits and one in quantised else one.nbytes for one in frozen)
    buffers = sum(one.nbytes for one in model.buffers())
    largest = max((one.numel() for one in quantised), default=0)
    return Shape(
        parameters=sum(one.numel() for one in parameters),
        weights=(weights if frozen else sum(one.nbytes for one in trainable)) + buffers,
        trainable=_learned(model),
        full=not frozen,
        plain=steps.moments(asked, model, loss, "plain"),
        checkpointed=steps.moments(asked, model, loss, "checkpointed"),
        evaluating=steps.moments(asked, model, loss, "evaluating"),
        dequantised=2 * largest,  # one layer at a time is brought back to 16 bit
        masked=not asked.even,
        **names,
    )


def _learned(model: Any) -> list[Tensors]:
    """The weights that are trained, those of one kind together. bitsandbytes treats embeddings differently."""
    embeddings = {id(m.weight) for m in model.modules() if isinstance(m, torch.nn.Embedding)}
    counted = Counter(
        (tuple(one.shape), one.element_size(), id(one) in embeddings) for one in model.parameters() if one.requires_grad
    )
    return [Tensors(shape, size, count, embedding) for (shape, size, embedding), count in counted.items()]


Names = dict[str, tuple[str, ...]]  # linear and strange, as Shape has them


def made(asked: Asked) -> tuple[Any, list[int], Names]:
    """The model as it would be trained, without memory; the tokens whose embeddings an adapter learns; its layers."""
    from transformers import AutoConfig, AutoModelForCausalLM

    how = AutoConfig.from_pretrained(asked.folder, trust_remote_code=False)
    attention = "eager" if asked.attention == "eager" else "sdpa"  # flash attention keeps what sdpa keeps
    named = {} if asked.attention == "auto" else {"attn_implementation": attention}
    tokenizer, marks = words(asked)
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(how, dtype=getattr(torch, asked.dtype), **named)
        if len(tokenizer or ()) > model.get_input_embeddings().num_embeddings:
            model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        model.config.use_cache = False
        adapter = config.Adapter(**asked.adapter) if asked.method == "lora" else None
        names = {"linear": linear(model), "strange": tuple(strange(model, adapter) if adapter else ())}
        if adapter:
            model = adapted(model, without(adapter, names["strange"]), marks)
    if bits_of(asked, model):  # as TRL does it
        for one in model.parameters():
            one.data = one.data.to(torch.bfloat16) if one.requires_grad else one.data
    return model, marks, names


def linear(model: Any) -> tuple[str, ...]:
    """The last names of the linear layers, each once, in the model's order; the output is not among them."""
    from transformers.pytorch_utils import Conv1D  # GPT-2's name for them

    kinds, last = (torch.nn.Linear, Conv1D), model.get_output_embeddings()
    layers = [name for name, module in model.named_modules() if isinstance(module, kinds) and module is not last]
    return tuple(dict.fromkeys(name.rpartition(".")[2] for name in layers))


def strange(model: Any, adapter: config.Adapter) -> list[str]:
    """The names of layers that an adapter asks for and the model has not, by PEFT's rule: the end of a layer's name."""
    asked = [*(adapter.target_modules if isinstance(adapter.target_modules, list) else []), *adapter.whole]
    layers = [f".{name}" for name, _ in model.named_modules()]
    return [name for name in asked if not any(layer.endswith(f".{name}") for layer in layers)]


def without(adapter: config.Adapter, names: tuple[str, ...]) -> config.Adapter:
    """The adapter without layers that are not there: such a run is not started, and what it takes is shown."""
    targets = adapter.target_modules
    left = [name for name in targets if name not in names] if isinstance(targets, list) else targets
    whole = [name for name in adapter.whole if name not in names]
    return adapter.model_copy(update={"target_modules": left or "all-linear", "modules_to_save": whole})


def adapted(model: Any, adapter: config.Adapter, marks: list[int]) -> Any:
    from peft import get_peft_model

    return get_peft_model(model, trl.peft_config(adapter, model, marks))


def words(asked: Asked) -> tuple[Any, list[int]]:
    """The tokenizer if it is at hand, and the marks of a chat template that the model has not seen."""
    settings = Settings(Path(asked.home), jailed=False, offline=True)
    model = config.Model(**asked.model)
    if not any(any(Path(asked.folder).glob(kind)) for kind in ("*token*", "*.model", "vocab*")):
        return None, []
    try:
        tokenizer = load.tokenizer(model, settings)
        return tokenizer, chat_template.marks_to_learn(tokenizer, asked.folder, model)
    except (UserError, OSError, ValueError):
        return None, []


def loss_of(asked: Asked, model: Any, marks: list[int]) -> Callable[..., Any]:
    """The function of (model, input_ids, attention_mask) whose result is trained on; readies the model for it."""
    from peft.tuners.tuners_utils import BaseTunerLayer
    from trl.trainer import sft_trainer

    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    chunked = asked.loss in ("auto", "chunked_nll") and not (marks and asked.method == "lora")
    if not chunked or isinstance(base.get_output_embeddings(), BaseTunerLayer):
        return partial(_whole_loss, asked)
    sft_trainer._patch_chunked_ce_lm_head(base, sft_trainer._CHUNKED_LM_HEAD_CHUNK_SIZE)
    return _chunked_loss


def _chunked_loss(model: Any, ids: Any, mask: Any) -> Any:
    return model(input_ids=ids, attention_mask=mask, labels=ids.clone(), num_items_in_batch=LEARNED).loss


def _whole_loss(asked: Asked, model: Any, ids: Any, mask: Any) -> Any:
    """The scores of all tokens at once. accelerate makes them 32 bit, and TRL reads entropy and hits from them."""
    from trl.trainer.sft_trainer import dft_loss
    from trl.trainer.utils import entropy_from_logits

    labels = ids.clone()
    told = {} if asked.loss == "dft" else {"labels": labels, "num_items_in_batch": LEARNED}
    out = model(input_ids=ids, attention_mask=mask, **told)
    scores = out.logits if asked.precision == "fp32" else out.logits.float()
    if asked.loss == "dft":
        out.logits = scores
        out.loss = dft_loss(out, labels, LEARNED)
    with torch.no_grad():
        entropy_from_logits(scores[..., :-1, :])
        scores[..., :-1, :].argmax(dim=-1)
    return out.loss


def quantised_weights(model: Any) -> set[Any]:
    """The weights that bitsandbytes holds in 4 or 8 bit: those of linear layers, but of the last one."""
    from peft.tuners.lora.layer import LoraLayer
    from transformers.quantizers.base import get_keys_to_not_convert

    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    left = get_keys_to_not_convert(base)
    adapters = {id(part) for layer in base.modules() if isinstance(layer, LoraLayer) for part in _inside(layer)}
    return {
        module.weight
        for name, module in base.named_modules()
        if isinstance(module, torch.nn.Linear)
        and id(module) not in adapters
        and not any(name == key or name.startswith(f"{key}.") for key in left)
    }


def _inside(layer: Any) -> Iterator[Any]:
    for parts in (layer.lora_A, layer.lora_B):
        yield from parts.values()


def bits_of(asked: Asked, model: Any) -> int | None:
    """In how many bits the base is held: as asked for, or as somebody has saved it."""
    kept = getattr(model.config, "quantization_config", None) or {}
    saved = 4 if kept.get("load_in_4bit") else 8 if kept.get("load_in_8bit") else None
    return asked.bits or saved


def held_in(bits: int, weight: Any) -> int:
    """Bytes of a weight in so many bits. LLM.int8 keeps a scale of four bytes for each row."""
    return in_4bit(weight.numel()) if bits == 4 else weight.numel() + 4 * weight.shape[0]


def in_4bit(count: int) -> int:
    """Bytes of `count` weights in NF4 with double quantisation (QLoRA, section 3: arXiv 2305.14314).

    Half a byte each; a scale of one byte for each 64; for each 256 of those a scale of four bytes. And the two tables
    of 16 and 256 values that bitsandbytes keeps with each layer, with the scales' mean.
    """
    scales = -(-count // 64)
    return -(-count // 2) + scales + 4 * -(-scales // 256) + 4 * (16 + 256 + 1)


def _work(asked: dict[str, Any], say: Say) -> dict[str, Any]:
    warnings.simplefilter("ignore")
    return asdict(measured(Asked(**asked)))


if __name__ == "__main__":
    child.serve(_work, at_once=True)
