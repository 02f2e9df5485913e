"""What is trained: the model, and the adapter beside it."""

from typing import Any, Literal

from pydantic import field_validator, model_validator

from dfgui.config.block import Block, setting


class Model(Block):
    name: str = setting(
        "demo", "Model", "A Hub id, a local folder, or demo: the tiny model that comes with dfgui.", "model"
    )
    revision: str | None = setting(
        None, "Revision", "Branch, tag or commit on the Hub. Empty: its main branch.", "model", "advanced"
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = setting(
        "auto",
        "Weights held in",
        "auto: 16-bit for an adapter on a GPU that can, 32-bit otherwise, so that small updates are not rounded away.",
        "model",
        "advanced",
    )

    @model_validator(mode="before")
    @classmethod
    def whole_weights_only(cls, values: Any) -> Any:
        """`load_in_4bit: false` asks for what is done anyway."""
        if isinstance(values, dict) and "load_in_4bit" in values:
            values = dict(values)
            if values.pop("load_in_4bit"):
                raise ValueError("load_in_4bit is not in this version: leave it out, or set it to false.")
        return values

    @field_validator("name")
    @classmethod
    def named(cls, name: str) -> str:
        if not name:
            raise ValueError("Name a model: a Hub id, a folder, or demo.")
        return name


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

    @field_validator("target_modules")
    @classmethod
    def listed(cls, modules: str | list[str]) -> str | list[str]:
        if isinstance(modules, list) or modules == "all-linear":
            names = modules
        else:
            names = [name.strip() for name in modules.split(",") if name.strip()]
        if not names:
            raise ValueError("Write all-linear, or the names of layers separated by commas.")
        return names
