"""How much GPU memory a run takes and how many tokens a second it trains, for models of real sizes with random weights.

    python bench/memory.py --json memory.jsonl            every case on this GPU
    python bench/memory.py --cases lora full --steps 4

Each case is a whole run of the app's own, in a process of its own: rows that all reach max_length, six steps. The peak
is torch's: `allocated` is what tensors took, `reserved` what the process held. Speed counts the steps after the second.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

CASE_SECONDS = 240

SHAPES: dict[str, dict[str, int]] = {  # of Qwen3
    "0.6b": {"hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 16},
    "1.7b": {"hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 28, "num_attention_heads": 16},
}
CASES: dict[str, tuple[str, dict[str, Any]]] = {  # name -> (model, settings beside batch 4 of 1,024 tokens)
    "lora": ("0.6b", {}),
    "lora batch 1": ("0.6b", {"training.per_device_train_batch_size": 1}),
    "lora 2048": ("0.6b", {"training.max_length": 2048}),
    "lora without checkpointing": ("0.6b", {"training.gradient_checkpointing": False}),
    "lora r 64": ("0.6b", {"adapter.r": 64}),
    "lora 4 bit": ("0.6b", {"model.load_in_4bit": True}),
    "full": ("0.6b", {"method": "full"}),
    "full without checkpointing": ("0.6b", {"method": "full", "training.gradient_checkpointing": False}),
    "full 8 bit": ("0.6b", {"method": "full", "training.optim": "adamw_8bit"}),
    "lora 1.7b": ("1.7b", {}),
    "full 1.7b": ("1.7b", {"method": "full"}),
    "unsloth": ("0.6b", {"run.backend": "unsloth"}),
    "unsloth without checkpointing": ("0.6b", {"run.backend": "unsloth", "training.gradient_checkpointing": False}),
    "unsloth 4 bit": ("0.6b", {"run.backend": "unsloth", "model.load_in_4bit": True}),
    "unsloth full": ("0.6b", {"run.backend": "unsloth", "method": "full"}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES), metavar="NAME")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--json", type=Path, metavar="FILE", help="where each case goes, as a line")
    parser.add_argument("--one", nargs=2, metavar=("VALUES", "HOME"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measured(json.loads(asked.one[0]), asked.one[1])))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = long_rows(Path(folder))
        for name in asked.cases:
            shape, settings = CASES[name]
            values = settings_of(model(Path(folder), shape), rows, asked.steps, settings)
            found = {"case": name, "model": shape, **in_its_own_process(values, Path(folder) / "home")}
            print(line(found), flush=True)
            if asked.json:
                with asked.json.open("a") as file:
                    file.write(json.dumps(found) + "\n")


def line(found: dict[str, Any]) -> str:
    if "error" in found:
        return f"{found['case']:32} {found['error'][-300:]}"
    sizes = f"{found['allocated'] / 1e9:7.2f} GB allocated {found['reserved'] / 1e9:7.2f} GB reserved"
    return f"{found['case']:32} {sizes} {found['tokens_per_second']:9.0f} tokens/s   last loss {found['loss']:.3f}"


def long_rows(folder: Path) -> Path:
    """Rows that are longer than any max_length asked for."""
    path = folder / "rows.jsonl"
    text = " ".join(f"weather in city {number}" for number in range(900))
    row = {"messages": [{"role": "user", "content": "Go on."}, {"role": "assistant", "content": text}]}
    path.write_text((json.dumps(row) + "\n") * 80)
    return path


def model(folder: Path, shape: str) -> Path:
    """A model of that shape with random weights in bf16, made once."""
    place = folder / shape
    if place.exists():
        return place
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    from tests.tiny import tiny_tokenizer

    config = Qwen3Config(
        vocab_size=151_936, num_key_value_heads=8, head_dim=128, tie_word_embeddings=True, **SHAPES[shape]
    )
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        made = Qwen3ForCausalLM(config)
    made.to(torch.bfloat16).save_pretrained(place)
    tiny_tokenizer().save_pretrained(place)
    return place


def settings_of(model: Path, rows: Path, steps: int, settings: dict[str, Any]) -> dict[str, Any]:
    flat = {
        "model.name": str(model),
        "data.source": str(rows),
        "data.eval_fraction": 0.0,
        "training.max_steps": steps,
        "training.logging_steps": 1,
        "training.save_steps": 1000,
        "training.eval_steps": 1000,
        "training.per_device_train_batch_size": 4,
        "training.gradient_accumulation_steps": 1,
        "training.gradient_checkpointing": True,
        **settings,
    }
    tree: dict[str, Any] = {}
    for path, value in flat.items():
        block, _, name = path.rpartition(".")
        (tree.setdefault(block, {}) if block else tree)[name or path] = value
    return tree


def in_its_own_process(values: dict[str, Any], home: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", json.dumps(values), str(home)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=CASE_SECONDS, env=dict(os.environ))
    except subprocess.TimeoutExpired:
        return {"error": f"not done after {CASE_SECONDS} s"}
    lines = done.stdout.splitlines()
    return json.loads(lines[-1]) if done.returncode == 0 and lines else {"error": done.stderr.strip()}


def measured(values: dict[str, Any], home: str) -> dict[str, Any]:
    """Trains in this process; {allocated, reserved: bytes at the peak, tokens_per_second, loss}."""
    from dfgui import actions, settings
    from dfgui.store import Store
    from dfgui.training import launcher

    where = settings.load(home=home, jailed=False)
    store = Store(where.store_path)
    run = actions.start(where, values, executor="bench")
    launcher.run_here(run, where)
    row = store.runs.get(run)
    if row["status"] != "finished":
        return {"error": json.dumps(row["error"])}
    import torch

    peak = {"allocated": torch.cuda.max_memory_allocated(), "reserved": torch.cuda.max_memory_reserved()}
    return {**peak, "tokens_per_second": speed(store, run), "loss": store.metrics.points(run, "loss")[-1][1]}


def speed(store: Any, run: str) -> float:
    """Tokens a second, from the log of the second step to that of the last."""
    import sqlite3

    with sqlite3.connect(store.path) as db:
        found = db.execute(
            "SELECT step, value, time FROM metrics WHERE run = ? AND name = 'num_tokens' ORDER BY step", [run]
        ).fetchall()
    (_, first, began), (_, last, ended) = found[1], found[-1]
    return (last - first) / (ended - began)


if __name__ == "__main__":
    main()
