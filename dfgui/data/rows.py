"""One row through every stage: read, made a conversation, rendered, tokenised, and judged on the way.

    examine(Row(17, {"messages": [...]}), Options("messages", max_length=1024), tokenizer)
    -> Examined(number=17, problems=[Problem("unknown_tool", "turn 2 calls get_wether, ...")], trouble=None, tokens=...)

The report and the trainer both take their rows from here: what is reported is what happens.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from dfgui.config import Data
from dfgui.data import checks, condition, formats, shape, template
from dfgui.data.checks import Problem
from dfgui.data.conversation import Conversation, RowError, fingerprint
from dfgui.data.sources import Broken, Joined, OfItsOwnFormat, Row, Source, dataset, open_source
from dfgui.data.tokens import Tokens, tokenize
from dfgui.errors import UserError
from dfgui.settings import Settings

MAYBE_PLAIN = ("text", "prompt_completion")  # formats whose rows may be text without turns


@dataclass(frozen=True)
class Options:
    """How rows are read, shaped and tokenised; config.Data says what each value means."""

    format: str
    max_length: int | None  # None: nothing is cut
    train_on: str = "assistant"
    tools: str = "all"
    reasoning: str = "keep"
    system: str = ""
    columns: tuple[tuple[str, str], ...] = ()  # ("prompt", "question"), ... where they have names of their own

    def conversation(self, row: Row) -> Conversation:
        """A row in the one shape. Raises RowError when it cannot be one."""
        return formats.to_conversation(row.raw, row.format or self.format, dict(self.columns))

    def shaped(self, conversation: Conversation) -> Conversation:
        """The conversation as it trains."""
        return shape.shaped(conversation, self.tools, self.reasoning, self.system)

    def asked(self, conversation: Conversation) -> Conversation:
        """The conversation as it is evaluated: with all its tools, as a user would offer them."""
        return shape.shaped(conversation, "all", self.reasoning, self.system)


@dataclass(frozen=True)
class Examined:
    number: int
    problems: list[Problem]
    trouble: UserError | None = None  # why it cannot be trained on; a RowError does not name the row yet
    conversation: Conversation | None = None  # with all its tools; None if it could not be read
    tokens: Tokens | None = None  # cut at max_length; None where there is trouble


def options(data: Data, format: str, max_length: int | None) -> Options:
    return Options(
        format,
        max_length,
        data.train_on,
        data.tools,
        data.reasoning,
        data.system or "",
        _columns(data, format),
    )


def _columns(data: Data, format: str) -> tuple[tuple[str, str], ...]:
    if format == "text":
        return (("text", data.text_column),) if data.text_column else ()
    return tuple(data.columns.items()) if format == formats.MAPPED else ()


def chosen(source: Source, data: Data) -> Iterator[Row | Broken]:
    """The rows of the dataset that are wanted, in order: those that fit `where`, `limit` of them at most."""
    wanted = source.scan()
    if where := data.where:
        wanted = (row for row in wanted if isinstance(row, Broken) or condition.matches(row.raw, where))
    return islice(wanted, data.limit)


def format_of(source: Source, data: Data) -> str:
    """The format that is asked for, or that the first rows have. Raises UserError when none fits."""
    return format_in(source.head(formats.LOOKED_AT), data)


def format_in(head: list[Row], data: Data) -> str:
    """The same, when the first rows have been read."""
    if data.format == "auto" and data.text_column:
        return "text"
    if data.format == "auto" and head and head[0].format:  # of several that are joined the first
        return head[0].format
    return formats.chosen(data.format, [row.raw for row in head])


def are_spoken(data: Data, settings: Settings) -> bool:
    """Whether there are conversations among the rows. Plain text needs no chat template."""
    wanted = [dataset(data, settings)]
    if data.eval_source:
        wanted.append(open_source(data.eval_source, settings, data.config, data.split))
    return any(spoken(source, options(data, format_of(source, data), None)) for source in wanted)


def spoken(source: Source, how: Options) -> bool:
    """Whether the rows of a source, or of one of several that are joined, are conversations, as the first tells."""
    if isinstance(source, Joined):
        return any(spoken(part, how) for part in source.parts)
    if how.format not in MAYBE_PLAIN and not isinstance(source, OfItsOwnFormat):
        return True
    for row in source.head(formats.LOOKED_AT):
        try:
            return how.conversation(row).segments is None
        except RowError:
            continue
    return True


def read(row: Row | Broken, options: Options) -> Examined:
    """A row as a conversation, with what is wrong with it; no tokenizer is needed for that."""
    if isinstance(row, Broken):
        return Examined(row.number, [_named("unreadable", row.error)], row.error)
    try:
        conversation = options.conversation(row)
    except RowError as error:
        check = "mixed_formats" if _is_in_another_format(row, options) else error.check
        return Examined(row.number, [_named(check, error)], error)
    return Examined(row.number, list(checks.problems(row.raw, conversation)), None, conversation)


def examine(row: Row | Broken, options: Options, tokenizer: Any) -> Examined:
    """A row as tokens, with all that is wrong with it."""
    seen = read(row, options)
    if seen.conversation is None:
        return seen
    shown = options.shaped(seen.conversation)
    try:
        tokens = tokenize(shown, tokenizer, options.max_length, options.train_on, roles=False)
    except RowError as error:
        return replace(seen, problems=[*seen.problems, _named(error.check, error)], trouble=error)
    said = template.remarks(shown, tokenizer, options.train_on, tokens.text) if shown.segments is None else ()
    found = [*seen.problems, *(Problem(*one) for one in said), *_lost(tokens, options.max_length)]
    return replace(seen, problems=found, tokens=tokens)


def _is_in_another_format(row: Row, options: Options) -> bool:
    wanted = row.format or options.format
    if wanted == formats.MAPPED:
        return False
    fits = [name for name, module in formats.FORMATS.items() if module.matches(row.raw)]
    return bool(fits) and wanted not in fits


def _named(check: str, error: UserError) -> Problem:
    said = f"it {error.said}" if isinstance(error, RowError) else error.what
    return Problem(check, f"{said} {error.why}")


def _lost(tokens: Tokens, max_length: int | None) -> list[Problem]:
    """What max_length takes from the row."""
    if max_length is None or not tokens.cut:
        return []
    over = f"{len(tokens.input_ids) + tokens.cut:,} tokens, of which max_length keeps {max_length:,}"
    if not tokens.cut_learned:
        return [Problem("cut", over)]
    check = "answer_cut" if tokens.trained else "answer_lost"
    return [Problem(check, f"{over}; {tokens.cut_learned:,} that would be learned are lost")]


class Neighbours:
    """What is wrong with a row because of others: it was there before, or it is evaluated on as well."""

    def __init__(self, elsewhere: frozenset[bytes] = frozenset()):
        self.elsewhere = elsewhere  # fingerprints of the evaluation file
        self.first: dict[bytes, int] = {}  # fingerprint -> number of the first row that has it

    def problems(self, number: int, print: bytes | None) -> list[Problem]:
        """For the next row, its fingerprint given; rows come in order."""
        if print is None:
            return []
        found = []
        if (first := self.first.setdefault(print, number)) != number:
            found.append(Problem("duplicate", f"it is the same as row {first}"))
        if print in self.elsewhere:
            found.append(Problem("in_evaluation", "the evaluation file has it too"))
        return found


def prints_elsewhere(data: Data, settings: Settings) -> frozenset[bytes]:
    """Fingerprints of what can be read of the evaluation file; empty without one."""
    if not data.eval_source:
        return frozenset()
    source = open_source(data.eval_source, settings, data.config, data.split)
    how = options(data, format_of(source, data), None)
    return frozenset(filter(None, (_print(row, how) for row in source.scan())))


def _print(row: Row | Broken, how: Options) -> bytes | None:
    if isinstance(row, Broken):
        return None
    try:
        return fingerprint(how.conversation(row))
    except RowError:
        return None
