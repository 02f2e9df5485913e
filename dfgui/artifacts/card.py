"""The model card of what goes to the Hub: README.md with what it was made of, how, and what came of it.

    text(About(name="weather-lora", kind="adapter", base="Qwen/Qwen3-0.6B", ...))

Only what is known is said: no curve without points, no score that nobody counted, no path of this machine.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dfgui import seams, words

NAME = "README.md"
FEW = 12  # points of a curve in its table


@dataclass(frozen=True)
class About:
    name: str
    kind: Literal["adapter", "merged"]
    step: int
    base: str  # a Hub id, or the name of a folder
    base_on_hub: bool
    revision: str | None
    data: str  # the dataset, without the path that it had here
    method: str
    rows: int | None  # trained on
    settings: str  # as short YAML
    licence: str | None = None  # of the base, where it says so itself
    losses: list[list[Any]] = field(default_factory=list)  # [step, loss]
    evaluations: list[list[Any]] = field(default_factory=list)  # [step, held-out loss]
    scores: list[dict[str, Any]] = field(default_factory=list)  # held-out tool calls: step, right, total
    engine: str = ""  # "TRL 1.14.2"


def text(about: About) -> str:
    parts = [_head(about), f"# {about.name}", _opening(about), _curve(about), _scores(about), _settings(about)]
    return "\n\n".join(part for part in [*parts, _licence(about)] if part) + "\n"


def _head(about: About) -> str:
    """The YAML that the Hub reads."""
    from huggingface_hub import ModelCardData

    how = {"full": "full-fine-tuning"}.get(about.method, about.method.replace("_", "-"))
    data = ModelCardData(
        base_model=about.base if about.base_on_hub else None,
        library_name="peft" if about.kind == "adapter" else "transformers",
        license=about.licence,
        pipeline_tag="text-generation",
        tags=["dfgui", "trl", "sft", how],
    )
    return f"---\n{data.to_yaml()}\n---"


def _opening(about: About) -> str:
    """What it is, in a few sentences."""
    what = "A LoRA adapter for" if about.kind == "adapter" else "A model that began as"
    base = f"[{about.base}](https://huggingface.co/{about.base})" if about.base_on_hub else f"`{about.base}`"
    at = f" at commit `{about.revision}`" if about.base_on_hub and about.revision else ""
    rows = f" {words.whole(about.rows)} rows of" if about.rows else ""
    engine = f" by {about.engine}" if about.engine else ""
    means = {"lora": "with LoRA", "full": "in all its weights"}.get(about.method, f"in {_learns(about.method)}")
    return (
        f"{what} {base}{at}, trained {means} on{rows} `{about.data}`{engine} under dfgui: its "
        f"checkpoint at step {words.whole(about.step)}. "
        "USAGE.md says how to load and ask it."
    )


def _learns(method: str) -> str:
    return seams.said(seams.METHODS).get(method, {}).get("LEARNS", "some of its weights")


def _curve(about: About) -> str:
    if not about.losses:
        return ""
    held = dict(map(tuple, about.evaluations))
    steps = sorted({*(step for step, _ in _thinned(about.losses)), *(step for step, _ in _thinned(about.evaluations))})
    known = dict(map(tuple, about.losses))
    lines = [
        f"| {words.whole(step)} | {words.number(known.get(step))} | {words.number(held.get(step))} |" for step in steps
    ]
    return "\n".join(["## Loss", "", "| step | training | held-out rows |", "|---|---|---|", *lines])


def _thinned(points: list[list[Any]]) -> list[list[Any]]:
    """At most FEW of them, evenly, the last one among them."""
    if len(points) <= FEW:
        return points
    return [points[round(at * (len(points) - 1) / (FEW - 1))] for at in range(FEW)]


def _scores(about: About) -> str:
    if not about.scores:
        return ""
    lines = [
        f"| {'base model' if one['step'] == 0 else words.whole(one['step'])} | {one['right']} of {one['total']} |"
        for one in about.scores
    ]
    what = "Held-out calls that are right in name and every argument, greedily generated."
    return "\n".join(["## Tool calls", "", what, "", "| step | right |", "|---|---|", *lines])


def _settings(about: About) -> str:
    return f"## Settings\n\nAll that is not as dfgui has it by default:\n\n```yaml\n{about.settings.strip()}\n```"


def _licence(about: About) -> str:
    if about.licence:
        return f"## Licence\n\nThe base model's: {about.licence}. What the training data allow is not known here."
    return "## Licence\n\nThat of the base model holds for what was made of it, and what the training data allow."


def licence_of(base: Path) -> str | None:
    """The licence that the card of a base model in a folder names; None where there is no card, or it names none."""
    import yaml
    from huggingface_hub import ModelCard

    if not (base / NAME).is_file():
        return None
    try:
        return ModelCard.load(base / NAME).data.license
    except (ValueError, OSError, yaml.YAMLError):  # its head is not YAML
        return None
