"""From the name a person picked to a tokenizer and weights: "demo", a local folder, run:ID@STEP, or a Hub id.

Looking at data needs the tokenizer only; weights are fetched when a run starts. Only safetensors are read, and code
that a model brings along is never run.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from dfgui import config
from dfgui.errors import UserError
from dfgui.models import cache, chat_template, demo, earlier, fetching, hub, imports, sound
from dfgui.settings import Settings, existing

# transformers sets the whole process's default dtype while it loads: two at once could leave the wrong one behind.
_loading = threading.Lock()

Progress = Callable[[int, int], None]  # bytes done, bytes in all

TOKENIZER_FILES = ["*token*", "vocab*", "merges.txt", "*.jinja", "*.model", "config.json", "special_tokens_map.json"]


def locate(name: str, settings: Settings) -> str:
    """A local folder's path, or the Hub id unchanged. Raises UserError when a path is not readable or not a model."""
    if name == "demo":
        return str(demo.BASE)
    if found := earlier.find(name, settings):
        return str(found.folder)
    return str(_model_folder(settings.may_read(name))) if is_folder(name) else _hub_id(name)


def is_folder(name: str) -> bool:
    """Whether a model's name is a path, there or not; every other one is of the Hub, of a run, or demo."""
    here = existing(name)
    return name.startswith((".", "/", "~")) or bool(here and here.is_dir())


def _model_folder(folder: Path) -> Path:
    if not (folder / "config.json").is_file():
        raise UserError(
            f"{folder} is not a model folder.",
            "It has no config.json.",
            "Choose the folder that holds config.json, the tokenizer and *.safetensors.",
        )
    return folder


def _hub_id(name: str) -> str:
    """A name that the Hub could have: it becomes a part of addresses there and of folders here."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise UserError(
            f"{name!r} is neither a folder here nor a Hub id.",
            "A Hub id reads owner/name.",
            "Check the spelling, or choose demo.",
        ) from error
    return name


def tokenizer(model: config.Model, settings: Settings, spoken: bool = True) -> Any:
    """The model's tokenizer with the chat template it is to have; fetches tokenizer files only.

    `spoken`: whether rows are conversations; plain text needs no template. Raises UserError when it cannot be had.
    """
    with imports.one_at_a_time:
        from transformers import AutoTokenizer

    place = folder_of_words(model, settings)
    try:
        loaded = AutoTokenizer.from_pretrained(place, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise _unavailable(model.name, "tokenizer", error, settings) from error
    with imports.one_at_a_time:
        chat_template.give(loaded, model, spoken)
    return with_pad_token(loaded)


def folder_of_words(model: config.Model, settings: Settings) -> str:
    """The folder with a model's tokenizer and config; of the Hub only these files are fetched. Raises UserError."""
    place = locate(model.name, settings)
    if Path(place).is_dir():
        return place
    try:
        return _fetch(place, model.revision, TOKENIZER_FILES, settings)
    except (OSError, ValueError) as error:
        raise _unavailable(model.name, "tokenizer", error, settings, model.revision) from error


def with_pad_token(tokenizer: Any) -> Any:
    """A tokenizer that pads. Padding is masked by position, so the end-of-text token may serve as well."""
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def fetch(model: config.Model, settings: Settings, progress: Progress | None = None) -> str:
    """The folder that holds the model's weights, downloaded if need be. Raises UserError when it cannot be had.

    For an adapter of an earlier run that is the folder of the model it works on.
    """
    if (found := earlier.find(model.name, settings)) and found.kind == "adapter":
        return str(found.base) if found.base.is_dir() else fetch(found.origin, settings, progress)
    place = locate(model.name, settings)
    if not Path(place).is_dir():
        try:
            if cache.begun(place) and not settings.offline:
                _finish(model, settings, progress)
                progress = None  # of small files only
            place = _fetch(place, model.revision, hub.MODEL_FILES, settings, progress)
        except (OSError, ValueError) as error:
            raise _unavailable(model.name, "weights", error, settings, model.revision) from error
    sound.require(model.name, Path(place), settings)
    return place


def _finish(model: config.Model, settings: Settings, progress: Progress | None) -> None:
    """Goes on with a download that broke off: the client would begin it anew. Small files remain to be fetched."""
    with suppress(hub.Silence):  # then what is here has to do
        fetching.weights(model, settings, progress or _nowhere)


def _nowhere(done: int, total: int) -> None: ...


def weights_size(model: config.Model, settings: Settings) -> int | None:
    """Bytes of the model's weights if they are on this machine; None when they wait on the Hub.

    Raises UserError when there is no way to get them: a folder without weights, or a Hub id while offline.
    """
    if (found := earlier.find(model.name, settings)) and found.kind == "adapter":
        if not found.base.is_dir():
            return weights_size(found.origin, settings)
        return sum(file.stat().st_size for file in sound.require(model.name, found.base, settings))
    place = Path(locate(model.name, settings))
    if not place.is_dir():
        try:
            place = Path(_fetch(str(place), model.revision, hub.MODEL_FILES, replace(settings, offline=True)))
        except (OSError, ValueError) as error:
            if settings.offline:
                raise _unavailable(model.name, "weights", error, settings) from error
            return None
        if not settings.offline and not cache.whole(place):  # its tokenizer alone was fetched so far, or not all of it
            return None
    return sum(file.stat().st_size for file in sound.require(model.name, place, settings))


