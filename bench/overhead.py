"""What training costs more in the app than in a plain TRL script, and what our callbacks cost the trainer's thread.

    python bench/overhead.py                                      10 pairs of 40 steps, batch 8
    python bench/overhead.py --pairs 3 --steps 12 --batch 2 --json overhead.json

The same run twice, in whole processes that take turns: by `python app.py` with its Monitor page open in a headless
Chromium, and by a script that knows no dfgui. Both have the same model, the same tokens and the same SFTConfig, and log
each step; the time goes from the end of the first step to the log of the last. One pair goes first and is not counted.
Then the same run once more with our callbacks' methods wrapped: the thread's own time in them as a share of the step,
and how long the trainer waits for one log, which bench/writing.py asks of thousands. On a machine that is shared the
median says more of its neighbours than of us; what disturbs only makes slower, so the quickest run of each is told as
well. Targets: a ratio of 1.01, a share of 1 %, 20 us.
"""

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from dfgui import actions, settings  # noqa: E402
from dfgui.store import Store  # noqa: E402
from dfgui.store.runs import ENDED  # noqa: E402
from tests.chromium import launched  # noqa: E402
from tests.server.processes import APP, free_port, served  # noqa: E402

RATIO, SHARE, P50 = 1.01, 0.01, 20e-6

PREPARE = """
import json, sys
from pathlib import Path
from dfgui import settings
from dfgui.data import prepare
from dfgui.models import hardware, load
from dfgui.recipe import parse
from dfgui.training import sft

folder = Path(sys.argv[1])
config = parse(json.loads((folder / "values.json").read_text()))
where = settings.load(home=folder / "home", jailed=False)
tokenizer = load.tokenizer(config.model, where)
training = config.training
prepared = prepare.prepare(config.data, tokenizer, training.max_length, training.seed, where)
prepared.train.save_to_disk(folder / "rows")
tokenizer.save_pretrained(folder / "tokenizer")
machine = hardware.measure()
precision = hardware.precision(training.precision, machine)
(folder / "plain.json").write_text(json.dumps({
    "base": load.fetch(config.model, where),
    "dtype": hardware.weights_dtype(config.model.dtype, config.method, precision),
    "device": machine.device,
    "config": sft.sft_arguments(config, folder / "out", False, machine, precision),
    "lora": {**config.adapter.model_dump(), "task_type": "CAUSAL_LM"} if config.method == "lora" else None,
}))
"""

PLAIN = """
import json, sys, time
from pathlib import Path
import torch
from datasets import load_from_disk
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback, set_seed
from transformers.trainer_callback import PrinterCallback
from trl import SFTConfig, SFTTrainer

folder = Path(sys.argv[1])
asked = json.loads((folder / "plain.json").read_text())
moments = []

class Clock(TrainerCallback):
    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == 1:
            moments.append(time.time())
    def on_log(self, args, state, control, logs=None, **kwargs):
        if state.global_step == state.max_steps and "loss" in logs:
            moments.append(time.time())

set_seed(asked["config"]["seed"])
model = AutoModelForCausalLM.from_pretrained(asked["base"], dtype=getattr(torch, asked["dtype"])).to(asked["device"])
model.config.use_cache = False
trainer = SFTTrainer(
    model=model,
    args=SFTConfig(**asked["config"]),
    train_dataset=load_from_disk(str(folder / "rows")),
    processing_class=AutoTokenizer.from_pretrained(folder / "tokenizer"),
    peft_config=LoraConfig(**asked["lora"]) if asked["lora"] else None,
    callbacks=[Clock()],
)
trainer.remove_callback(PrinterCallback)
trainer.train()
assert "dfgui" not in sys.modules
losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
print(json.dumps({"seconds": moments[1] - moments[0], "losses": losses}))
"""

WRAPPED = """
import json, sys, time
from functools import wraps
from pathlib import Path
from dfgui import actions, settings
from dfgui.store import Store
from dfgui.training import callbacks, launcher, obedience

spent, waits, moments = [0.0], [], []

def wrap(owner, name):
    inner = getattr(owner, name)
    @wraps(inner)
    def timed(self, args, state, control, **kwargs):
        began, cpu = time.perf_counter(), time.thread_time()
        answer = inner(self, args, state, control, **kwargs)
        if state.global_step > 1 and name in ("on_step_end", "on_log"):
            spent[0] += time.thread_time() - cpu
        if owner is callbacks.Recorder and name == "on_log":
            waits.append(time.perf_counter() - began)
            moments.append(time.perf_counter())
        return answer
    setattr(owner, name, timed)

for owner in (callbacks.Recorder, callbacks.Keeper, callbacks.Gauge, obedience.Obedience):
    for name in [name for name in vars(owner) if name.startswith("on_")]:
        wrap(owner, name)

folder = Path(sys.argv[1])
where = settings.load(home=folder / "home", jailed=False)
run = actions.start(where, json.loads((folder / "values.json").read_text()), executor="bench")
launcher.run_here(run, where)
assert Store(where.store_path).runs.get(run)["status"] == "finished"
steps = len(waits) - 1  # the summary at the end is a log too
print(json.dumps({"spent": spent[0], "seconds": moments[steps - 1] - moments[0], "waits": waits[:steps]}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=10, help="counted, after one that is not")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--batch", type=int, default=8, help="rows per step; so many that a step takes 100 ms or more")
    parser.add_argument("--method", choices=["lora", "full"], default="lora")
    parser.add_argument("--model", default="demo")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write all that was measured")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        (folder / "values.json").write_text(json.dumps(values(asked)))
        python(PREPARE, folder)
        browser = launched(playwright)
        pairs = [pair(folder, asked, browser, turn) for turn in range(asked.pairs + 1)][1:]
        measured = {**vars(asked), "json": None, "cores": os.cpu_count(), "load": os.getloadavg()[0], "pairs": pairs}
        measured["wrapped"] = json.loads(python(WRAPPED, folder).splitlines()[-1])
    told(measured)
    if asked.json:
        asked.json.write_text(json.dumps(measured, indent=1))


def values(asked: argparse.Namespace) -> dict[str, Any]:
    """A run that logs each step, evaluates nothing and saves at its end only; nothing is left to dfgui's choice."""
    return {
        "model": {"name": asked.model, "attn_implementation": "sdpa"},
        "data": {"source": "demo", "eval_fraction": 0},
        "method": asked.method,
        "training": {
            "max_steps": asked.steps,
            "per_device_train_batch_size": asked.batch,
            "gradient_accumulation_steps": 1,
            "gradient_checkpointing": False,
            "train_sampling_strategy": "random",
            "logging_steps": 1,
            "save_steps": asked.steps,
            "eval_strategy": "no",
        },
    }


