"""The Runs page's table: one row for each run, everything in words, and the numbers it is sorted by."""

from dataclasses import dataclass
from typing import Any

from dfgui import words
from dfgui.config import EARLIER
from dfgui.store.runs import ENDED
from dfgui.views import monitor, progress


@dataclass(frozen=True)
class Measured:
    """What was measured of a run: its last training loss, its held-out losses [[step, value], ...], its curve."""

    loss: float | None = None
    evals: tuple[tuple[int, float | None], ...] = ()
    spark: str = ""


def row(
    run: dict[str, Any],
    found: Measured,
    kept: dict[str, Any] | None = None,
    size: int = 0,
    names: dict[str, str] | None = None,
) -> dict[str, Any]:
    """`kept`: {count, kept, last, best} of its checkpoints; `size`: bytes on disk; `names` of runs, by id."""
    config = run["config"]
    known = [value for _, value in found.evals if value is not None]
    took = progress.took(run) if run["status"] in ENDED else None
    kept = kept or {"count": 0, "kept": 0, "last": None, "best": None}
    return {
        "run": run["id"],
        "name": run["name"],
        "note": run.get("note") or "",
        "state": run["status"],
        "status": words.STATUS[run["status"]],
        "reason": run["reason"] or "",
        "ended": run["status"] in ENDED,
        "steps": steps(run),
        "spark": found.spark,
        "loss": "" if found.loss is None else words.number(found.loss),
        "eval": words.number(known[-1]) if known else "",
        "best": monitor.best([list(point) for point in found.evals]),
        "model": model_name(config["model"]["name"], names or {}),
        "data": short_name(config["data"]["source"]),
        "method": {"lora": "LoRA", "full": "full"}.get(config["method"], config["method"]),
        "took": words.duration(took) if took is not None else "",
        "took_exact": words.clock(took) if took is not None else "",
        "size": words.size(size) if size else "",
        "checkpoints": kept["count"],
        "kept": kept["kept"],
        "longer": monitor.longer_from(kept["best"], kept["last"]),
        "when": words.moment(run["created_at"])[:16],
        "numbers": {
            "steps": run["global_step"],
            "loss": found.loss,
            "eval": known[-1] if known else None,
            "best": min(known, default=None),
            "took": None if took is None else round(took),
            "size": size,
            "when": run["created_at"],
        },
    }


def steps(run: dict[str, Any]) -> str:
    """ "240 / 600"; "" before it is known how many there will be."""
    return f"{words.whole(run['global_step'])} / {words.whole(run['max_steps'])}" if run["max_steps"] else ""


def model_name(name: str, names: dict[str, str]) -> str:
    """As short_name; a model that an earlier run made is called after that run: "weather-lora at 60"."""
    earlier = EARLIER.fullmatch(name)
    if earlier is None:
        return short_name(name)
    called = names.get(earlier["run"], "a deleted run")
    return f"{called} at {words.whole(int(earlier['step']))}" if earlier["step"] else called


def short_name(source: str) -> str:
    """What tells a model or dataset apart: "Qwen3-0.6B" of "Qwen/Qwen3-0.6B", "rows.jsonl" of "/data/rows.jsonl"."""
    return source.removeprefix("hf:").rstrip("/").rsplit("/", 1)[-1]


def in_all(count: int, taken: int, free: int) -> str:
    """ "12 runs, 3.1 GB on disk, 210 GB free"."""
    return f"{words.counted(count, 'run')}, {words.size(taken)} on disk, {words.size(free)} free"
