"""How far a run is, and how long it still takes: from its row in the store and its clock (store/clock.py)."""

from typing import Any

from dfgui import words
from dfgui.store import clock
from dfgui.store.runs import ACTIVE

PHASES = {  # phase as the trainer writes it -> what is counted, by phase_unit
    "bytes": lambda done, total: f"{words.size(done)} of {words.size(total)}",
    "rows": lambda done, total: f"{words.short(done)} of {words.short(total)} rows",
    "batches": lambda done, total: f"{words.whole(done)} of {words.whole(total)} batches",
}


Counted = tuple[int, float | None]

DOING = {"loading": "loading the model", "first step": "working on the first step"}  # where one word says too little


def took(run: dict[str, Any]) -> float | None:
    """Seconds that a run which has ended trained, in all its parts; None where it never took a step."""
    seconds = run["seconds_before"] + (clock.seconds(run, run["ended_at"]) or 0.0)
    return seconds if run["first_step_at"] is not None or seconds else None


def per_second(steps_per_second: float | None, each_step: float | None) -> float | None:
    """Tokens or rows in a second, of which a step trains `each_step`; None while nobody can know."""
    return steps_per_second * each_step if steps_per_second and each_step else None


def tokens_per_step(newest: Counted | None, before: Counted | None) -> float | None:
    """From `num_tokens` as it was logged last, and as it stood where this part began: (step, tokens), or None."""
    if newest is None or newest[1] is None:
        return None
    step, tokens = before or (0, 0.0)
    gained = newest[1] - (tokens or 0.0)
    if gained < 0:  # a checkpoint of before they were remembered: counted from nothing again
        gained = newest[1]
    return gained / (newest[0] - step) if newest[0] > step else None


def seconds_left(run: dict[str, Any], now: float) -> float | None:
    """Seconds until max_steps at the pace so far; None while nobody can know, or where it will not come to them."""
    pace = clock.rate(run, now)
    if pace is None or not run["max_steps"] or run["status"] not in ACTIVE or run["status"] == "stopping":
        return None
    return max(run["max_steps"] - run["global_step"], 0) / pace


def left(run: dict[str, Any], now: float) -> str:
    """ "6 min left"; "finishing" while the last step is evaluated and saved; "" while nobody can know."""
    seconds = seconds_left(run, now)
    if seconds is None:
        return ""
    return f"{words.duration(seconds)} left" if run["global_step"] < run["max_steps"] else "finishing"


def pace(steps_per_second: float | None) -> str:
    """The pace in the unit that gives a number one can read: "3.1 steps/s" or "4.2 s/step"."""
    if steps_per_second is None:
        return ""
    if steps_per_second >= 1:
        return f"{words.number(steps_per_second, 2)} steps/s"
    return f"{words.number(1 / steps_per_second, 2)} s/step"


def phase(run: dict[str, Any]) -> str:
    """What a run does before its first step: "downloading 3.1 GB of 8.0 GB"; "" when it says nothing."""
    if not run["phase"]:
        return ""
    if run["phase_done"] is None or not run["phase_total"]:
        return DOING.get(run["phase"], run["phase"])
    counted = PHASES.get(run["phase_unit"], lambda done, total: f"{words.whole(done)} of {words.whole(total)}")
    return f"{run['phase']} {counted(run['phase_done'], run['phase_total'])}"


def chip(run: dict[str, Any] | None, loss: float | None, now: float) -> dict[str, Any] | None:
    """What the frame shows on every page: the live run, or the one that was interrupted."""
    if run is None:
        return None
    if run["status"] == "queued" or not (run["max_steps"] or run["status"] in ACTIVE):
        detail = ""
    elif run["status"] in ACTIVE and run["first_step_at"] is None:
        detail = phase(run) or "starting"
    else:
        detail = f"step {words.whole(run['global_step'])} / {words.whole(run['max_steps'])}"
    return {
        "run": run["id"],
        "name": run["name"],
        "status": words.STATUS[run["status"]],
        "detail": detail,
        "loss": "" if loss is None else f"loss {words.number(loss)}",
        "left": left(run, now),
        "share": round(run["global_step"] / run["max_steps"], 3) if run["max_steps"] else 0,
    }
