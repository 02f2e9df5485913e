"""What a merge takes: from file to file (artifacts/shards.py) beside PEFT's own, taking turns on one model made here.

    python bench/merge.py                            1.5 GB in 32 bit, merged to 32 and to 16 bit, 3 rounds
    python bench/merge.py --gigabytes 4 --rounds 1 --json merge.json

Each merge is a process of its own. Memory is what its anonymous pages (RssAnon) grow by after everything is imported,
at the most, seen every few milliseconds: pages of the base's files that are only mapped are not counted, as the system
takes them back when it needs them. PEFT's own is AutoModelForCausalLM, PeftModel, merge_and_unload, save_pretrained.
Both results are compared, weight by weight.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

EVERY_SECONDS = 0.003
WAYS = ("shards", "peft")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=1.5, help="of the base, in 32 bit")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--merge", nargs=4, metavar=("WAY", "FOLDER", "OUT", "DTYPE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.merge:
        print(json.dumps(measured(*asked.merge)))
        return
    with tempfile.TemporaryDirectory() as folder:
        shards = make(Path(folder), asked.gigabytes)
        found = {dtype: rounds(Path(folder), dtype, asked.rounds) for dtype in ("float32", "bfloat16")}
    report(found, shards)
    if asked.json:
        asked.json.write_text(json.dumps({"shards": shards, **found}, indent=1))


def make(folder: Path, gigabytes: float) -> list[int]:
    """A Llama of about this size and a LoRA adapter with a B that is not 0; returns the bytes of the base's shards."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    from tests.tiny import tiny_tokenizer

    wide, layer = 2048, 4 * 2048**2 + 3 * 2048 * 5632
    layers = max(round((gigabytes * 1e9 / 4 - 2 * 4000 * wide) / layer), 1)
    torch.manual_seed(0)
    shape = {"vocab_size": 4000, "hidden_size": wide, "intermediate_size": 5632, "num_attention_heads": 16}
    model = LlamaForCausalLM(LlamaConfig(**shape, num_hidden_layers=layers))
    model.save_pretrained(folder / "base", max_shard_size="1GB")
    adapted = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"))
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05)
    adapted.save_pretrained(folder / "adapter")
    for place in ("base", "adapter"):
        tiny_tokenizer().save_pretrained(folder / place)
    (folder / "adapter" / "trainer_state.json").write_text("{}")
    return [file.stat().st_size for file in sorted((folder / "base").glob("*.safetensors"))]


def rounds(folder: Path, dtype: str, count: int) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for number in range(count):
        for way in WAYS:
            out = folder / f"{way}-{dtype}-{number}"
            command = [sys.executable, __file__, "--merge", way, str(folder), str(out), dtype]
            answer = subprocess.run(command, capture_output=True, text=True, timeout=1800)
            assert answer.returncode == 0, answer.stderr[-2000:]
            found[way].append(json.loads(answer.stdout.splitlines()[-1]))
        require_equal(*(folder / f"{way}-{dtype}-{number}" for way in WAYS))
    return found


def measured(way: str, folder: str, out: str, dtype: str) -> dict[str, float]:
    """{bytes, seconds} of one merge in this process."""
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    from dfgui.artifacts.merge import merge

    torch.zeros(8, 8) @ torch.zeros(8, 8)
    place = Path(folder)
    before, most, done = held(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(EVERY_SECONDS):
            most[0] = max(most[0], held())

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    start = time.monotonic()
    if way == "shards":
        merge(place / "adapter", place / "base", Path(out), dtype)
    else:
        model: Any = AutoModelForCausalLM.from_pretrained(place / "base", dtype=torch.float32)
        merged = peft.PeftModel.from_pretrained(model, place / "adapter").merge_and_unload()
        merged.to(getattr(torch, dtype)).save_pretrained(out)
    seconds = time.monotonic() - start
    done.set()
    watching.join()
    return {"bytes": most[0] - before, "seconds": seconds}


def held() -> int:
    """Bytes of anonymous memory of this process."""
    text = Path("/proc/self/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("RssAnon")).split()[1]) * 1024


def require_equal(one: Path, other: Path) -> None:
    import torch
    from safetensors.torch import load_file

    each = [
        {k: v for file in sorted(place.glob("*.safetensors")) for k, v in load_file(file).items()}
        for place in (one, other)
    ]
    assert each[0].keys() == each[1].keys()
    assert all(torch.equal(each[0][name], each[1][name]) for name in each[0]), "the merges differ"
    for place in (one, other):
        for file in place.glob("*.safetensors"):
            file.unlink()


def report(found: dict[str, dict[str, list[dict[str, float]]]], shards: list[int]) -> None:
    print(
        f"base: {sum(shards) / 1e9:.2f} GB in 32 bit, its largest shard {max(shards) / 1e9:.2f} GB; medians; "
        "results equal, weight by weight"
    )
    print(f"{'to':10}{'way':10}{'memory, GB':>12}{'seconds':>10}")
    for dtype, ways in found.items():
        for way, each in ways.items():
            memory = statistics.median(one["bytes"] for one in each) / 1e9
            seconds = statistics.median(one["seconds"] for one in each)
            print(f"{dtype:10}{way:10}{memory:12.2f}{seconds:10.1f}")


if __name__ == "__main__":
    main()
