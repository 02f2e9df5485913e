"""Every format under every chat template that TRL ships, learned in every way: preview, trainer and TRL compared.

    python bench/templates.py                                  300 rows made at random for each; half an hour
    python bench/templates.py --rows 40 --templates qwen3 gemma4

A line a template: rows of all formats and ways to learn, those refused and why, those whose preview is not the
trainer's row, and those that TRL prepares otherwise, of those that it has a way to prepare. Exit code 1 where any
differ; the first of each is printed. Tokenizers and rows are those of the tests, which ask the same of fewer rows.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ["HF_HUB_OFFLINE"] = "1"

from dfgui import settings
from dfgui.data import template
from tests.data import sides
from tests.data.conftest import make_tokenizer
from tests.data.random_rows import KINDS


@dataclass
class Found:
    rows: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # why -> rows
    shown: int = 0  # whose preview is not what the trainer gets
    asked: int = 0  # that TRL has a way to prepare
    theirs: int = 0  # that TRL prepares otherwise
    examples: dict[str, str] = field(default_factory=dict)  # side -> the first row that it has otherwise


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=300, help="of each format, learned in each way")
    parser.add_argument("--templates", nargs="+", default=sides.NAMES, choices=sides.NAMES, metavar="NAME")
    parser.add_argument("--seed", default="0")
    asked = parser.parse_args()
    be_quiet()
    print(f"{len(KINDS)} ways to write a row, {len(sides.TRAIN_ON)} ways to learn it, {asked.rows} rows of each")
    differ = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.templates:
            began = time.perf_counter()
            found = compared(name, asked.rows, asked.seed, Path(folder))
            print(line(name, found, time.perf_counter() - began), flush=True)
            differ += found.shown + found.theirs
    sys.exit(1 if differ else 0)


def be_quiet() -> None:
    """No progress bars, and no warnings of a trainer that is made a thousand times."""
    import datasets
    import transformers

    datasets.disable_progress_bars()
    transformers.logging.set_verbosity_error()


def compared(name: str, count: int, seed: str, folder: Path) -> Found:
    tokenizer, home = make_tokenizer(name), settings.load(folder / "home", jailed=False)
    form, found = template.describe(tokenizer), Found()
    for kind in KINDS:
        rng = Random(f"{seed} {name} {kind}")
        pairs = [KINDS[kind].made(rng, form.tools, form.several) for _ in range(count)]
        for train_on in sides.TRAIN_ON:
            compare(pairs, kind, train_on, tokenizer, folder / "rows.jsonl", home, found)
    return found


def compare(
    pairs: list, kind: str, train_on: str, tokenizer: Any, file: Path, home: settings.Settings, found: Found
) -> None:
    data = sides.data_of(kind, train_on)
    reasons = [sides.refusal(row, data, tokenizer) for row, _ in pairs]
    found.rows += len(pairs)
    found.refused.update(re.sub(r"\d+", "N", f"{error.said} {error.why}") for error in reasons if error)
    kept = [pair for pair, error in zip(pairs, reasons, strict=True) if not error]
    if not kept:
        return
    kept *= 2 if len(kept) == 1 else 1  # nothing trains on a single row
    rows = [row for row, _ in kept]
    ours = sides.trained(rows, data, tokenizer, file, home)
    shown = sides.shown(rows, data, tokenizer)
    theirs = sides.of_trl([row for _, row in kept], train_on, tokenizer)
    for row, mine, preview, other in zip(rows, ours, shown, theirs, strict=True):
        found.asked += other is not None
        if mine != preview:
            found.shown += 1
            found.examples.setdefault("the preview", f"{kind}, {train_on}: {json.dumps(row, ensure_ascii=False)}")
        if other not in (None, mine):
            found.theirs += 1
            found.examples.setdefault("TRL", f"{kind}, {train_on}: {json.dumps(row, ensure_ascii=False)}")


def line(name: str, found: Found, seconds: float) -> str:
    why = "; ".join(f"{count:,} {reason[:110]}" for reason, count in found.refused.most_common())
    told = [
        f"{name:22} {found.rows:7,} rows, {found.refused.total():5,} refused, {found.shown} unlike the trainer's, "
        f"{found.theirs} of {found.asked:,} unlike TRL's ({seconds:.0f} s){f'   refused: {why}' if why else ''}"
    ]
    return "\n   ".join([*told, *(f"{side} differs: {row}" for side, row in found.examples.items())])


if __name__ == "__main__":
    main()
