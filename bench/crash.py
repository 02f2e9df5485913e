"""Kills runs, and the app, at random points of every phase; and asks after each kill whether anything was lost.

    python bench/crash.py --kills 50

A run of a tiny model, with dropout, two batches to a step, rows shuffled, three epochs, evaluations and checkpoints in
between. It is killed (SIGKILL) while it prepares, in a step, in an evaluation, while a checkpoint is written, or while
an adapter is merged; in a thread of an app, or in a process of its own. What must hold after each kill:

    store         SQLite finds nothing wrong with it
    metrics       no point is missing that a witness had seen logged more than 0.2 s before
    checkpoints   every one that is offered is whole
    resume        from the last of them the run goes to its end, and its curve is that of a run never interrupted

Prints a table, and each kill as a line of JSON with --json FILE. Exit 1 when anything was lost.
"""

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

from dfgui import actions, recipe, settings  # noqa: E402
from dfgui.artifacts import checkpoints  # noqa: E402
from dfgui.errors import UserError  # noqa: E402
from dfgui.models import headers  # noqa: E402
from dfgui.store import Store  # noqa: E402
from dfgui.training import apart  # noqa: E402

PHASES = ("preparing", "step", "evaluating", "saving", "merging")
SEEN_SECONDS = 0.2  # what was logged longer ago than this must be in the store
LIMIT_SECONDS = 180
STEPS = 15
APP = [sys.executable, str(PROJECT / "app.py"), "--no-browser"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where each kill goes, as a line")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = matrix(Path(folder), asked.kills, asked.seed, lambda line: print(line, file=sys.stderr, flush=True))
    if asked.json:
        asked.json.write_text("".join(json.dumps(one) + "\n" for one in found), encoding="utf-8")
    return report(found)


def matrix(folder: Path, kills: int, seed: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """`kills` kills over both placements, both methods and every phase: [{placement, method, phase, lost: [...]}]."""
    draw = random.Random(seed)
    bench = Bench(folder)
    found = []
    for number in range(kills):
        placement, method = ("process", "thread")[number % 2], ("lora", "full")[number // 2 % 2]
        phase = PHASES[number % len(PHASES)]
        lost = bench.kill(placement, method, phase, draw)
        found.append({"placement": placement, "method": method, "phase": phase, "lost": lost})
        say(f"{number + 1:>3} {placement:<8} {method:<5} {phase:<11} {'; '.join(lost) or 'nothing lost'}")
    return found


def report(found: list[dict[str, Any]]) -> int:
    tried, bad = Counter(), Counter()
    for one in found:
        tried[one["placement"], one["phase"]] += 1
        bad[one["placement"], one["phase"]] += bool(one["lost"])
    print(f"{'placement':<10}{'phase':<13}{'kills':>6}{'with a loss':>13}")
    for key in sorted(tried):
        print(f"{key[0]:<10}{key[1]:<13}{tried[key]:>6}{bad[key]:>13}")
    print(f"{len(found)} kills, {sum(bad.values())} with a loss")
    return 1 if sum(bad.values()) else 0


class Bench:
    """A home with a tiny model, rows, and for each method the curve of a run that nobody interrupted."""

    def __init__(self, folder: Path):
        from tests.tiny import tiny_folder

        self.folder = folder
        self.where = settings.load(home=folder / "home", jailed=False)
        self.store = Store(self.where.store_path)
        self.model = tiny_folder(folder / "model")
        self.rows = folder / "rows.jsonl"
        self.rows.write_text("".join(json.dumps(row(number)) + "\n" for number in range(40)), encoding="utf-8")
        self.curves: dict[str, Any] = {}

    def kill(self, placement: str, method: str, phase: str, draw: random.Random) -> list[str]:
        """One kill, and what it has cost, in words."""
        if phase == "merging":
            return self.kill_a_merge(method, draw)
        whole = self.whole(method)
        witness = self.folder / f"witness-{draw.getrandbits(40)}.jsonl"
        run = actions.start(self.where, self.config(placement, method, witness), executor="app")
        app = self.app()
        try:
            self.wait_for(phase, run, witness, draw)
            killed = self.victim(run, app, placement)
            at = time.time()
            os.kill(killed, signal.SIGKILL)
        finally:
            end(app, signal.SIGKILL)
        if placement == "process":
            with suppress(ProcessLookupError):  # an app that is killed takes no process of a run along
                os.kill(killed, signal.SIGKILL)
        self.until(lambda: self.store.runs.interrupt_orphans() or self.store.runs.get(run)["ended_at"])
        return [*self.damage(), *self.missing(run, witness, at), *self.torn(run), *self.resumed(run, whole)]

    def whole(self, method: str) -> Any:
        if method not in self.curves:
            run = self.train(self.config("process", method, self.folder / f"whole-{method}.jsonl"))
            assert self.store.runs.get(run)["status"] == "finished", self.store.runs.get(run)["error"]
            self.curves[method] = run, self.store.metrics.points(run, "loss")
        return self.curves[method][1]

    def train(self, config: dict[str, Any]) -> str:
        run = actions.start(self.where, config, executor="bench")
        apart.start(run, recipe.parse(config), self.where, "bench").wait(LIMIT_SECONDS)
        return run

    def config(self, placement: str, method: str, witness: Path) -> dict[str, Any]:
        return {
            "model": {"name": str(self.model)},
            "data": {"source": str(self.rows), "eval_fraction": 0.2},
            "method": method,
            "adapter": {"r": 4, "lora_alpha": 8, "lora_dropout": 0.1},
            "training": {
                "max_steps": STEPS,
                "per_device_train_batch_size": 3,
                "gradient_accumulation_steps": 2,
                "logging_steps": 1,
                "save_steps": 3,
                "eval_steps": 4,
                "learning_rate": 1e-2,
                "max_length": 128,
                "gradient_checkpointing": False,
            },
            "callbacks": [{"use": "bench.witness:Witness", "args": {"path": str(witness)}}],
            "run": {"placement": placement},
        }

    def app(self) -> subprocess.Popen:
        """The app, which takes the run out of the queue."""
        command = [*APP, "--home", str(self.where.home)]
        env = {**os.environ, "PYTHONPATH": str(PROJECT)}
        return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def victim(self, run: str, app: subprocess.Popen, placement: str) -> int:
        owner = self.store.runs.get(run)["owner"]
        return owner["pid"] if placement == "process" and owner else app.pid

    def wait_for(self, phase: str, run: str, witness: Path, draw: random.Random) -> None:
        """Until the run is in the phase, at a point of it that is drawn."""
        if phase == "preparing":
            self.until(lambda: self.store.runs.get(run)["status"] == "preparing")
            time.sleep(draw.uniform(0, 4))
        elif phase == "saving":
            step = draw.choice(range(3, STEPS, 3))
            folder = self.where.run_folder(run) / f"checkpoint-{step}"
            files = draw.randint(1, 10)
            self.until(lambda: folder.is_dir() and sum(1 for _ in folder.iterdir()) >= files, pause=0)
        else:
            step = draw.choice((4, 8, 12)) if phase == "evaluating" else draw.randint(2, STEPS - 1)
            self.until(lambda: any(seen["what"] == phase and seen["step"] >= step for seen in seen_by(witness)), 0.001)
            time.sleep(draw.uniform(0, 0.05))

    def damage(self) -> list[str]:
        with closing(sqlite3.connect(self.where.store_path)) as db:
            said = db.execute("PRAGMA integrity_check").fetchone()[0]
        return [] if said == "ok" else [f"the store is damaged: {said}"]

    def missing(self, run: str, witness: Path, at: float) -> list[str]:
        known = {step for step, _ in self.store.metrics.points(run, "loss")}
        logged = {
            seen["step"] for seen in seen_by(witness) if seen["what"] == "log" and seen["time"] < at - SEEN_SECONDS
        }
        return [f"points of steps {sorted(logged - known)} are missing"] if logged - known else []

    def torn(self, run: str) -> list[str]:
        folder = self.where.run_folder(run)
        offered = [checkpoints.describe(folder / row["path"]) for row in self.store.checkpoints.of(run)]
        return [f"checkpoint {one.step} is offered: {one.problem}" for one in offered if not one.complete]

    def resumed(self, run: str, whole: list[list[Any]]) -> list[str]:
        if self.store.runs.get(run)["status"] == "finished":
            return []
        if not self.store.checkpoints.of(run):
            return []  # there is nothing to go on from
        try:
            actions.resume(self.where, run, executor="bench")
        except UserError as error:
            return [f"it cannot be resumed: {error}"]
        config = recipe.parse(self.store.runs.get(run)["config"])
        apart.start(run, config, self.where, "bench").wait(LIMIT_SECONDS)
        row = self.store.runs.get(run)
        if row["status"] != "finished":
            return [f"resumed, it is {row['status']}: {row['reason']}"]
        return [] if self.store.metrics.points(run, "loss") == whole else ["resumed, its curve is another"]

    def kill_a_merge(self, method: str, draw: random.Random) -> list[str]:
        """A merge that is killed leaves no folder that looks like a model; the next one works."""
        self.whole(method)
        run, out = self.curves[method][0], self.folder / f"merged-{draw.getrandbits(40)}"
        command = [sys.executable, "-m", "dfgui", "export", run, "--checkpoint", str(STEPS), "--as", "merged"]
        command += ["--to", str(out), "--home", str(self.where.home)]
        merge = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(draw.uniform(1, 8))
        end(merge, signal.SIGKILL)
        lost = []
        if out.exists() and not is_model(out):
            lost.append("half a merged model was left")
        again = self.folder / f"{out.name}-again"
        subprocess.run([*command[:-3], str(again), *command[-2:]], cwd=PROJECT, capture_output=True, check=True)
        return lost + self.damage()

    def until(self, true: Callable[[], Any], pause: float = 0.02) -> None:
        deadline = time.monotonic() + LIMIT_SECONDS
        while not true():
            if time.monotonic() > deadline:
                raise TimeoutError("the run did not come so far")
            time.sleep(pause)


def seen_by(witness: Path) -> list[dict[str, Any]]:
    """What the witness has written down; a line that was cut short is left out."""
    seen = []
    for line in witness.read_text(encoding="utf-8").splitlines() if witness.exists() else []:
        with suppress(ValueError):
            seen.append(json.loads(line))
    return seen


def is_model(folder: Path) -> bool:
    """Whether what a merge has left is whole."""
    weights = list(folder.glob("*.safetensors"))
    return (folder / "config.json").is_file() and bool(weights) and all(map(headers.is_whole, weights))


def end(process: subprocess.Popen, number: int) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(number)
    process.wait(30)


def row(number: int) -> dict[str, Any]:
    city = ("Oslo", "Rome", "Lima", "Cairo", "Paris")[number % 5]
    return {
        "messages": [
            {"role": "user", "content": f"Weather in {city} in {number} days?"},
            {"role": "assistant", "content": f"{number} degrees in {city}."},
        ]
    }


if __name__ == "__main__":
    raise SystemExit(main())
