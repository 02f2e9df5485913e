"""TrainerState as the trainer keeps it, name by name, each with what it means; and the pace, which is ours to count."""

from pathlib import PurePath
from typing import Any

from dfgui import words
from dfgui.store import clock
from dfgui.views import progress

MEANINGS = {  # in the order shown
    "global_step": "Updates of the weights so far.",
    "epoch": "How often each row has been seen.",
    "max_steps": "Updates in all.",
    "num_train_epochs": "Epochs planned; where max_steps decides, rounded up from it.",
    "log_history": "Entries the trainer has logged: training, evaluations, the summary.",
    "best_metric": "The lowest eval_loss so far.",
    "best_model_checkpoint": "The checkpoint saved where it was lowest.",
    "is_world_process_zero": "Whether the one that tells this is the first of the run's processes.",
    "total_flos": "Floating point operations so far, as the trainer estimates them at each log.",
}
PACE = {
    "tokens_per_second": "Counted by dfgui, since this part of the run began.",
    "rows_per_second": "Counted by dfgui: steps per second, times the rows of a step.",
}


def rows(run: dict[str, Any], now: float, tokens: float | None) -> list[list[str]]:
    """[name, value, meaning] of each field. `tokens`: in each step."""
    state = (run["state"] or {}) | {"global_step": run["global_step"], "epoch": run["epoch"]}
    told = [[name, _value(name, state.get(name)), meaning] for name, meaning in MEANINGS.items()]
    pace = clock.rate(run, now)
    speeds = (tokens, run["facts"].get("rows_per_step"))
    return told + [
        [name, _pace(progress.per_second(pace, each)), meaning]
        for (name, meaning), each in zip(PACE.items(), speeds, strict=True)
    ]


def _value(name: str, value: Any) -> str:
    if value is None:
        return words.NOTHING
    if name == "best_model_checkpoint":
        return PurePath(value).name
    if isinstance(value, bool):
        return str(value)
    if name == "total_flos":
        return words.number(value)
    return words.whole(value) if isinstance(value, int) else f"{value:.4g}"


def _pace(value: float | None) -> str:
    return words.NOTHING if value is None else words.number(value)
