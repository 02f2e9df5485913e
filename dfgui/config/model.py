"""What is trained: the model, and the adapter beside it."""

import re
from typing import Literal

from pydantic import field_validator

from dfgui.config.block import Block, setting

# TRL's chat templates for text, by the names of their files in trl/chat_templates.
CHAT_TEMPLATES = Literal[
    "own", "cohere", "cohere2", "deepseek_r1_distill", "deepseekv3", "diffusion_gemma", "gemma", "gemma3", "gemma4",
    "glm4moe", "gptoss", "lfm2", "lfm2_2_5", "lfm2_2_5_vl", "llama3", "llama3_1", "llama3_2", "muse_glimmer",
    "nemotron_3_5_lightning", "nemotron_3_nano", "nemotron_3_super", "nemotron_3_ultra", "phi3", "phi3_5", "qwen2_5",
    "qwen2_5_vl", "qwen3", "qwen3_5_nothink", "qwen3_5_think", "qwen3_6", "qwen3_8", "qwen3_instruct_2507", "qwen3_vl",
]  # fmt: skip

# A model that an earlier run has made: run:7h2kq0x1zz@60, or without a step its best checkpoint, else its last.
EARLIER = re.compile(r"run:(?P<run>[a-z0-9]{8,32})(?:@(?P<step>\d{1,9}))?", re.ASCII)

REVISION = re.compile(r"\w[\w./+-]*", re.ASCII)  # a branch, a tag or a commit


class Model(Block):
    name: str = setting(
        "demo",
        "Model",
        "A Hub id (owner/name), a folder, an earlier run (run:ID@STEP), or demo.",
        "model",
    )
    revision: str | None = setting(
        None, "Revision", "Branch, tag or commit on the Hub. Empty: its main branch.", "model", "advanced"
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = setting(
        "auto",
        "Weights held in",
        "auto: 16-bit for an adapter on a GPU that can, 32-bit otherwise, so that small updates are not rounded away.",
        "precision",
        "advanced",
    )
    attn_implementation: Literal["auto", "sdpa", "eager", "flash_attention_2", "flash_attention_3"] = setting(
        "auto",
        "Attention",
        "auto: what transformers takes for the model, mostly sdpa. flash_attention_2 and 3 need their package and an "
        "NVIDIA GPU, and keep packed rows apart.",
        "memory",
        "advanced",
    )
    load_in_4bit: bool = setting(
        False,
        "Base in 4 bit",
        "QLoRA: the frozen base takes about a quarter of the memory. Needs bitsandbytes, and an NVIDIA GPU to be fast.",
        "memory",
    )
    load_in_8bit: bool = setting(
        False,
        "Base in 8 bit",
        "LLM.int8: the frozen base takes about half of the memory, and loses less than in 4 bit. Needs bitsandbytes.",
        "memory",
        "advanced",
    )
    chat_template: CHAT_TEMPLATES = setting(
        "own",
        "Chat template",
        "How a conversation becomes text. own: the model's; a model without one gets one of TRL's that fits. Another: "
        "TRL's of that name; its marks become tokens, which are trained.",
        "model",
        "advanced",
    )
    tools_in: Literal["template", "system"] = setting(
        "template",
        "Tools written by",
        "template: by the chat template, in its own form. system: into the system message, for a template that knows "
        "no tools.",
        "model",
        "advanced",
    )
    saved_template: Literal["own", "training"] = setting(
        "own",
        "Template saved",
        "own: the chat template as it is. training: TRL's version of it, which shows earlier answers as they were "
        "trained; qwen3's own takes their thoughts away.",
        "model",
        "advanced",
    )

    @property
    def bits(self) -> Literal[4, 8] | None:
        """In how many bits the base is held; None: as its dtype says."""
        return 4 if self.load_in_4bit else 8 if self.load_in_8bit else None

    @field_validator("name")
    @classmethod
    def named(cls, name: str) -> str:
        if not name:
            raise ValueError("Name a model: a Hub id, a folder, or demo.")
        if name.startswith("run:") and not EARLIER.fullmatch(name):
            raise ValueError("An earlier run is written run:ID@STEP, or run:ID for its best checkpoint.")
        return name

    @field_validator("revision")
    @classmethod
    def of_git(cls, revision: str | None) -> str | None:
        revision = (revision or "").strip() or None
        if revision and (not REVISION.fullmatch(revision) or ".." in revision):
            raise ValueError("A branch, tag or commit is written in letters, digits and . _ - / +.")
        return revision


class Adapter(Block):
    r: int = setting(
        16,
        "Rank",
        "Size of the adapter. 8 to 64 is usual; more can learn more and costs more.",
        "adapter",
        ge=1,
        le=1024,
    )
    lora_alpha: int = setting(
        32,
        "Alpha",
        "How strongly the adapter acts: its update is scaled by alpha / rank. Once or twice the rank is usual.",
        "adapter",
        ge=1,
        le=4096,
    )
    lora_dropout: float = setting(
        0.0,
        "Dropout",
        "Share of adapter inputs switched off at random; 0.05 can help on small datasets.",
        "adapter",
        "advanced",
        ge=0,
        lt=1,
    )
    target_modules: str | list[str] = setting(
        "all-linear",
        "Layers adapted",
        "all-linear, or names separated by commas: q_proj, k_proj, v_proj, o_proj.",
        "adapter",
        "advanced",
    )
    modules_to_save: str | list[str] = setting(
        "",
        "Layers trained whole",
        "Layers that learn all their weights beside the adapter and are saved with it, separated by commas: "
        "embed_tokens, lm_head. Empty: none.",
        "adapter",
        "advanced",
    )
    use_rslora: bool = setting(
        False,
        "Rank-stabilised",
        "rsLoRA: the update is scaled by alpha / the root of the rank, so that high ranks learn as they should.",
        "adapter",
        "advanced",
    )
    use_dora: bool = setting(
        False,
        "DoRA",
        "Learns the length of each weight's columns beside their direction: often better at low rank, and slower.",
        "adapter",
        "advanced",
    )

    @field_validator("target_modules")
    @classmethod
    def listed(cls, modules: str | list[str]) -> str | list[str]:
        names = modules if modules == "all-linear" else _names(modules)
        if not names:
            raise ValueError("Write all-linear, or the names of layers separated by commas.")
        return names

    @field_validator("modules_to_save")
    @classmethod
    def listed_or_none(cls, modules: str | list[str]) -> str | list[str]:
        return _names(modules) or ""

    @property
    def whole(self) -> list[str]:
        """The names of the layers that learn all their weights."""
        return _names(self.modules_to_save)


def _names(written: str | list[str]) -> list[str]:
    return written if isinstance(written, list) else [name.strip() for name in written.split(",") if name.strip()]
