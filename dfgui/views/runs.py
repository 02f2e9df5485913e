"""The Runs page's table: one row for each run, everything in words."""

from typing import Any

from dfgui.store.runs import ENDED
from dfgui.views import monitor, progress, words


def row(run: dict[str, Any], loss: float | None, evals: list[list[Any]]) -> dict[str, Any]:
    """`loss` is the last training loss; `evals` the points [[step, eval_loss], ...]."""
    config = run["config"]
    known = [value for _, value in evals if value is not None]
    took = progress.trained_seconds(run, run["ended_at"]) if run["ended_at"] else None
    return {
        "run": run["id"],
        "name": run["name"],
        "state": run["status"],
        "status": words.STATUS[run["status"]],
        "reason": run["reason"] or "",
        "steps": f"{words.whole(run['global_step'])} / {words.whole(run['max_steps'])}" if run["max_steps"] else "",
        "loss": "" if loss is None else words.number(loss),
        "eval": words.number(known[-1]) if known else "",
        "best": monitor.best(evals),
        "model": short_name(config["model"]["name"]),
        "data": short_name(config["data"]["source"]),
        "method": {"lora": "LoRA", "full": "full"}.get(config["method"], config["method"]),
        "took": words.duration(took) if run["status"] in ENDED and took is not None else "",
        "took_exact": words.clock(took) if took is not None else "",
        "when": words.moment(run["created_at"])[:16],
    }


def short_name(source: str) -> str:
    """What tells a model or dataset apart: "Qwen3-0.6B" of "Qwen/Qwen3-0.6B", "rows.jsonl" of "/data/rows.jsonl"."""
    return source.removeprefix("hf:").rstrip("/").rsplit("/", 1)[-1]
