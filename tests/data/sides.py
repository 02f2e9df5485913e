"""The three sides that must agree on a row, each as (input_ids, labels): the preview, the trainer, and TRL itself.

shown([row], data, tokenizer) == trained([row], data, tokenizer, path, home) == of_trl([theirs], "assistant", tokenizer)
"""

import json
from pathlib import Path
from typing import Any, get_args

import trl

from dfgui.config import Data
from dfgui.data import probe, rows, template
from dfgui.data.conversation import Conversation
from dfgui.data.prepare import prepare
from dfgui.data.preview import preview
from dfgui.data.sources import Row
from dfgui.data.tokens import IGNORED
from dfgui.settings import Settings
from tests.data.oracle import trl_rows
from tests.data.random_rows import KINDS, as_completion, as_text

FOLDER = Path(trl.__file__).parent / "chat_templates"
NO_TEXT = ("llava_next", "idefics3")  # templates that take content in parts only
NAMES = sorted({path.stem.removesuffix("_training") for path in FOLDER.glob("*.jinja")} - {*NO_TEXT})
TRAIN_ON = get_args(Data.model_fields["train_on"].annotation)
UNCUT = 100_000
Sides = list[tuple[list[int], list[int]]]


def render(conversation: Conversation, tokenizer: Any, add_generation_prompt: bool = False) -> str:
    """A conversation of messages by the template that the tokenizer has for it."""
    text = template.original(tokenizer, bool(conversation.tools))
    return template.rendered(conversation.messages, conversation.tools, tokenizer, text, add_generation_prompt)


def data_of(kind: str, train_on: str, source: str = "rows.jsonl") -> Data:
    how = KINDS[kind]
    return Data(source=source, format=how.format, train_on=train_on, eval_fraction=0, **how.columns)


def refusal(row: dict, data: Data, tokenizer: Any) -> Any:
    """Why the row cannot be used, or None."""
    return rows.examine(Row(1, row), rows.options(data, data.format, None), tokenizer).trouble


def shown(wanted: list[dict], data: Data, tokenizer: Any) -> Sides:
    """What the preview says of each row."""
    how = rows.options(data, data.format, None)
    found = [preview(Row(1, row), how, tokenizer)["tokens"] for row in wanted]
    return [
        ([token["id"] for token in tokens], [token["id"] if token["trained"] else IGNORED for token in tokens])
        for tokens in found
    ]


def trained(wanted: list[dict], data: Data, tokenizer: Any, file: Path, settings: Settings) -> Sides:
    """What the trainer gets of them, from a file that is written here."""
    file.write_text("".join(json.dumps(row) + "\n" for row in wanted), encoding="utf-8")
    train = prepare(data.model_copy(update={"source": str(file)}), tokenizer, UNCUT, 42, settings).train
    return list(zip(train["input_ids"], train["labels"], strict=True))


def of_trl(wanted: list[dict], train_on: str, tokenizer: Any) -> list[tuple[list[int], list[int]] | None]:
    """What TRL makes of them; None where it has no way to learn the same."""
    found: list = [None] * len(wanted)
    asked = [as_trl_is_asked(row, train_on, tokenizer) for row in wanted]
    alike: dict[str, list[int]] = {}
    for place, one in enumerate(asked):
        if one:
            alike.setdefault(repr((sorted(one[0]), one[1])), []).append(place)
    for places in alike.values():
        made = trl_rows(tokenizer, [asked[place][0] for place in places], **asked[places[0]][1])
        for place, one in zip(places, made, strict=True):
            found[place] = one
    return found


def as_trl_is_asked(row: dict, train_on: str, tokenizer: Any) -> tuple[dict, dict] | None:
    """The row, and SFTConfig's options, with which TRL learns what `train_on` says; None where it cannot."""
    if "text" in row:
        return row, {}
    form = probe.examine(template.original(tokenizer, bool(row.get("tools"))))
    if train_on == "everything":
        return as_text(row, form.arguments), {"completion_only_loss": False} if "prompt" in row else {}
    if train_on == "last_assistant" and isinstance(row.get("completion"), list):
        row = {"messages": row["prompt"] + row["completion"], **{key: row[key] for key in row.keys() & {"tools"}}}
    if train_on != "assistant" and "messages" in row:
        return as_text(as_completion(row), form.arguments), {}
    if "prompt" in row and not _has_others(row["completion"]):
        return as_text(row, form.arguments), {}
    return (row, {"assistant_only_loss": True}) if form.training else None


def _has_others(completion: Any) -> bool:
    """Whether others than the assistant speak in it."""
    return isinstance(completion, list) and any(turn["role"] != "assistant" for turn in completion)
