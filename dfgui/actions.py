"""What a person can do: the functions that pages, the API and the command line call.

Each takes the settings of its caller, checks what it is given, and raises UserError in words.
"""

import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dfgui import config, recipe
from dfgui.artifacts import deletion
from dfgui.config import EARLIER, RunConfig
from dfgui.errors import UserError
from dfgui.models import earlier
from dfgui.settings import Settings, existing
from dfgui.store import Store, owner
from dfgui.store.commands import STOPS
from dfgui.store.runs import new_id
from dfgui.store.scores import BASE

if TYPE_CHECKING:
    from dfgui.data.report import Report
    from dfgui.evaluation.generate import Answer

RUN_ID = re.compile(r"[a-z0-9]{8,32}")
KINDS = ("adapter", "merged")
NAME_LENGTH, NOTE_LENGTH = 80, 1000  # characters


@dataclass(frozen=True)
class Package:
    """A zip that is made while it is sent. Whoever takes the chunks closes it at the end, whatever the end."""

    filename: str
    chunks: Iterator[bytes]
    size: int  # bytes that the chunks add up to
    folder: Path | None = None  # made for this package; goes with it
    let_go: Callable[[], None] | None = None  # of the checkpoint that the zip is made from

    def close(self) -> None:
        if self.let_go:
            self.let_go()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def start(
    settings: Settings,
    values: dict[str, Any] | RunConfig,
    executor: str = "app",
    hand: Callable[[str], None] | None = None,
) -> str:
    """Queues a run and returns its id. Raises UserError, and queues nothing, when it could not work.

    `hand` is called with the id before anybody can take the run out of the queue: it gets its secrets then.
    """
    from dfgui.training import preflight

    run = values if isinstance(values, RunConfig) else recipe.parse(values)
    preflight.require(run, settings)
    run = earlier.settled(_independent_of_folder(run), settings)
    store = Store(settings.store_path)
    queued = new_id()
    if hand:
        hand(queued)
    store.runs.create(run, executor, queued)
    if words := earlier.words(run, settings):
        store.events.add(queued, "note", words)
    return queued


def _independent_of_folder(run: RunConfig) -> RunConfig:
    """The config with relative paths made absolute, so that it means the same from everywhere."""
    run = run.model_copy(deep=True)
    for block, name in ((run.model, "name"), (run.data, "source"), (run.data, "eval_source")):
        setattr(block, name, _absolute(getattr(block, name)))
    run.data.also = [_absolute(name) for name in run.data.also]
    return run


def _absolute(name: str) -> str:
    """A path that is there made absolute; every other name as it is."""
    here = existing(name) if name and name != "demo" else None
    return str(here) if here else name


def launch_notes(settings: Settings, values: dict[str, Any]) -> list[dict[str, Any]]:
    """What to know before the start: [{kind: ok|warn|stop, title, text, field}]."""
    from dfgui.training import preflight

    return [note.to_dict() for note in preflight.notes(recipe.parse(values), settings)]


def callbacks(settings: Settings) -> dict[str, str]:
    """The callbacks that pages may name, and what each hears: {"my.module:Mine": "hears on_log and on_save."}."""
    from dfgui.training import callback_source

    return callback_source.offered(settings)


def preview(settings: Settings, data: config.Data, model: config.Model, row: int, max_length: int) -> dict[str, Any]:
    """One row at every stage: raw, conversation, text, tokens, tool_arguments. Rows are numbered from 1."""
    from dfgui.data import preview as stages
    from dfgui.data import rows, sources
    from dfgui.models import load

    opened = sources.dataset(data, settings)
    how = rows.options(data, rows.format_of(opened, data), max_length)
    tokenizer = load.tokenizer(model, settings, spoken=rows.are_spoken(data, settings))
    return stages.preview(opened.row(row), how, tokenizer)


def check(settings: Settings, data: config.Data, model: config.Model, max_length: int) -> "Iterator[Report]":
    """Every row of a dataset looked at: reports of what is known so far, the last one of all. See data/report.py."""
    from dfgui.data import report, rows, template
    from dfgui.models import imports, load

    make = partial(load.tokenizer, model, settings, spoken=rows.are_spoken(data, settings))
    with imports.one_at_a_time, suppress(UserError):  # all that is imported on the way, before threads could meet there
        template.describe(make())
    return report.check(data, make, max_length, settings)


