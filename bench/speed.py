"""How many rows a second a LoRA run trains by the settings that decide it, taking turns in one go.

    python bench/speed.py                                        the demo's rows and model, 3 rounds
    python bench/speed.py --rows alpaca.json --limit 400 --rounds 5 --json speed.json

Each is `python -m dfgui train` as a whole process: one epoch, nothing evaluated, nothing saved before the end. The time
goes from the end of the first step to the end of the run, and counts the dataset's rows, however they were padded or
packed. The first is what TRL does where nothing is said; the next ones change one thing more each. Then comes a run
that says nothing of all this, and packing, which stands for itself: it makes steps of more rows. Rounds go through all
of them, so that a noisy neighbour disturbs each alike.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

from dfgui import settings  # noqa: E402
from dfgui.store import Store  # noqa: E402

SHUFFLED = {"training.train_sampling_strategy": "random"}
BY_LENGTH = {"training.train_sampling_strategy": "group_by_length"}
NO_CHECKPOINTING = {"training.gradient_checkpointing": "false"}
WAYS: dict[str, dict[str, str]] = {
    "TRL's defaults": {"training.gradient_checkpointing": "true", **SHUFFLED},
    "without checkpointing": {**NO_CHECKPOINTING, **SHUFFLED},
    "and by length": {**NO_CHECKPOINTING, **BY_LENGTH},
    "and two loader processes": {**NO_CHECKPOINTING, **BY_LENGTH, "training.dataloader_num_workers": "2"},
    "left to dfgui": {},
    "packed": {**NO_CHECKPOINTING, "training.packing": "true"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="demo")
    parser.add_argument("--rows", default="demo", help="a dataset as data.source takes it")
    parser.add_argument("--limit", type=int, default=200, help="rows of it")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--max-length", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3, help="after one that is not counted")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rounds = [
            {way: rows_a_second(asked, changes, Path(folder)) for way, changes in WAYS.items()}
            for _ in range(asked.rounds + 1)
        ][1:]
    found = {way: [one[way] for one in rounds] for way in WAYS}
    report(found)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))


def rows_a_second(asked: argparse.Namespace, changes: dict[str, str], home: Path) -> float:
    fixed = {
        "model.name": asked.model,
        "data.source": asked.rows,
        "data.limit": asked.limit,
        "data.eval_fraction": 0,
        "training.num_train_epochs": 1,
        "training.max_length": asked.max_length,
        "training.per_device_train_batch_size": asked.batch,
        "training.gradient_accumulation_steps": 1,
        "training.logging_steps": 1,
        "training.save_steps": 100_000,
    }
    recipe = home / "run.yaml"
    recipe.write_text("{}")
    overrides = [part for name, value in (fixed | changes).items() for part in ("--set", f"{name}={value}")]
    command = [sys.executable, "-m", "dfgui", "train", str(recipe), *overrides, "--home", str(home), "--json"]
    answer = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=1800)
    assert answer.returncode == 0, answer.stdout + answer.stderr[-2000:]
    return pace(Store(settings.load(home=home).store_path).runs.get(json.loads(answer.stdout)["run"]))


def pace(run: dict[str, Any]) -> float:
    """Rows of the dataset in a second, the first step left out."""
    share = (run["global_step"] - 1) / run["global_step"]
    return run["facts"]["train_rows"] * share / (run["ended_at"] - run["first_step_at"])


def report(found: dict[str, list[float]]) -> None:
    first = statistics.median(next(iter(found.values())))
    print(f"{'':24}rows/s (median)   lowest   highest   beside the first")
    for way, each in found.items():
        middle = statistics.median(each)
        print(f"{way:24}{middle:15.1f}{min(each):9.1f}{max(each):10.1f}{middle / first:15.2f} x")


if __name__ == "__main__":
    main()
