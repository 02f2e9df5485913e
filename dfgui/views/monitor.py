"""What the Monitor page says about one run, section by section; each is small, and sent only when it changed."""

from pathlib import PurePath
from typing import Any

from dfgui import words
from dfgui.config import EarlyStopping
from dfgui.models import fastest
from dfgui.store import clock
from dfgui.store.runs import ACTIVE, ENDED
from dfgui.views import progress

MOST_CHECKPOINTS = 100  # that the table shows; a run may save thousands
WATCHED = {
    "eval_loss": "held-out loss",
    "eval_mean_token_accuracy": "share guessed right of what was held out",
    "eval_entropy": "held-out entropy",
}
EVALUATING = "evaluating"
ENDINGS = {"finished": "Finished.", "stopped": "", "failed": "Failed.", "interrupted": ""}


def head(run: dict[str, Any], now: float, queue_place: int, tokens: float | None) -> dict[str, Any]:
    """Name, status and how far it is. `queue_place`: 1 is next; `tokens`: in each step, for the tokens per second."""
    left = progress.seconds_left(run, now)
    pace = clock.rate(run, now)
    took = progress.took(run) if run["status"] in ENDED else None
    return {
        "run": run["id"],
        "name": run["name"],
        "state": run["status"],
        "status": words.STATUS[run["status"]],
        "step": run["global_step"],
        "steps": f"{words.whole(run['global_step'])} / {words.whole(run['max_steps'])}" if run["max_steps"] else "",
        "share": round(run["global_step"] / run["max_steps"], 4) if run["max_steps"] else 0,
        "epoch": _epoch(run),
        "pace": progress.pace(pace),
        "left": progress.left(run, now),
        "left_exact": "" if left is None else words.clock(left),
        "took": "" if took is None else words.duration(took),
        "took_exact": "" if took is None else words.clock(took),
        "tokens": _short(progress.per_second(pace, tokens)),
        "doing": _doing(run, queue_place),
        "doing_share": _doing_share(run),
    }


def ending(run: dict[str, Any], checkpoints: list[dict[str, Any]]) -> dict[str, Any] | None:
    """How a run ended and what can be done next; None while it goes on.

    `mend`: whether settings are known that would mend it; `longer`: the steps to train longer from, the best first.
    """
    if run["status"] not in ENDED:
        return None
    error = run["error"] or {}
    return {
        "title": ENDINGS[run["status"]],
        "what": error.get("what") or run["reason"] or words.STATUS[run["status"]],
        "why": error.get("why", ""),
        "do": error.get("do", ""),
        "details": error.get("details", ""),
        "next": bool(checkpoints),
        "mend": bool(error.get("changes")),
        "longer": longer_from(
            next((row["step"] for row in checkpoints if row["best"]), None),
            checkpoints[-1]["step"] if checkpoints else None,
        ),
        "when": words.moment(run["ended_at"]),
    }


def longer_from(best: int | None, last: int | None) -> list[int]:
    """The checkpoints from whose weights a new run would begin: the best one, where one is known, and the last."""
    return list(dict.fromkeys(step for step in (best, last) if step is not None))


