"""requirements.txt of a script: what it imports, in the versions that are installed here."""

from importlib.metadata import PackageNotFoundError, version

from dfgui.config import OPTIMIZERS, RunConfig
from dfgui.integrations import trackers
from dfgui.training.script.known import Known


def requirements(config: RunConfig, known: Known) -> str:
    """requirements.txt: what the script imports, in the versions that are installed here."""
    names = ["torch", "transformers", "trl", "datasets", "accelerate"]
    names += ["peft"] if config.method == "lora" or known.adapter else []
    names += ["bitsandbytes"] if config.model.bits else []
    names += ["liger-kernel"] if config.training.use_liger_kernel else []
    names += [OPTIMIZERS[config.training.optim].replace("_", "-")]
    names += ["flash-attn"] if config.model.attn_implementation == "flash_attention_2" else []
    names += ["flash-attn-3"] if config.model.attn_implementation == "flash_attention_3" else []
    names += [name for name in trackers.PACKAGES if name in config.trackers]
    names += ["unsloth", "unsloth_zoo"] if config.run.backend == "unsloth" else []
    return "".join(f"{_pinned(name)}\n" for name in dict.fromkeys(filter(None, names)))


def _pinned(name: str) -> str:
    """ "torch==2.13.0"; the name alone of what is not installed here."""
    try:
        return f"{name}=={version(name).partition('+')[0]}"  # torch names its build after a +, and PyPI does not
    except PackageNotFoundError:
        return name