def command(settings: Settings, run: str, name: str, by: str) -> int:
    """Asks a run for one of `store.commands.COMMANDS`; returns the command's id. A run in the queue stops at once."""
    store = Store(settings.store_path)
    row = store.runs.get(checked(run))
    if row["ended_at"]:
        raise UserError(
            f"{row['name']} has already ended.", f"It is {row['status']}.", "Choose a run that is going on."
        )
    if name == "evaluate" and row["facts"].get("eval_rows") == 0:
        raise UserError(
            "There is nothing to evaluate on.", "This run holds no rows out.", "Hold some out in the next run."
        )
    asked = store.commands.add(run, name, by)
    if name in STOPS and not store.runs.withdraw(run, f"Taken out of the queue by {by}."):
        store.runs.move(run, "stopping")
    now = store.runs.get(run)
    if now["ended_at"]:  # while this was asked
        store.commands.close_all(run, now["global_step"], "the run has ended")
    return asked


def resume(
    settings: Settings, run: str, step: int | None = None, changes: list[str] | None = None, executor: str = "app"
) -> int:
    """Puts an ended run back into the queue, to go on from a checkpoint; returns its step. See training/resume.py."""
    from dfgui.training import resume as resuming

    return resuming.resume(settings, checked(run), step, changes, executor)


def whole_checkpoints(settings: Settings, run: str) -> list[dict[str, Any]]:
    """The checkpoints that a run can go on from. Raises UserError where there is none."""
    from dfgui.training import resume as resuming

    return resuming.whole_checkpoints(settings, checked(run))


def rename(settings: Settings, run: str, name: str) -> str:
    """Gives a run another name; returns it as it is kept: on one line, trimmed. Raises UserError."""
    kept = " ".join(_printable(name).split())
    if not kept:
        raise UserError("A run needs a name.", "Nothing was written.", "Write what tells it apart from the others.")
    if len(kept) > NAME_LENGTH:
        raise UserError(
            "That name is too long.",
            f"It has {len(kept)} characters, and {NAME_LENGTH} is the most.",
            "Shorten it; a note has room for more.",
        )
    _update(settings, run, name=kept)
    return kept


def annotate(settings: Settings, run: str, note: str) -> str:
    """Writes down a note about a run, in place of the one before; "" takes it away. Returns it as it is kept."""
    kept = _printable(note).strip()
    if len(kept) > NOTE_LENGTH:
        raise UserError(
            "That note is too long.",
            f"It has {len(kept):,} characters, and {NOTE_LENGTH:,} is the most.",
            "Keep it shorter.",
        )
    _update(settings, run, note=kept)
    return kept


def _printable(text: str) -> str:
    """Without what a terminal or a table would stumble over; line breaks and tabs stay."""
    return "".join(sign for sign in text.replace("\r\n", "\n") if sign.isprintable() or sign in "\n\t")


def _update(settings: Settings, run: str, **columns: str) -> None:
    runs = Store(settings.store_path).runs
    runs.update(runs.get(checked(run))["id"], **columns)


def delete(settings: Settings, runs: list[str]) -> list[dict[str, Any]]:
    """Deletes runs with their files: [{run, name, step, checkpoints, bytes}]. All of them, or none and a UserError."""
    return deletion.delete(settings, [checked(run) for run in runs])


def checked(run: str) -> str:
    """The id if it is one. Raises UserError."""
    if not RUN_ID.fullmatch(run):
        raise UserError(
            "That is not the id of a run.", "An id is ten letters and digits.", "Choose a run from the list."
        )
    return run


def log_tail(settings: Settings, run: str, lines: int = 200) -> str:
    """The end of the run's train.log; empty before there is one."""
    from dfgui.training import log

    return log.tail(settings.run_folder(checked(run)), lines)


@dataclass(frozen=True)
class Saved:
    """A checkpoint with what is needed to bring it back to life."""

    run: dict[str, Any]
    step: int
    folder: Path
    kind: str  # adapter or full
    base: str  # the folder of the model it was trained from
    dtype: str  # in which the run held its weights

    @property
    def base_name(self) -> str:
        return base_name(self.run)


def base_name(row: dict[str, Any]) -> str:
    """What to call a run's base elsewhere: its Hub id, or the folder it lies in here."""
    name = earlier.origin(row).name
    return row["facts"].get("base", name) if name == "demo" or EARLIER.fullmatch(name) else name


