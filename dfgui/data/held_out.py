"""The rows that a run is never trained on, kept beside it: evaluation finds them again whatever becomes of the dataset.

save(folder, [(17, conversation), ...])    writes held_out.jsonl: {"row": 17, "messages": [...], "tools": [...]}
load(folder)                               [(17, conversation), ...]
"""

import json
from dataclasses import asdict
from pathlib import Path

from dfgui.data.conversation import Conversation

NAME = "held_out.jsonl"

HeldOut = list[tuple[int, Conversation]]  # row number in the dataset, conversation with all its tools


def save(folder: Path, evaluated: HeldOut, test: HeldOut) -> None:
    """Writes the file, whole or not at all."""
    partial = folder / f"{NAME}.partial"
    with partial.open("w", encoding="ascii") as file:
        for part, rows in (("eval", evaluated), ("test", test)):
            for number, conversation in rows:
                file.write(json.dumps({"row": number, "part": part, **asdict(conversation)}) + "\n")
    partial.replace(folder / NAME)


def load(folder: Path) -> HeldOut:
    """The rows to judge a model by; FileNotFoundError before they were saved."""
    with (folder / NAME).open(encoding="ascii") as file:
        rows = [json.loads(line) for line in file]
    return [_read(row) for row in rows if row["part"] == "test"] or [_read(row) for row in rows]


def _read(row: dict) -> tuple[int, Conversation]:
    segments = row["segments"] and [(text, learned) for text, learned in row["segments"]]
    return row["row"], Conversation(row["messages"], row["tools"], segments, row["train_from"])
