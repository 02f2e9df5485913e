"""What is trained on: where rows come from, which of them, and in what shape."""

import re
from typing import Any, Literal

from pydantic import ValidationInfo, field_validator

from dfgui import seams
from dfgui.config.block import Block, setting

# What can be wrong with a row (data/checks.py says more) and is cured by leaving the row out.
LEAVABLE = (
    "unreadable",
    "mixed_formats",
    "no_answer",
    "no_question",
    "not_rendered",
    "nothing_learned",
    "words_dropped",
    "reasoning_dropped",
    "tools_not_shown",
    "asked_differently",
    "opened_differently",
    "no_end",
    "answer_lost",
    "answer_cut",
    "cut",
    "unknown_tool",
    "arguments",
    "tool_schema",
    "result_without_call",
    "call_without_result",
    "role_order",
    "empty_turn",
    "not_text",
    "duplicate",
    "in_evaluation",
)

FORMATS = ("auto", *seams.names(seams.FORMATS), "columns")

COLUMNS = ("prompt", "answer", "context", "system", "tools")  # what a column can be, where the format is "columns"


class Data(Block):
    source: str = setting("demo", "Dataset", "A file, a folder of files, hf:owner/name on the Hub, or demo.", "data")
    also: str | list[str] = setting(
        [],
        "Joined with",
        "More datasets after the first, separated by commas. Each may have a format of its own.",
        "data",
        "advanced",
    )
    config: str | None = setting(
        None, "Configuration", "Which configuration of a Hub dataset. Empty: its default.", "data", "advanced"
    )
    split: str = setting("train", "Split", "Which split of a Hub dataset.", "data", "advanced")
    format: Literal[FORMATS] = setting(  # type: ignore[valid-type]  # the files in data/formats
        "auto", "Format", "How a row is written. auto looks at the first rows.", "data"
    )
    prompt_column: str | None = setting(None, "Prompt", "What is asked.", "data", "advanced", validate_default=True)
    answer_column: str | None = setting(
        None, "Answer", "What is to be learned.", "data", "advanced", validate_default=True
    )
    context_column: str | None = setting(None, "Context", "Below the prompt, if any.", "data", "advanced")
    system_column: str | None = setting(None, "System", "A system message, if any.", "data", "advanced")
    tools_column: str | None = setting(None, "Tools", "Tools on offer, if any.", "data", "advanced")
    text_column: str | None = setting(
        None,
        "Text column",
        "Where rows of plain text keep it, if not in `text`. SFTConfig calls it dataset_text_field.",
        "data",
        "advanced",
        when={"data.format": ["auto", "text"]},
    )
    eval_source: str | None = setting(
        None,
        "Evaluation file",
        "Rows to evaluate on, never trained on. Empty: a share of the dataset is held out.",
        "data",
        "advanced",
    )
    eval_fraction: float = setting(
        0.1,
        "Held out",
        "Share of the rows kept for evaluation. 0.1 is the usual choice; 0 turns evaluation off.",
        "data",
        ge=0,
        le=0.5,
    )
    test_fraction: float = setting(
        0.0,
        "Kept for the test",
        "Share of the rows that are neither trained nor evaluated on: Evaluate and Chat ask these. 0.1 makes an "
        "80/10/10 split; 0: they ask the held-out rows.",
        "data",
        "advanced",
        ge=0,
        le=0.4,
    )
    where: str | None = setting(
        None,
        "Only rows where",
        "A condition on a column: language = en, metadata.topic != test, source ~ wiki. Empty: all rows.",
        "data",
        "advanced",
    )
    limit: int | None = setting(None, "At most", "So many rows, the first ones. Empty: all.", "data", "advanced", ge=1)
    train_on: Literal["assistant", "last_assistant", "completion", "everything"] = setting(
        "assistant",
        "Learn from",
        "assistant: every answer and tool call. last_assistant: only the final answer. completion: what follows the "
        "prompt. everything: questions and tool results too, which is rarely wanted.",
        "data",
        "advanced",
    )
    tools: Literal["all", "used"] = setting(
        "all",
        "Tools shown",
        "all: as in the row. used: only the tools the row calls, for shorter prompts.",
        "data",
        "advanced",
    )

    reasoning: Literal["keep", "none", "think", "reasoning_content"] = setting(
        "keep",
        "Reasoning",
        "Where an answer's thoughts stand. keep: as in the row. none: taken out. think: in <think> tags before the "
        "answer. reasoning_content: in a field of its own, for templates that read one.",
        "data",
        "advanced",
    )
    system: str | None = setting(
        None, "System message", "Stands in every row in place of its own. Empty: as in the row.", "data", "advanced"
    )
    leave_out: list[Literal[LEAVABLE]] = setting(  # type: ignore[valid-type]  # the names stand once, above
        [], "Rows left out", "Rows with these findings are not trained on.", "data", "advanced"
    )

    @field_validator("source")
    @classmethod
    def named(cls, source: str) -> str:
        if not source:
            raise ValueError("Name a dataset: a file, hf:owner/name, or demo.")
        return source

    @field_validator("also", mode="before")
    @classmethod
    def listed(cls, also: Any) -> Any:
        if also is None:
            return []
        return [name.strip() for name in also.split(",") if name.strip()] if isinstance(also, str) else also

    @property
    def columns(self) -> dict[str, str]:
        """Which column is what: {"prompt": "question", "answer": "reply"}."""
        named = {place: getattr(self, f"{place}_column") for place in COLUMNS}
        return {place: column for place, column in named.items() if column}

    @field_validator("prompt_column", "answer_column")
    @classmethod
    def mapped(cls, column: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("format") == "columns" and not column:
            raise ValueError("Choose a column of the dataset.")
        return column

    @field_validator("where")
    @classmethod
    def a_condition(cls, where: str | None) -> str | None:
        if where and not re.match(r"[^=!~]+(!=|=|~)", where):
            raise ValueError("Write a column, then =, != or ~, then a value: language = en.")
        return where or None
