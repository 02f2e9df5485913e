"""What is added to dfgui by adding a file: the formats of rows and the methods of training.

    names("data/formats")        ["messages", "sharegpt", "alpaca", "prompt_completion", "text"]
    said("training/methods")     {"lora": {"ORDER": 1, "TITLE": "LoRA adapter", ...}, "full": {...}}

The constants at the top of each file are read and the file is not imported: whoever asks is light (config, pages), and
a method may import torch. A file without an ORDER is no format and no method.
"""

import ast
from functools import lru_cache
from pathlib import Path
from typing import Any

FORMATS, METHODS = "data/formats", "training/methods"


def names(folder: str) -> list[str]:
    """The files of this folder, lowest ORDER first; among equals by name."""
    return list(said(folder))


@lru_cache
def said(folder: str) -> dict[str, dict[str, Any]]:
    """The constants of each file, by its name, in the order of names()."""
    files = sorted((Path(__file__).parent / folder).glob("*.py"))
    found = {file.stem: constants for file in files if "ORDER" in (constants := _constants(file))}
    return dict(sorted(found.items(), key=lambda one: one[1]["ORDER"]))


def _constants(file: Path) -> dict[str, Any]:
    """NAME = a text or a number, at the top of a file."""
    found: dict[str, Any] = {}
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            found |= {target.id: node.value.value for target in node.targets if isinstance(target, ast.Name)}
    return found