def checkpoints(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The checkpoints, newest first: at most MOST_CHECKPOINTS, and the best and the kept ones wherever they are."""
    newest = enumerate(rows[::-1])
    shown = [row for place, row in newest if place < MOST_CHECKPOINTS or row["best"] or row["kept"]]
    return [
        {
            "step": row["step"],
            "size": words.size(row["bytes"]),
            "eval": "" if row["eval_loss"] is None else words.number(row["eval_loss"]),
            "best": bool(row["best"]),
            "kept": bool(row["kept"]),
            "when": words.moment(row["created_at"]),
        }
        for row in shown
    ]


def best(rows: list[list[Any]], greater: bool = False) -> str:
    """The lowest of the points [[step, value], ...], or the greatest: "0.71 at 200"; "" before the first."""
    sign = -1 if greater else 1
    known = [(sign * value, step) for step, value in rows if value is not None]
    if not known:
        return ""
    value, step = min(known)
    return f"{words.number(sign * value)} at {words.whole(step)}"


def best_of(watched: EarlyStopping, buckets: list[list[Any]]) -> str:
    """By the metric that the run watches: "best held-out loss 0.71 at 200"; "" before the first evaluation.

    `buckets`: [last step, lowest, highest, ...] of that metric.
    """
    found = best([[bucket[0], bucket[2] if watched.greater else bucket[1]] for bucket in buckets], watched.greater)
    return f"best {WATCHED[watched.metric]} {found}" if found else ""


def events(rows: list[dict[str, Any]]) -> list[list[Any]]:
    """The log's lines as [id, when, kind, text, step]."""
    return [[row["id"], words.moment(row["time"])[11:], row["kind"], row["text"], row["step"]] for row in rows]


def asked_for(run: dict[str, Any]) -> list[Any]:
    """The log's first line, before anything else has happened."""
    return [0, words.moment(run["created_at"])[11:], "phase", "Put in the queue.", None]


def about(run: dict[str, Any]) -> list[list[str]]:
    """The settings and what the run found, as [name, value]; blocks are written out: training.learning_rate."""
    found = [[title, _fact(name, run["facts"][name])] for name, title in FACTS.items() if name in run["facts"]]
    times = [["Created", words.moment(run["created_at"])], ["Started", words.moment(run["started_at"])]]
    tracked = [[f"Tracked in {name}", words] for name, words in run["facts"].get("tracked", {}).items()]
    where = [*_runs_in(run["facts"]), *tracked, *_commit(run["facts"]), *_chosen(run["facts"])]
    return [["Run", run["id"]], *times, *_foreseen(run), *where, *found, *_settings(run["config"])]


def _foreseen(run: dict[str, Any]) -> list[list[str]]:
    """What was estimated before the start beside what was measured: memory and time."""
    facts, lines = run["facts"], []
    estimated, measured = facts.get("memory_estimate") or {}, facts.get("memory_peak") or {}
    on_gpu = "allocated" in measured  # what torch holds for tensors is no tensor's
    if estimated or measured:
        told = [f"{words.size(estimated['allocated' if on_gpu else 'total'])} estimated"] if estimated else []
        told += [f"{words.size(measured.get('allocated', measured.get('resident')))} at its peak"] if measured else []
        lines.append(["Memory", ", ".join(told)])
    expected = facts.get("time_estimate")
    taken = progress.took(run) if run["status"] in ENDED else None
    if expected:
        told = [f"{words.duration(expected)} estimated"]
        told += [f"{words.duration(taken)} taken"] if taken is not None else []
        lines.append(["Time", ", ".join(told)])
    return lines


def _commit(facts: dict[str, Any]) -> list[list[str]]:
    """Of a model of the Hub, what its files were: model.revision makes a later run begin from the same."""
    folder = PurePath(facts.get("base", ""))
    return [["Model's commit (model.revision)", folder.name]] if folder.parent.name == "snapshots" else []


def _runs_in(facts: dict[str, Any]) -> list[list[str]]:
    """Which process executes it, and why there."""
    if not facts.get("runs_in"):
        return []
    why = facts.get("runs_there_because")
    return [["Runs in", f"{facts['runs_in']}. {why}" if why else facts["runs_in"]]]


def _chosen(facts: dict[str, Any]) -> list[list[str]]:
    """What the settings left open, what it came to, and why."""
    chosen, why = facts.get("chosen", {}), facts.get("chosen_because", {})
    choices = [fastest.Choice(path, value, why.get(path, "")) for path, value in chosen.items()]
    return [[fastest.TITLES.get(one.path, one.path), fastest.value_in_words(one)] for one in choices]


FACTS = {
    "engine": "Engine",
    "device": "Device",
    "precision": "Precision",
    "dtype": "Weights held in",
    "rows": "Rows",
    "train_rows": "Rows trained on",
    "eval_rows": "Rows held out",
    "total_tokens": "Tokens",
    "trained_tokens": "Tokens learned",
    "longest": "Longest row, in tokens",
    "cut_rows": "Rows cut by max_length",
    "left_out": "Rows left out",
    "chat_template": "Chat template",
    "trainable_parameters": "Parameters trained",
    "parameters": "Parameters in all",
    "callbacks": "Own callbacks",
}


def _fact(name: str, value: Any) -> str:
    if name == "callbacks":
        return "; ".join(f"{one['use']} hears {', '.join(one['events']) or 'nothing'}" for one in value)
    return words.whole(value) if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _settings(config: dict[str, Any], before: str = "") -> list[list[str]]:
    rows = []
    for name, value in config.items():
        if isinstance(value, dict):
            rows += _settings(value, f"{before}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for number, inner in enumerate(value):
                rows += _settings(inner, f"{before}{name}.{number}.")
        elif value not in (None, ""):
            rows.append([f"{before}{name}", ", ".join(map(str, value)) if isinstance(value, list) else str(value)])
    return rows


def _short(count: float | None) -> str:
    return "" if count is None else words.short(round(count))


def _epoch(run: dict[str, Any]) -> str:
    if run["epoch"] is None:
        return ""
    counted = run["config"]["training"]["max_steps"] > 0  # then the steps decide when it ends
    total = None if counted else run["num_train_epochs"]
    return f"epoch {run['epoch']:.1f} of {total:g}" if total and run["epoch"] <= total else f"epoch {run['epoch']:.1f}"


def _doing(run: dict[str, Any], queue_place: int) -> str:
    """What it does while no step shows: its place in the queue, or the phase before the first step."""
    if run["status"] == "queued":
        place = "Next in the queue" if queue_place <= 1 else f"{words.ordinal(queue_place)} in the queue"
        return f"{place}{_going_on(run)}."
    if run["status"] == "stopping":
        return "Stopping: the step under way still ends." if run["first_step_at"] else "Stopping."
    if run["status"] in ACTIVE and run["first_step_at"] is None:
        doing = progress.phase(run) or "starting"
        return doing[0].upper() + doing[1:]
    if run["status"] in ACTIVE and run["phase"] == EVALUATING:
        return f"{progress.phase(run).capitalize()}."
    return ""


def _going_on(run: dict[str, Any]) -> str:
    return "" if run["resume_step"] is None else f", to go on from checkpoint {words.whole(run['resume_step'])}"


def _doing_share(run: dict[str, Any]) -> float | None:
    before = run["first_step_at"] is None or run["phase"] == EVALUATING
    if run["status"] in ACTIVE and before and run["phase_total"]:
        return round((run["phase_done"] or 0) / run["phase_total"], 3)
    return None