def saved(settings: Settings, run: str, step: int) -> Saved:
    """The checkpoint of a run at a step. Raises UserError when it is not there."""
    store = Store(settings.store_path)
    row = store.runs.get(checked(run))
    checkpoint = store.checkpoints.get(run, step)
    folder = settings.run_folder(run) / checkpoint["path"]
    if not folder.is_dir():
        raise UserError(
            f"Checkpoint {step} is no longer on the disk.",
            f"Its folder {folder.name} was moved or deleted.",
            "Choose another checkpoint.",
        )
    return Saved(row, step, folder, checkpoint["kind"], row["facts"]["base"], row["facts"]["dtype"])


def home_sizes(settings: Settings, run: str, step: int) -> dict[str, int]:
    """Bytes of what can be brought home of a checkpoint: {"adapter": 31e6, "merged": 1.2e9}; 0 if nobody can know."""
    from dfgui.artifacts import package as packing

    found = saved(settings, run, step)
    own = packing.zip_size(found.folder)
    if found.kind == "full":
        return {"merged": own}
    weights = sum(file.stat().st_size for file in Path(found.base).glob("*.safetensors"))
    if not weights:  # the base has left this machine, and is fetched again when it is needed
        return {"adapter": own, "merged": 0}
    return {"adapter": own, "merged": int(weights * _growth(found)) + 2_000_000}


def _growth(found: Saved) -> float:
    """How much larger the base's weights are in the run's dtype than in their own files."""
    from dfgui.artifacts import headers

    width = {"F32": 4, "float32": 4, "BF16": 2, "F16": 2, "bfloat16": 2, "float16": 2}
    stored = headers.dtypes(Path(found.base))
    return width[found.dtype] / max((width.get(name, 2) for name in stored), default=2)


def package(settings: Settings, run: str, step: int, kind: str) -> Package:
    """A checkpoint as a zip: its adapter, or merged with its base. What was merged goes when the zip has been sent."""
    from dfgui.artifacts import export as exporting
    from dfgui.artifacts import package as packing

    found = saved(settings, run, step)
    title = f"{_file_name(found.run['name'])}-{step}"
    name = f"{title}-{_kind(kind, found)}"
    if kind == "adapter":
        extra = exporting.adapter_extras(found.folder, found.base_name, title)
        size = packing.zip_size(found.folder, extra, name)
        holds = Store(settings.store_path).holds
        let_go = partial(holds.release, holds.take(run, step))
        return Package(f"{name}.zip", packing.stream(found.folder, extra, name), size, let_go=let_go)
    out = settings.exports / owner.folder_name() / f"{run}-{step}-{secrets.token_hex(4)}"
    with Store(settings.store_path).holds.hold(run, step):
        exporting.export(found.folder, _base_here(settings, found.run), "merged", out, found.dtype, title)
    return Package(f"{name}.zip", packing.stream(out, name=name), packing.zip_size(out, name=name), out)


def export(settings: Settings, run: str, step: int, kind: str, to: Path, dtype: str | None = None) -> dict[str, Any]:
    """Brings a checkpoint home as a folder that loads. Returns {path, bytes, files}."""
    from dfgui.artifacts import export as exporting

    found = saved(settings, run, step)
    base = found.base_name if _kind(kind, found) == "adapter" else _base_here(settings, found.run)
    with Store(settings.store_path).holds.hold(run, step):
        return exporting.export(found.folder, base, kind, to, dtype or found.dtype, found.run["name"])  # type: ignore[arg-type]


def _base_here(settings: Settings, row: dict[str, Any]) -> str:
    """The folder of a run's base model, fetched again if it is gone: caches are emptied, Spaces forget theirs."""
    from dfgui.models import load

    base = Path(row["facts"]["base"])
    if base.is_dir() or row["config"]["method"] == "full":
        return str(base)
    return load.fetch(earlier.origin(row), replace(settings, jailed=False))


def _kind(kind: str, found: Saved) -> str:
    if kind not in KINDS:
        raise UserError(f"{kind} is not something to download.", "A model comes as adapter or merged.", "Choose one.")
    if kind == "adapter" and found.kind == "full":
        raise UserError(
            "This run has no adapter.", "It trained the whole model.", "Download the merged model, which is all of it."
        )
    return kind


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "model"


def reply(
    settings: Settings,
    run: str,
    step: int,
    messages: list[dict[str, Any]],
    tools: list[dict[str, Any]],
    stop: Callable[[], bool] | None = None,
) -> "Answer":
    """The answer of a checkpoint (or of the base model at step 0) to `messages`, greedy, piece by piece."""
    from dfgui.evaluation import generate

    model, tokenizer = _ready(settings, run, step)
    return generate.generate(model, tokenizer, messages, tools, stop=stop)


