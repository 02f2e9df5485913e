"""How long a run will take, by how long runs like it took on this device: the same model, method and engine.

A run of its own rows and lengths tells most; the newest of those that are alike is believed. What a run of other rows
took is scaled by how long the rows of both are.
"""

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dfgui import words
from dfgui.config import RunConfig
from dfgui.data import sources
from dfgui.errors import UserError
from dfgui.models import hardware
from dfgui.recipe import flat, parse
from dfgui.settings import Settings
from dfgui.store import Store, clock
from dfgui.training.preflight import data
from dfgui.training.preflight.note import Note

SAME = (
    "model.name",
    "model.load_in_4bit",
    "model.load_in_8bit",
    "method",
    "run.backend",
    "training.packing",
)  # without these alike, another run tells nothing
ALIKE = (  # the more of these, the more it tells
    *("data.source", "data.limit", "data.where", "training.max_length"),
    *("training.per_device_train_batch_size", "training.gradient_accumulation_steps", "training.precision"),
    *("training.gradient_checkpointing", "training.train_sampling_strategy", "adapter.r", "training.optim"),
)
STEPS = 5  # that a run must have taken to tell of its pace
NEWEST = 50  # runs of the model that are looked at


@dataclass(frozen=True)
class Pace:
    seconds: float  # that the whole run will take, evaluations and checkpoints as often as the other had them
    steps: int
    per_step: float  # seconds
    like: str  # the name of the run that took so long
    roughly: bool = False  # whether that had other rows


def pace(run: RunConfig, settings: Settings) -> Iterator[Note]:
    found = estimate(run, settings)
    if found is None:
        text = "Known a few steps after the start: no run of this model has told yet how long it takes."
        yield Note("tell", "Time", text)
    else:
        each = f"{words.counted(found.steps, 'step')} of {words.number(found.per_step, 2)} s"
        whole = words.duration(max(found.seconds, 1))
        text = f"About {whole}: {each}, as {found.like} took."
        if found.roughly:
            text = f"Roughly {whole}: {each}, going by {found.like}, which had other rows."
        yield Note("ok", "Time", text)


def estimate(run: RunConfig, settings: Settings) -> Pace | None:
    """None where no earlier run tells, or where nobody knows how many steps there will be."""
    asked = flat(run.model_dump())
    device = hardware.describe(hardware.look())
    runs = Store(settings.store_path).runs.timed(device, run.model.name, NEWEST)
    known = [(row, flat(row["config"]), per_row) for row in runs if (per_row := _seconds_per_row(row)) is not None]
    like = [one for one in known if all(one[1].get(path) == asked[path] for path in SAME)]
    if not like:
        return None
    row, config, per_row = max(like, key=lambda one: sum(one[1].get(path) == asked[path] for path in ALIKE))
    same = _same_rows(config, asked)
    steps = _steps(run, settings, row if same else None)
    if steps is None:
        return None
    roughly = not same or config.get("training.max_length") != run.training.max_length
    if roughly and not run.training.packing:  # packed sequences are as long as max_length, whatever the rows are
        per_row *= _times_as_long(run, row, settings)
    rows = run.rows_per_step(hardware.look().devices if run.run.placement == "accelerate" else 1)
    return Pace(steps * rows * per_row, steps, rows * per_row, row["name"], roughly)


def _seconds_per_row(row: dict[str, Any]) -> float | None:
    """Of a run that has ended; None where it took too few steps to tell."""
    rate = clock.rate(row, row["ended_at"])
    rows = row["facts"].get("rows_per_step")
    return 1 / (rate * rows) if rate and rows and clock.steps(row) >= STEPS else None


def _times_as_long(run: RunConfig, row: dict[str, Any], settings: Settings) -> float:
    """How many times as long as those of the other the rows of the run are, cut; 1 where that is not known."""
    own = _mean_length(run, settings)
    theirs = _mean_length_of(row, settings)
    return own / theirs if own and theirs else 1.0


def _mean_length(run: RunConfig, settings: Settings) -> float:
    lengths = data.lengths(run, settings)
    return sum(min(one, run.training.max_length) for one in lengths) / max(len(lengths), 1)


def _mean_length_of(row: dict[str, Any], settings: Settings) -> float:
    """By its first rows, if they are still here, as those of the run are; else by the tokens that it counted."""
    if not row["config"]["data"]["source"].startswith(sources.HUB):
        with suppress(UserError):
            if mean := _mean_length(parse(row["config"]), settings):
                return mean
    facts = row["facts"]
    return facts.get("total_tokens", 0) / max(facts.get("train_rows", 0), 1)


def _same_rows(config: dict[str, Any], asked: dict[str, Any]) -> bool:
    return all(config.get(path) == asked[path] for path in asked if path.startswith("data."))


def _steps(run: RunConfig, settings: Settings, same: dict[str, Any] | None) -> int | None:
    """How many the run will have; `same`: an earlier run of the same rows."""
    training = run.training
    if training.max_steps > 0:
        return training.max_steps
    rows = same["facts"].get("train_rows") if same else data.counted(run, settings)
    if rows is None or training.packing:  # how many sequences become of the rows, only their tokens tell
        return None
    each = run.rows_per_step(hardware.look().devices if run.run.placement == "accelerate" else 1)
    return max(math.ceil(training.num_train_epochs * math.ceil(rows / each)), 1)
