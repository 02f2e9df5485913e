"""The chat template a model is trained and asked with: its own or one of TRL's, with tools in words where it has none.

    give(tokenizer, config.Model(chat_template="own", tools_in="system"))
    tokenizer.chat_template       what a run trains with, and what is saved beside its weights

The marks of a template that is not the model's own, <|im_start|> for example, become tokens of the tokenizer. The
model gets room for them in load.make_room(), and learns them.
"""

import re
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dfgui.config import EARLIER, Model
from dfgui.data import probe, template, tools_in_words
from dfgui.errors import UserError

# For a model without a template: the first of these whose marks it knows, or else the first.
USUAL = ("qwen3_instruct_2507", "llama3_2", "gemma3", "phi3_5")
FOR_CHATS = ("default", "tool_use")  # of several templates; others are for search results and the like
MARK = re.compile(r"<[|｜][^<>|｜\s]+[|｜]?>|<[^<>|｜\s]+[|｜]>|<(?:start|end)_of_turn>")


def give(tokenizer: Any, model: Model, spoken: bool = True) -> None:
    """Gives a tokenizer the template that `model` asks for. One without a template keeps none if no row is `spoken`.

    Raises UserError when the template cannot be used.
    """
    name = chosen(tokenizer, model, spoken)
    if name != "own":
        _replace(tokenizer, name)
    if tokenizer.chat_template and model.tools_in == "system":
        _change(tokenizer, probe.with_tools_in_words)
    if tokenizer.chat_template and model.saved_template == "training":
        _change(tokenizer, lambda own: probe.examine(own).training or own)


def chosen(tokenizer: Any, model: Model, spoken: bool = True) -> str:
    """ "own", or the name of TRL's template that stands in for it."""
    if model.chat_template != "own" or tokenizer.chat_template or not spoken:
        return model.chat_template
    known = tokenizer.get_vocab()
    return next((name for name in USUAL if all(mark in known for mark in marks(text_of(name)))), USUAL[0])


@cache
def text_of(name: str) -> str:
    """One of TRL's chat templates."""
    return (_folder() / f"{name}.jinja").read_text(encoding="utf-8")


@cache
def name_of(text: str) -> str | None:
    """What TRL calls this template, if it is one of its own; "qwen3 with tools in words" for one that was changed."""
    before, own = tools_in_words.unwrap(text)
    found = next((file.stem for file in sorted(_folder().glob("*.jinja")) if text_of(file.stem) == own), None)
    return f"{found} with tools in words" if found and before else found


def note(tokenizer: Any) -> str:
    """Which template a tokenizer has and what it can carry: "qwen3; tools: yes, arguments as object"."""
    if not tokenizer.chat_template:
        return "none, and plain text needs none"
    return f"{named(tokenizer)}; {template.describe(tokenizer).note}"


def named(tokenizer: Any) -> str:
    """What TRL calls the template, "its own" where it does not know it, "none" where there is none."""
    if not tokenizer.chat_template:
        return "none"
    return name_of(template.original(tokenizer, tools=True)) or "its own"


def marks(text: str) -> list[str]:
    """What a template prints between turns and calls that should each be one token: ["<|im_start|>", "<|im_end|>"]."""
    return list(dict.fromkeys(MARK.findall("\n".join(probe.samples(text)))))


def end_mark(text: str) -> str:
    """The mark that a template ends an answer with, "" for none."""
    return next(reversed(MARK.findall(probe.end_of_turn(text))), "")


def marks_to_learn(tokenizer: Any, folder: str, model: Model) -> list[int]:
    """Ids of the marks of a template that is not that of the model in `folder`, which may never have seen them.

    An earlier run's adapter brings the template that it was trained with, which need not be that of its base.
    """
    from transformers import AutoTokenizer

    own = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    its_own = own.chat_template and model.chat_template == "own" and not EARLIER.fullmatch(model.name)
    if not tokenizer.chat_template or its_own:
        return []
    seen = marks(template.original(own)) if own.chat_template else []
    known = tokenizer.get_vocab()
    strange = {known[mark] for mark in marks(template.original(tokenizer)) if mark in known and mark not in seen}
    return sorted(strange.union(range(len(own), len(tokenizer))))


def _folder() -> Path:
    """Where TRL keeps its templates; it is found and not imported."""
    found = find_spec("trl")
    if found is None or found.origin is None:
        raise UserError("TRL is not installed.", "Its chat templates cannot be read.", "Run `pip install trl`.")
    return Path(found.origin).parent / "chat_templates"


def _replace(tokenizer: Any, name: str) -> None:
    from tokenizers import AddedToken

    text = text_of(name)
    new = [mark for mark in marks(text) if mark not in tokenizer.get_vocab()]
    tokenizer.add_tokens([AddedToken(mark, special=True, normalized=False) for mark in new], special_tokens=True)
    tokenizer.chat_template = text
    if "bos_token" in text and tokenizer.bos_token is None:  # a model without one has seen the other between texts
        between = "<|endoftext|>"
        tokenizer.bos_token = between if between in tokenizer.get_vocab() else tokenizer.eos_token
    if (end := end_mark(text)) and "eos_token" not in text:
        tokenizer.eos_token = end


def _change(tokenizer: Any, change: Callable[[str], str]) -> None:
    """Changes the template; of several those that conversations are rendered with."""
    own = tokenizer.chat_template
    if isinstance(own, dict):
        changed = {name: change(own[name]) for name in FOR_CHATS if name in own}
        tokenizer.chat_template = {**own, **changed}
    else:
        tokenizer.chat_template = change(own)
