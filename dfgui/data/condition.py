"""Which rows of a dataset are wanted, by what stands in one of their columns.

    matches({"metadata": {"language": "en"}}, "metadata.language = en")   -> True

`=` is equal, `!=` is not, `~` contains. Dots lead into objects; values are compared as text, lists and objects as JSON.
"""

import json
import re
from typing import Any

CONDITION = re.compile(r"(?P<path>[^=!~]+?)\s*(?P<sign>!=|=|~)\s*(?P<value>.*)", re.DOTALL)


def matches(row: dict[str, Any], condition: str) -> bool:
    """Whether a row fits the condition; one without the column fits `!=` alone."""
    found = CONDITION.fullmatch(condition.strip())
    if not found:
        return False
    text, value = _text(_inner(row, found["path"].strip().split("."))), found["value"]
    if text is None:
        return found["sign"] == "!="
    return {"=": text == value, "!=": text != value, "~": value in text}[found["sign"]]


def _inner(value: Any, names: list[str]) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