def pair(folder: Path, asked: argparse.Namespace, browser: Browser, turn: int) -> dict[str, float]:
    """Both once, the one that goes first taking turns: {"app": seconds, "plain": seconds}."""
    both = [("app", lambda: in_the_app(folder, asked, browser)), ("plain", lambda: in_plain_trl(folder))]
    found = {name: run() for name, run in (both if turn % 2 else reversed(both))}
    if found["app"]["losses"] != found["plain"]["losses"]:
        raise SystemExit(f"Not the same run: {found}")
    seconds = {name: found[name]["seconds"] for name in ("app", "plain")}
    print(f"pair {turn}: app {seconds['app']:.2f} s, plain {seconds['plain']:.2f} s", file=sys.stderr, flush=True)
    return seconds


def in_plain_trl(folder: Path) -> dict[str, Any]:
    return json.loads(python(PLAIN, folder, PYTHONPATH="").splitlines()[-1])


def in_the_app(folder: Path, asked: argparse.Namespace, browser: Browser) -> dict[str, Any]:
    """The run as a person sees it: the app started, the run queued, its Monitor page open until it has ended."""
    home = folder / "home"
    where = settings.load(home=home, jailed=False)
    store = Store(where.store_path)
    flags = ["--home", str(home), "--port", str(free_port()), "--no-browser"]
    with served(*flags, home=home, command=APP) as app:
        run = actions.start(where, values(asked))
        page = browser.new_page()
        page.goto(f"{app.url}/?view=monitor&run={run}")
        while (row := store.runs.get(run))["status"] not in ENDED:
            time.sleep(1)
        page.get_by_text(f"All {asked.steps} steps are done").first.wait_for(timeout=20_000)  # it was open and alive
        page.close()
    if row["status"] != "finished":
        raise SystemExit(f"The run in the app is {row['status']}: {row['error']}")
    losses = [value for _, value in store.metrics.points(run, "loss")]
    return {"seconds": logged_last(where.store_path, run) - row["first_step_at"], "losses": losses}


def logged_last(path: Path, run: str) -> float:
    """When the last step was logged: the store's own pages never ask."""
    with sqlite3.connect(path) as db:
        return db.execute("SELECT max(time) FROM metrics WHERE run = ? AND name = 'loss'", [run]).fetchone()[0]


def python(script: str, folder: Path, **environment: str) -> str:
    """What a process of its own printed."""
    env = {**os.environ, "PYTHONPATH": str(PROJECT), "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    return subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        env={**env, **environment},
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def told(measured: dict[str, Any]) -> None:
    pairs, wrapped, steps = measured["pairs"], measured["wrapped"], measured["steps"]
    ratios = sorted(pair["app"] / pair["plain"] for pair in pairs)
    ratio, share = statistics.median(ratios), wrapped["spent"] / wrapped["seconds"]
    p50 = statistics.median(wrapped["waits"])
    per_step = {name: statistics.median(pair[name] for pair in pairs) / (steps - 1) for name in ("app", "plain")}
    print(
        f"{measured['model']}, {measured['method']}, {steps} steps of {measured['batch']} rows, {len(pairs)} pairs; "
        f"{measured['cores']} cores, load {measured['load']:.1f}"
    )
    if measured["load"] > measured["cores"]:
        print("The machine was busy with more than this: the ratio says little.")
    print(f"step in the app          {per_step['app'] * 1e3:10.1f} ms")
    print(f"step in plain TRL        {per_step['plain'] * 1e3:10.1f} ms")
    row("ratio, median of pairs", f"{ratio:10.3f}    from {ratios[0]:.3f} to {ratios[-1]:.3f}", ratio <= RATIO, RATIO)
    quickest = {name: min(pair[name] for pair in pairs) for name in ("app", "plain")}
    best = quickest["app"] / quickest["plain"]
    slowest = max(pair["plain"] for pair in pairs) / quickest["plain"]
    row(
        "ratio, quickest of each",
        f"{best:10.3f}    the script alone took up to {slowest:.2f} of it",
        best <= RATIO,
        RATIO,
    )
    row("thread time in callbacks", f"{share:10.3%} of a step", share <= SHARE, f"{SHARE:.0%}")
    row("one log, p50", f"{p50 * 1e6:10.1f} us", p50 <= P50, f"{P50 * 1e6:.0f} us")


def row(title: str, value: str, met: bool, target: Any) -> None:
    print(f"{title:24} {value}   target {target}: {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    main()