def parse_reply(settings: Settings, run: str, text: str, tools: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """What an answer says and calls: {content, calls: [{name, arguments}], broken, reasoning}."""
    from dfgui.data import replies

    _, tokenizer = _ready(settings, run, BASE)
    return asdict(replies.parse(text, tokenizer, tools))


def _ready(settings: Settings, run: str, step: int) -> tuple[Any, Any]:
    from dfgui.models import loaded

    _require_a_free_gpu(settings)
    if step == BASE:
        row = Store(settings.store_path).runs.get(checked(run))
        if "base" not in row["facts"]:
            raise UserError(
                "The model is not loaded yet.", "The run has not reached it.", "Wait until training starts."
            )
        return loaded.ready(_base_here(settings, row), None, row["facts"]["dtype"], _tokenizer_of(settings, run))
    found = saved(settings, run, step)
    with Store(settings.store_path).holds.hold(run, step):
        return loaded.ready(_base_here(settings, found.run), str(found.folder), found.dtype)


def _tokenizer_of(settings: Settings, run: str) -> str | None:
    """The folder of the tokenizer that a run trains with, and its chat template; None for runs of before it was kept.

    A checkpoint has it as well, and comes home with a Space that was restarted.
    """
    folder = settings.run_folder(run)
    return next((str(place) for place in (folder / "tokenizer", *folder.glob("checkpoint-*")) if place.is_dir()), None)


def _require_a_free_gpu(settings: Settings) -> None:
    """Training comes first: an answer would take memory that the run counts on, and could end it."""
    from dfgui.models import hardware

    if hardware.measure().device != "cpu" and Store(settings.store_path).runs.active():
        raise UserError(
            "A run is training on the GPU.",
            "Answering now would take the memory that it counts on.",
            "Wait until it has ended, or stop it.",
        )


def held_out(settings: Settings, run: str) -> list[dict[str, Any]]:
    """The rows the run never trained on: [{row, messages, tools}]. Rows of plain text are left out."""
    return [
        {"row": number, "messages": conversation.messages, "tools": conversation.tools}
        for number, conversation in _held_out(settings, run)
        if conversation.messages
    ]


def _held_out(settings: Settings, run: str) -> list[tuple[int, Any]]:
    from dfgui.data import held_out

    try:
        return held_out.load(settings.run_folder(checked(run)))
    except FileNotFoundError as error:
        raise UserError(
            "The held-out rows are not known yet.",
            "A run writes them down once its dataset is tokenised.",
            "Wait until then, or choose another run.",
        ) from error


def score(settings: Settings, run: str, step: int) -> threading.Thread:
    """Counts, in the background, the held-out tool calls a checkpoint answers rightly; step 0 is the base model.

    Progress and result stand in the store's scores. Raises UserError when there is nothing to count.
    """
    from dfgui.evaluation import tool_calls

    questions = tool_calls.questions(_held_out(settings, run))
    if not questions:
        raise UserError(
            "There is no held-out tool call to count.",
            "The rows kept for evaluation call no tool.",
            "Hold out a larger share, or judge the answers on the Chat page.",
        )
    if step != BASE:
        saved(settings, run, step)
    scores = Store(settings.store_path).scores
    if any(one["step"] == step and one["state"] == "scoring" for one in scores.of(run)):
        raise UserError(
            "These calls are being counted already.", "Somebody else has asked for it.", "Wait for the result."
        )
    scores.begin(run, step, len(questions))
    thread = threading.Thread(target=_count, args=(settings, run, step, questions), name="dfgui-score", daemon=True)
    thread.start()
    return thread


def _count(settings: Settings, run: str, step: int, questions: list[Any]) -> None:
    from dfgui.evaluation import tool_calls
    from dfgui.training import failures
    from dfgui.training.worker import insist

    scores = Store(settings.store_path).scores
    try:
        model, tokenizer = _ready(settings, run, step)
        result = tool_calls.score(model, tokenizer, questions, lambda done, _total: scores.advance(run, step, done))
        insist(lambda: scores.finish(run, step, result.right, [asdict(one) for one in result.results]))
    except BaseException as error:
        words = str(failures.explain(error))
        insist(lambda: scores.fail(run, step, words))
