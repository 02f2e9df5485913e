"""How rows are written: one file per format, which is all that a new one is (docs/adding-a-format.md).

    detect([{"conversations": [{"from": "human", ...}], "tools": "[...]"}])  ->  "sharegpt"

    ORDER                     of formats that fit equally many rows, the one with the lowest is taken
    LABEL                     what people call it
    NEEDS                     what each row needs: up to the first comma its columns
    matches(row)              whether a row is written so
    to_conversation(row)      the row in the one shape; raises RowError where it cannot be used

Columns with names of their own are mapped by columns.py instead.
"""

from importlib import import_module
from types import ModuleType

from dfgui import seams
from dfgui.data.conversation import Conversation, RowError
from dfgui.data.formats import columns, text
from dfgui.errors import UserError

FORMATS: dict[str, ModuleType] = {  # in the order they are asked
    name: import_module(f"{__name__}.{name}") for name in seams.names(seams.FORMATS)
}
MAPPED = "columns"
LABELS = {name: module.LABEL for name, module in FORMATS.items()} | {MAPPED: columns.LABEL}
LOOKED_AT = 50  # rows at the start of a dataset that decide its format
EXPECTED = ", ".join(module.NEEDS.partition(",")[0] for module in FORMATS.values())


def detect(rows: list[dict]) -> str:
    """The format that most of these rows have; the first of FORMATS when they tie. Raises UserError if none fits."""
    if not rows:
        raise UserError("The dataset has no rows.", "There is nothing to learn from.", "Choose another dataset.")
    counts = {name: sum(module.matches(row) for row in rows) for name, module in FORMATS.items()}
    best = max(counts, key=counts.__getitem__)
    if not counts[best]:
        columns = ", ".join(f"`{column}`" for column in rows[0]) or "none"
        raise UserError(
            "The columns of this dataset are not known.",
            f"It has {columns}; dfgui looks for one of {EXPECTED}.",
            "Choose the format `columns of my own` and say which is which, or rename them.",
        )
    return best


def chosen(format: str, rows: list[dict]) -> str:
    """The format that a person named, or what the first rows look like when that is "auto". Raises UserError."""
    if format != "auto" and format not in LABELS:
        raise UserError(f"{format} is not a format.", f"dfgui knows {', '.join(LABELS)}.", "Choose one, or auto.")
    return detect(rows[:LOOKED_AT]) if format == "auto" else format


def to_conversation(row: dict, format: str, mapping: dict[str, str] | None = None) -> Conversation:
    """A row in the one shape. `mapping` says which column is what, where they have names of their own: the format is
    "columns", or "text" and kept elsewhere. Raises RowError.
    """
    if format == MAPPED:
        return columns.to_conversation(row, mapping or {})
    if format == "text" and mapping:
        return text.to_conversation(columns.renamed(row, mapping))
    module = FORMATS[format]
    if not module.matches(row):
        raise RowError(
            f"is not written as {module.LABEL}.",
            f"It has the columns {', '.join(f'`{column}`' for column in row) or 'none'}.",
            f"Each row needs {module.NEEDS}.",
        )
    return module.to_conversation(row)


def describe(rows: list[dict], format: str) -> str:
    """The format in words: "ShareGPT with tools"."""
    tools = any(row.get(column) for row in rows for column in ("tools", "functions", "available_tools"))
    return f"{LABELS[format]} with tools" if tools else LABELS[format]
