"""The Export page: which runs and checkpoints can be brought home, in which shapes, and what each is for."""

from typing import Any

from dfgui import words
from dfgui.artifacts import gguf as converter
from dfgui.models import base as bases
from dfgui.models import earlier

KINDS = {  # kind of package -> title, what it is for
    "adapter": ("Adapter", "Only what was trained. Small; it needs its base model beside it."),
    "merged": ("Merged model", "The whole model in one folder. It works alone, like any model of the Hub."),
}
SCRIPT: dict[str, Any] = {
    "kind": "script",
    "title": "Run as a script",
    "size": "",
    "about": "A short train.py in plain TRL with its prepared rows: it trains this run again, step by step, without "
    "dfgui.",
    "needs": "",
    "refused": "",
    "choices": [],
    "files": [],
    "code": "pip install -r requirements.txt\npython train.py",
}
NO_CONVERTER = "It is made by llama.cpp's own converter, which is not on this machine. These lines get it:"
DEMO = (
    "The demo has a tokenizer of its own, which llama.cpp does not know. What was trained from a model of the Hub can "
    "become one."
)
FULL = "The whole model that was trained, in one folder. It works alone, like any model of the Hub."


def run_label(run: dict[str, Any]) -> str:
    return f"{run['name']} · {words.STATUS[run['status']]} · {words.moment(run['created_at'])[:16]}"


def step_label(checkpoint: dict[str, Any]) -> str:
    """ "Step 360 · held-out loss 0.741 · best"."""
    loss = checkpoint["eval_loss"]
    parts = [
        f"Step {words.whole(checkpoint['step'])}",
        f"held-out loss {words.number(loss)}" if loss is not None else "",
    ]
    return " · ".join(part for part in [*parts, "best" if checkpoint["best"] else ""] if part)


def chosen_step(checkpoints: list[dict[str, Any]], asked: int | None) -> int:
    """The checkpoint asked for, else the best one, else the newest."""
    steps = [row["step"] for row in checkpoints]
    if asked in steps:
        return asked  # type: ignore[return-value]
    return next((row["step"] for row in checkpoints if row["best"]), steps[-1])


def question(run: dict[str, Any]) -> dict[str, str] | None:
    """What to ask about a run's base before anything is merged with it: {title, why, label, guess, first}; or None.

    `first` is said of what cannot be made before that is known.
    """
    match bases.unknown(run):
        case "moved":
            return {
                "title": "Where is its base model now?",
                "why": f"{run['name']} was trained on the model in {run['facts']['base']}, which was moved or deleted. "
                "The adapter can be downloaded; to be merged or asked it needs that very model.",
                "label": "Folder of the base model",
                "guess": "",
                "first": "It is made with the base model: say above where that is.",
            }
        case "quantised":
            return {
                "title": "Which model was its base made from?",
                "why": f"{run['name']} was trained on a quantised model: its weights are rounded to few bits. What was "
                "learned is merged into the model in full precision, so that nothing is rounded twice.",
                "label": "That model, as a folder or a name of the Hub",
                "guess": bases.guess(run),
                "first": "It is made with the model in full precision: say above which one that is.",
            }
    return None


def offers(
    sizes: dict[str, int],
    base: str,
    code: dict[str, str],
    files: dict[str, int] | None = None,
    refused: dict[str, str] | None = None,
    gguf: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """One card for each shape there is, and one for the run itself.

    `sizes` in bytes by kind; `code` by kind: the lines that load it; `files`: bytes of the checkpoint's own weights;
    `refused` by kind: why a shape cannot be had now; `gguf`: the card of that name.
    """
    refused = refused or {}
    own = "adapter" if "adapter" in sizes else "merged"  # the shape in which it lies on the disk
    listed = [{"name": name, "size": words.size(size)} for name, size in (files or {}).items()]
    shapes = [
        {
            "kind": kind,
            "title": title,
            "size": _size(sizes.get(kind)),
            "refused": refused.get(kind, ""),
            "choices": [],
            "about": FULL if kind == "merged" and "adapter" not in sizes else about,
            "needs": f"Its base is {base}." if kind == "adapter" else "",
            "code": code[kind],
            "files": listed if kind == own else [],
        }
        for kind, (title, about) in KINDS.items()
        if kind in sizes or kind in refused
    ]
    return (
        [*shapes, *([gguf] if gguf else []), SCRIPT] if shapes else []
    )  # of a checkpoint that is gone nothing can be had


def _size(known: int | None) -> str:
    if known is None:
        return ""
    return words.size(known) if known else "size not known: its base is fetched again"


def gguf(run: dict[str, Any], sizes: dict[str, int], can_convert: bool, first: str = "") -> dict[str, Any]:
    """The card of the GGUF file: {..., choices: [{kind, title, size}]}, or why there is none, with the lines that help.

    `sizes` in bytes by dtype, {} where nobody can know; `first`: what is to be told before anything can be merged.
    """
    why, code = first, "ollama create my-model -f Modelfile\nollama run my-model"
    if not can_convert:
        why, code = NO_CONVERTER, converter.TO_GET_IT
    elif earlier.origin(run).name == "demo":
        why = DEMO
    titles = {"float16": "16 bit", "q8_0": "8 bit"}
    return {
        "kind": "gguf",
        "title": "GGUF",
        "size": "",
        "about": "One file for Ollama, llama.cpp and LM Studio. The chat template is inside; a Modelfile is beside it.",
        "needs": "",
        "refused": why,
        "choices": [
            {"kind": f"gguf-{dtype}", "title": title, "name": dtype, "size": _about(sizes.get(dtype))}
            for dtype, title in titles.items()
        ],
        "files": [],
        "code": code if not why or not can_convert else "",
    }


def _about(known: int | None) -> str:
    return f"about {words.size(known)}" if known else ""
