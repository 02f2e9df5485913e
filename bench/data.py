"""Rows: the first sample of a large file, and the check of every row beside TRL's own preparation of the same rows.

    python bench/data.py                              a file of 1 GB; 4,000 rows, three times each
    python bench/data.py --gigabytes 0.1 --rows 1000 --runs 1 --json data.json
    python bench/data.py --whole 0.2 0.4              only `python -m dfgui check` of files of so many gigabytes

Whole processes. The sample: from opening the file to its tokens, the tokenizer already loaded, and the most memory the
process ever held. The check: every row read, rendered, tokenised and judged, by as many processes as TRL is given; the
time is taken around the work, imports and loading aside. Targets: 1.0 s and 600 MB for the sample. --whole asks how
the memory of a check grows with its file: the most that the process and its helpers held at once, pages that they share
counted for each, looked at ten times a second.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

PROJECT = Path(__file__).parents[1]

SAMPLE = """
import json, resource, sys, time
from dfgui import settings
from dfgui.config import Data, Model
from dfgui.data import rows, sources
from dfgui.data.preview import preview
from dfgui.models import load

where = settings.load({home!r}, jailed=False)
tokenizer = load.tokenizer(Model(), where)
preview(sources.open_source("demo", where).row(1), rows.Options("messages", 1024), tokenizer)  # all is imported
began = time.perf_counter()
data = Data(source={path!r})
source = sources.open_source(data.source, where)
shown = preview(source.head(1)[0], rows.options(data, rows.format_of(source, data), 1024), tokenizer)
seconds = time.perf_counter() - began
print(json.dumps({{"seconds": seconds, "tokens": len(shown["tokens"]),
                  "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}}))
"""

CHECK = """
import json, resource, time
from dfgui import actions, settings
from dfgui.config import Data, Model

if __name__ == "__main__":
    where = settings.load({home!r}, jailed=False)
    going = actions.check(where, Data(source={path!r}), Model(), 1024)
    began = time.perf_counter()
    for found in going:
        pass
    seconds = time.perf_counter() - began
    used = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    print(json.dumps({{"seconds": seconds, "rows": found.rows, "trainable": found.trainable_rows, "mb": used}}))
"""

TRL = """
import json, time
from datasets import Dataset, Features, Json, List
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer
from dfgui.models import demo

if __name__ == "__main__":
    tokenizer = AutoTokenizer.from_pretrained(demo.BASE)
    model = AutoModelForCausalLM.from_pretrained(demo.BASE)
    rows = [json.loads(line) for line in open({path!r})]
    for row in rows:
        for message in row["messages"]:
            for call in message.get("tool_calls", []):
                call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    data = Dataset.from_list([{{"messages": row["messages"], "tools": row["tools"]}} for row in rows],
                             features=Features({{"messages": List(Json()), "tools": List(Json())}}))
    config = SFTConfig("unused", use_cpu=True, bf16=False, report_to="none", assistant_only_loss=True,
                       max_length=1024, dataset_num_proc={processes})
    began = time.perf_counter()
    trainer = SFTTrainer(model=model, args=config, train_dataset=data, processing_class=tokenizer)
    print(json.dumps({{"seconds": time.perf_counter() - began, "rows": len(trainer.train_dataset)}}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--rows", type=int, default=4_000, help="checked by both")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write all that was measured")
    parser.add_argument("--whole", type=float, nargs="+", metavar="GIGABYTES")
    asked = parser.parse_args()
    if asked.whole:
        whole_checks(asked.whole)
    else:
        sample_and_check(asked)


def sample_and_check(asked: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder) / "large.jsonl", Path(folder) / "small.jsonl"
        write(large, size=int(asked.gigabytes * 1e9))
        write(small, rows=asked.rows)
        print(f"{large.stat().st_size / 1e9:.2f} GB and {asked.rows:,} rows; {os.cpu_count()} cores")
        size = large.stat().st_size
        samples = [run(SAMPLE, folder, large) for _ in range(asked.runs)]
        print(
            f"first sample: {spread([s['seconds'] for s in samples])} s, {max(s['mb'] for s in samples):.0f} MB at most"
        )
        large.unlink()
        ours, theirs = [], []
        for _ in range(asked.runs):
            ours.append(run(CHECK, folder, small))
            theirs.append(run(TRL, folder, small))
        fast = [asked.rows / one["seconds"] for one in ours]
        peer = [asked.rows / one["seconds"] for one in theirs]
        print(f"check of every row: {spread(fast, 0)} rows/s, {max(one['mb'] for one in ours):.0f} MB in one process")
        print(f"TRL's preparation:  {spread(peer, 0)} rows/s")
        print(f"ratio of the medians: {statistics.median(fast) / statistics.median(peer):.2f}")
        if asked.json:
            found = {"bytes": size, "samples": samples, "rows": asked.rows, "checks": ours, "trl": theirs}
            asked.json.write_text(json.dumps(found, indent=1))


def whole_checks(sizes: list[float]) -> None:
    """The command line's check of files of these sizes, smallest first, and what each more megabyte of file costs."""
    measured: list[tuple[float, float]] = []  # MB of file, MB of memory
    for size in sorted(sizes):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.jsonl"
            write(path, size=int(size * 1e9))
            found = whole_check(path, folder)
        measured.append((size * 1000, found["mb"]))
        print(
            f"{size * 1000:.0f} MB, {found['rows']:,} rows: {found['seconds']:.0f} s, {found['mb']:.0f} MB at most; "
            f"{found['own']:.0f} MB in the process itself, {found['helpers']} others beside it; {os.cpu_count()} cores",
            flush=True,
        )
    if len(measured) > 1:
        (small, little), (large, much) = measured[0], measured[-1]
        print(f"{(much - little) / (large - small):.2f} MB of memory for each MB of file")


def whole_check(path: Path, folder: str) -> dict:
    """Seconds of the whole process, rows, and the most memory it and its helpers held together."""
    command = [sys.executable, "-m", "dfgui", "--home", str(Path(folder) / "home"), "--json", "check", str(path)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "HF_HUB_OFFLINE": "1"}
    answer, said = Path(folder) / "answer.json", Path(folder) / "said.txt"
    most = {"mb": 0.0, "own": 0.0, "helpers": 0}
    began = time.perf_counter()
    with answer.open("w") as out, said.open("w") as errors:
        going = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=errors)
        while going.poll() is None:
            own, others = memory(going.pid)
            most = {
                "mb": max(most["mb"], own + sum(others)),
                "own": max(most["own"], own),
                "helpers": max(most["helpers"], len(others)),
            }
            time.sleep(0.1)
    report = json.loads(answer.read_text() or "{}")
    if not report.get("complete"):
        raise SystemExit(said.read_text())
    return {**most, "seconds": time.perf_counter() - began, "rows": report["rows"]}


def memory(pid: int) -> tuple[float, list[float]]:
    """MB that a process holds, and those that its helpers do; one that has just ended holds nothing."""
    try:
        process = psutil.Process(pid)
        every = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0, []
    held = []
    for one in every:
        with suppress(psutil.NoSuchProcess):
            held.append(one.memory_info().rss / 1e6)
    return (held[0], held[1:]) if held else (0.0, [])


def write(path: Path, rows: int | None = None, size: int | None = None) -> None:
    """The demo's rows again and again, each time with another question."""
    sys.path.insert(0, str(PROJECT))
    from dfgui.models.demo import dataset

    made = dataset.rows(seed=3, count=500)
    written = number = 0
    with path.open("w") as file:
        while (rows is None or number < rows) and (size is None or written < size):
            row = made[number % len(made)]
            number += 1
            first = {**row["messages"][0], "content": f"{row['messages'][0]['content']} ({number})"}
            written += file.write(json.dumps({**row, "messages": [first, *row["messages"][1:]]}) + "\n")


def run(code: str, folder: str, path: Path) -> dict:
    """What a process of its own printed last."""
    script = Path(folder) / "measured.py"
    script.write_text(code.format(home=str(Path(folder) / "home"), path=str(path), processes=os.cpu_count()))
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=folder, env=environment, capture_output=True, text=True, timeout=1800
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.strip().splitlines()[-1])


def spread(values: list[float], digits: int = 2) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


if __name__ == "__main__":
    main()