def weights(folder: str, dtype: str, device: str = "cpu", bits: int | None = None, attention: str = "auto") -> Any:
    """The causal language model in `folder`, weights held in `dtype` (a torch dtype's name), on `device`.

    `bits`: 4 or 8: held in so many, computed with in `dtype`, and frozen, so that an adapter learns beside them.
    `attention`: transformers' attn_implementation, "auto" for the one that it takes itself.
    """
    imports.for_loading()
    import torch
    from transformers import AutoModelForCausalLM

    with _loading:
        try:
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=getattr(torch, dtype),
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
                **(_quantised(bits, getattr(torch, dtype), device) if bits else {}),
                **({} if attention == "auto" else {"attn_implementation": attention}),
            )
        except (ValueError, RuntimeError) as error:
            raise sound.refusal(folder, error) or error from error
    model, found = loaded
    sound.require_all_there(folder, found)
    return model if bits or getattr(model, "is_quantized", False) else model.to(device)


def _quantised(bits: int, dtype: Any, device: str) -> dict[str, Any]:
    """QLoRA's own choices: 4-bit NormalFloat, its scales quantised as well; or LLM.int8. Loaded where it stays."""
    from transformers import BitsAndBytesConfig

    four = {"bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True, "bnb_4bit_compute_dtype": dtype}
    how = BitsAndBytesConfig(load_in_4bit=True, **four) if bits == 4 else BitsAndBytesConfig(load_in_8bit=True)
    return {"quantization_config": how, "device_map": {"": device}}


def make_room(model: Any, tokenizer: Any) -> None:
    """Rows in the embeddings for tokens that the model has none for. Each begins as the mean of all others."""
    import torch

    count = model.get_input_embeddings().num_embeddings
    if len(tokenizer) <= count:
        return
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
            if layer is not None:
                layer.weight[count:] = layer.weight[:count].mean(dim=0)


def trained(checkpoint: Path, base: str, dtype: str, device: str = "cpu", words: Path | None = None) -> tuple[Any, Any]:
    """(model, tokenizer) of a checkpoint: an adapter on its base folder, or a full model. Ready to generate.

    `words` is the folder of the tokenizer, where it is not the checkpoint.
    """
    imports.for_loading()
    from transformers import AutoTokenizer

    tokenizer = with_pad_token(AutoTokenizer.from_pretrained(words or checkpoint, trust_remote_code=False))
    has_adapter = (checkpoint / "adapter_config.json").is_file()
    model = weights(base if has_adapter else str(checkpoint), dtype, device)
    make_room(model, tokenizer)
    return (adapted(model, checkpoint) if has_adapter else model).eval(), tokenizer


def adapted(model: Any, checkpoint: Path) -> Any:
    """`model` with the adapter of a checkpoint.

    The adapter is made without memory and then filled: a random start would move the dice of a run that trains beside
    us. (PEFT's own low_cpu_mem_usage would do so by changing torch.nn for every thread.)
    """
    import torch
    from peft import PeftConfig, get_peft_model, load_peft_weights, set_peft_model_state_dict

    config = PeftConfig.from_pretrained(str(checkpoint))
    config.inference_mode = True
    device = str(model.device)
    with torch.device("meta"):  # for this thread alone
        model = get_peft_model(model, config)
    set_peft_model_state_dict(model, load_peft_weights(str(checkpoint), device), low_cpu_mem_usage=True)
    return model


def _fetch(
    repo: str, revision: str | None, patterns: list[str], settings: Settings, progress: Progress | None = None
) -> str:
    from httpx import TransportError
    from huggingface_hub import snapshot_download

    bar: dict[str, Any] = {"tqdm_class": reporting_bar(progress)} if progress else {}
    asked: dict[str, Any] = {
        "revision": revision,
        "allow_patterns": patterns,
        "ignore_patterns": hub.NOT_LOADED,
        "token": settings.hub_token,
        **bar,
    }
    try:
        return snapshot_download(repo, local_files_only=settings.offline, **asked)
    except TransportError:  # of a commit its files are listed first, though all of them may be here
        return snapshot_download(repo, local_files_only=True, **asked)


def reporting_bar(progress: Progress) -> type:
    """A tqdm class that draws nothing and tells `progress` the bytes of huggingface_hub's own bar."""
    from tqdm.auto import tqdm

    class Bar(tqdm):
        def __init__(self, *args: Any, **kwargs: Any):
            # Two bars count bytes: "Downloading" what came, "Reconstructing" what is on the disk. The second is ours.
            self.counts_bytes = kwargs.get("unit") == "B" and kwargs.get("desc", "").startswith("Reconstructing")
            super().__init__(*args, **{**kwargs, "disable": False, "file": Nowhere()})

        def update(self, n: float | None = 1) -> bool | None:
            moved = super().update(n)
            if self.counts_bytes:
                progress(int(self.n), int(self.total or 0))
            return moved

    return Bar


class Nowhere:
    """A file that forgets: tqdm insists on drawing somewhere."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None: ...


def _unavailable(name: str, part: str, error: Exception, settings: Settings, revision: str | None = None) -> UserError:
    kind = type(error).__name__
    if kind == "RevisionNotFoundError":
        return hub.no_revision(name, revision)
    if "Gated" in kind or "401" in str(error) or "403" in str(error):
        return hub.gated(name)
    if settings.offline or kind in ("OfflineModeIsEnabled", "LocalEntryNotFoundError"):
        return UserError(
            f"{name} is not on this machine: its {part} cannot be fetched.",
            "The Hub cannot be reached, or HF_HUB_OFFLINE is set.",
            "Choose demo or a local folder, or go online.",
        )
    if "NotFound" in kind:
        return UserError(
            f"{name} is not on the Hub.", "No model of that name or revision is there.", "Check the spelling."
        )
    reason = str(error).strip().splitlines()[0][:300] if str(error).strip() else kind
    return UserError(f"The {part} of {name} cannot be loaded.", reason, "Choose another model, or correct its folder.")
