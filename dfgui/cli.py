"""The command line: what the pages do, for scripts. Same config, same words, same results.

    python -m dfgui train run.yaml --set training.max_steps=10
    python -m dfgui runs show h3k9x2m4q7 --json

With --json, stdout holds one JSON value and nothing else; NaN is null. Exit 0: done. 1: it ended badly. 2: refused, and
{"error": {what, why, do}} says why.
"""

import argparse
import json
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout, suppress
from pathlib import Path
from typing import Any

from dfgui import (
    actions,
    cli_checkpoints,
    cli_history,
    cli_progress,
    cli_push,
    cli_script,
    cli_settings,
    recipe,
    server,
    settings,
)
from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.integrations.deepfabric.forwarder import forwarding
from dfgui.settings import Settings
from dfgui.store import Store, owner, probe
from dfgui.store.runs import ENDED
from dfgui.training import launcher
from dfgui.views import findings

DONE, BAD, REFUSED = 0, 1, 2


def main(argv: list[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    given = sys.argv[1:] if argv is None else argv
    try:
        everywhere, rest = _options_anywhere().parse_known_args(given)
        asked = _parser().parse_args(rest)
        where = settings.load(home=everywhere.home, jailed=False)
        if asked.command not in (open_ui, cli_settings.show_settings):
            _require_a_disk(where)
        with redirect_stdout(sys.stderr) if "--json" in given else nullcontext():  # libraries print what they like
            code, answer, words = asked.command(asked, where)
    except UserError as error:
        code, answer, words = REFUSED, {"error": error.to_dict()}, None
        print(f"{error.what}\n{error.why}\n{error.do}", file=sys.stderr)
    try:
        if "--json" in given:
            print(json.dumps(_without_nan(answer)), flush=True)  # in ASCII: not every terminal or pipe takes more
        elif words:
            print(words, flush=True)
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _require_a_disk(where: Settings) -> None:
    """The app works around a home that SQLite cannot live on; a second process beside it must not."""
    if trouble := probe.trouble(where.home):
        raise UserError(
            f"The disk of {where.home} {trouble}.", "SQLite would be damaged there.", "Choose another --home."
        )


class Parser(argparse.ArgumentParser):
    """Words that are not understood are refused like everything else, in JSON too."""

    def error(self, message: str) -> Any:
        usage = " ".join(self.format_usage().split()).removeprefix("usage: ").rstrip(" .")
        raise UserError(f"{message[:1].upper()}{message[1:]}.", f"It is written: {usage}.", "See --help.")


def _options_anywhere() -> argparse.ArgumentParser:
    """--json and --home may stand before or after the command."""
    parser = Parser(prog="python -m dfgui", add_help=False, allow_abbrev=False)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--home")
    return parser


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m dfgui",
        description="Fine-tune chat and tool-calling models. --json prints one JSON value, --home names the home.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    ui = commands.add_parser("ui", help="open the dashboard; python app.py does the same")
    server.add_flags(ui)
    ui.set_defaults(command=open_ui)

    train = commands.add_parser("train", help="train what a YAML file describes, to its end")
    train.add_argument("file", type=Path)
    _add_set(train)
    train.set_defaults(command=run_training)

    check = commands.add_parser("check", help="every row of a dataset, and what is wrong with it")
    _add_dataset(check)
    check.set_defaults(command=check_rows)

    preview = commands.add_parser("preview", help="one row at every stage, as the model will see it")
    _add_dataset(preview)
    preview.add_argument("--row", type=int, default=1, help="rows are numbered from 1")
    preview.set_defaults(command=show_row)

    export = commands.add_parser("export", help="bring a checkpoint home as a folder that loads")
    export.add_argument("run")
    export.add_argument("--checkpoint", type=int, required=True, metavar="STEP")
    export.add_argument("--as", choices=[*actions.KINDS, "gguf"], required=True, dest="kind")
    export.add_argument("--to", type=Path, required=True, metavar="DIR")
    export.add_argument(
        "--dtype", choices=["float32", "bfloat16", "float16", "q8_0"], help="of a gguf: float16 or q8_0"
    )
    export.set_defaults(command=export_checkpoint)

    cli_checkpoints.add(commands)
    cli_push.add(commands)
    cli_script.add(commands)
    cli_settings.add(commands)
    _add_runs(commands)
    return parser


def _add_dataset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", help="a file, demo, hf:owner/name, or the YAML file of a run")
    for flag in LOOKING:
        parser.add_argument(f"--{flag}", metavar=flag.replace("-", "_").upper())
    _add_set(parser)


def _add_set(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="overrides")


def _add_runs(commands: Any) -> None:
    runs = commands.add_parser("runs", help="history and control").add_subparsers(required=True, metavar="WHAT")
    runs.add_parser("list", help="every run, newest first").set_defaults(command=list_runs)
    show = runs.add_parser("show", help="one run with its metrics and checkpoints")
    show.add_argument("run")
    show.set_defaults(command=show_run)
    for name, help in COMMANDS.items():
        obey = runs.add_parser(name, help=f"{help}; answered when it has been done")
        obey.add_argument("run")
        obey.set_defaults(command=send_command, name=name)
        if name == "stop":
            obey.add_argument("--without-checkpoint", action="store_true", help="save nothing first")
    resume = runs.add_parser("resume", help="go on from a checkpoint, in a process of its own")
    resume.add_argument("run")
    resume.add_argument("--checkpoint", type=int, metavar="STEP", help="the last one if left out")
    resume.add_argument("--wait", action="store_true", help="answer when it has ended")
    _add_set(resume)
    resume.set_defaults(command=resume_run)
    cli_history.add(runs)


COMMANDS = {
    "stop": "save a checkpoint and stop",
    "save": "save a checkpoint now",
    "evaluate": "score the held-out rows now",
    "log": "log the metrics now",
    "end-epoch": "end this epoch at the next step",
}

# What `check` and `preview` have flags for; --set reaches every other setting.
LOOKING = {
    "model": "model.name",
    "format": "data.format",
    "max-length": "training.max_length",
    "train-on": "data.train_on",
}

Answer = tuple[int, Any, str | None]  # exit code, the JSON value, the same in words


def open_ui(asked: argparse.Namespace, where: Settings) -> Answer:
    asked.home = where.home
    return server.serve(*server.read_flags(asked)), None, None


def run_training(asked: argparse.Namespace, where: Settings) -> Answer:
    if not asked.file.is_file():
        raise UserError(f"{asked.file} is not a file.", "train reads a YAML file.", "Check the path.")
    config = _recipe(_text(asked.file), asked.overrides, asked.file.name)
    run = actions.start(where, config, executor=f"pid:{os.getpid()}")
    apart = config.run.placement != "thread"
    with forwarding(where, config.trackers):
        return _ended(run, _followed_to_its_end(run, where, launcher.run_apart if apart else launcher.run_here))


def _ended(run: str, row: dict[str, Any]) -> Answer:
    answer = {name: row[name] for name in ("status", "reason", "global_step", "train_loss", "eval_loss")}
    code = DONE if row["status"] in ("finished", "stopped") else BAD
    return code, {"run": run, **answer}, _end_in_words(row)


def resume_run(asked: argparse.Namespace, where: Settings) -> Answer:
    """Answers once the run's own process has it; it goes on without this one."""
    run, store = asked.run, Store(where.store_path)
    step = actions.resume(where, run, asked.checkpoint, asked.overrides, executor=f"pid:{os.getpid()}")
    if asked.wait:
        return _ended(run, _followed_to_its_end(run, where, launcher.run_apart))
    worker = threading.Thread(target=launcher.run_apart, args=(run, where), name="dfgui-runner", daemon=True)
    worker.start()
    mine = owner.me()
    while worker.is_alive() and (row := store.runs.get(run))["owner"] == mine:
        time.sleep(0.1)
    row = store.runs.get(run)
    answer = {"run": run, "command": "resume", "taken_at_step": step, "outcome": row["reason"] or row["status"]}
    return (BAD if row["status"] in ENDED else DONE), answer, f"{run} goes on from checkpoint {step}: {row['status']}"


def _followed_to_its_end(run: str, where: Settings, execute: Callable[[str, Settings], None]) -> dict[str, Any]:
    """Trains in a thread or a process, so that Ctrl-C and SIGTERM can ask for a stop with a checkpoint meanwhile."""
    store = Store(where.store_path)
    asked_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked_to_stop.set())
    worker = threading.Thread(target=execute, args=(run, where), name="dfgui-runner", daemon=True)
    worker.start()
    with cli_progress.telling() as tell:
        while worker.is_alive():
            worker.join(0.2)
            if asked_to_stop.is_set():
                asked_to_stop.clear()
                tell.say("Stopping with a checkpoint ...")
                with suppress(UserError):  # it has just ended
                    actions.command(where, run, "stop", by="the terminal")
            tell(cli_progress.of_run(store.runs.get(run), store, time.time()))
        tell(cli_progress.of_run(store.runs.get(run), store, time.time()))  # what its last moments changed
    store.runs.interrupt_orphans()
    return store.runs.get(run)


def _end_in_words(row: dict[str, Any]) -> str:
    """How a run ended, and what can be done about it if it failed."""
    error = row["error"] or {}
    return "\n".join([f"{row['id']}: {row['reason']}", *(error[part] for part in ("why", "do") if part in error)])


def check_rows(asked: argparse.Namespace, where: Settings) -> Answer:
    run = _looking_at(asked)
    with cli_progress.telling() as tell:
        tell(cli_progress.of_check(None))
        for report in actions.check(where, run.data, run.model, run.training.max_length):
            tell(cli_progress.of_check(report))
    return BAD if report.errors else DONE, report.to_dict(), "\n".join(findings.lines(report))


def _looking_at(asked: argparse.Namespace) -> RunConfig:
    """The run of a YAML file, or one of this dataset; flags and --set on top."""
    given = {path: getattr(asked, flag.replace("-", "_")) for flag, path in LOOKING.items()}
    overrides = [
        f"{path}={json.dumps(value, ensure_ascii=False)}" for path, value in given.items() if value is not None
    ]
    file = Path(asked.source)
    if file.suffix in (".yaml", ".yml") and file.is_file():
        return _recipe(_text(file), overrides + asked.overrides, file.name)
    return _recipe(json.dumps({"data": {"source": asked.source}}, ensure_ascii=False), overrides + asked.overrides)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except ValueError as error:
        raise UserError(f"{file.name} is not a text file.", "It is not UTF-8.", "Write it as YAML.") from error


def _recipe(text: str, overrides: list[str], file: str = "") -> RunConfig:
    """What a file asks for; names in it that are others here are told on stderr."""
    config, said = recipe.read(text, overrides, file)
    for line in said:
        print(line, file=sys.stderr)
    return config


def show_row(asked: argparse.Namespace, where: Settings) -> Answer:
    run = _looking_at(asked)
    answer = actions.preview(where, run.data, run.model, asked.row, run.training.max_length)
    return DONE, answer, answer["text"]


def export_checkpoint(asked: argparse.Namespace, where: Settings) -> Answer:
    answer = actions.export(where, asked.run, asked.checkpoint, asked.kind, asked.to, asked.dtype)
    return DONE, answer, f"{answer['path']}: {', '.join(answer['files'])}"


def list_runs(asked: argparse.Namespace, where: Settings) -> Answer:
    store = Store(where.store_path)
    store.runs.interrupt_orphans()
    names = ("name", "status", "reason", "global_step", "max_steps", "created_at")
    runs = [{"run": row["id"], **{name: row[name] for name in names}} for row in store.runs.all()]
    words = "\n".join(f"{r['run']}  {r['status']:<11}  {r['global_step']:>6}  {r['name']}" for r in runs)
    return DONE, {"runs": runs}, words or "No runs yet."


def show_run(asked: argparse.Namespace, where: Settings) -> Answer:
    store = Store(where.store_path)
    store.runs.interrupt_orphans()
    row = store.runs.get(actions.checked(asked.run))
    folder = where.run_folder(row["id"])
    checkpoints = [
        {
            **{name: saved[name] for name in ("step", "eval_loss", "best", "kept", "bytes")},
            "path": str(folder / saved["path"]),
            "complete": (folder / saved["path"]).is_dir(),
        }
        for saved in store.checkpoints.of(row["id"])
    ]
    names = ("name", "status", "reason", "error", "config", "facts", "owner", "global_step", "max_steps", "epoch")
    metrics = {name: store.metrics.points(row["id"], name) for name in store.metrics.names(row["id"])}
    answer = {"run": row["id"], **{name: row[name] for name in names}, "metrics": metrics, "checkpoints": checkpoints}
    answer["note"] = row["note"]
    last = [f"{name} {points[-1][1]}" for name, points in metrics.items()]
    steps = ", ".join(str(saved["step"]) for saved in checkpoints) or "none"
    words = f"{row['name']}: {row['status']}. {row['reason'] or ''}\n{', '.join(last)}\ncheckpoints: {steps}"
    return DONE, answer, words


def send_command(asked: argparse.Namespace, where: Settings) -> Answer:
    """Asks, and waits until the run has answered or ended."""
    store = Store(where.store_path)
    name = "stop-without-checkpoint" if getattr(asked, "without_checkpoint", False) else asked.name
    number = actions.command(where, asked.run, name, by="the command line")
    while (row := store.commands.get(number))["outcome"] is None and not _is_over(store, asked.run):
        time.sleep(0.1)
    row = store.commands.get(number)
    answer = {"run": asked.run, "command": asked.name, "taken_at_step": row["taken_at_step"], "outcome": row["outcome"]}
    return DONE, answer, f"{asked.name}: {row['outcome']}"


def _is_over(store: Store, run: str) -> bool:
    store.runs.interrupt_orphans()
    return store.runs.get(run)["status"] in ENDED


def _without_nan(value: Any) -> Any:
    """The value with every NaN and infinity as None, since JSON has neither."""
    walk: Callable[[Any], Any] = _without_nan
    if isinstance(value, dict):
        return {name: walk(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [walk(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
