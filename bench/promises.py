"""The promises in numbers: what is promised, which benchmark measures it, and how its JSON is read.

    Promise("Idle page: bytes", "<= 1 KiB/s", "watching", ...)      -> Figures("0.18 KiB/s", "Trackio 56.0 KiB/s", True)

A figure is met when its median, or what its title says, is within the target, however noisy the machine was.
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

MB, GB = 1e6, 1e9


class Figures(NamedTuple):
    measured: str
    peer: str
    met: bool


@dataclass(frozen=True)
class Promise:
    title: str
    target: str
    bench: str
    figures: Callable[[Any], Figures]  # of the benchmark's JSON


def training_slower(found: dict) -> Figures:
    pairs = found["pairs"]
    ratio = statistics.median(pair["app"] / pair["plain"] for pair in pairs)
    best = min(pair["app"] for pair in pairs) / min(pair["plain"] for pair in pairs)
    spent = found["wrapped"]["spent"] / found["wrapped"]["seconds"]
    alone = [pair["plain"] for pair in pairs]
    log = 1e6 * statistics.median(found["wrapped"]["waits"])
    return Figures(
        f"{ratio - 1:+.1%}; quickest of each {best - 1:+.1%}; our callbacks {spent:.2%} of it, one log {log:.0f} us",
        f"the script alone varied by {max(alone) / min(alone) - 1:.1%}",
        ratio <= 1.01,
    )


def start(found: dict) -> Figures:
    ours, bare = (statistics.median(column) for column in zip(*found["pairs"], strict=True))
    ratio = statistics.median(one / other for one, other in found["pairs"])
    return Figures(f"{ratio:.2f} x ({ours:.1f} s)", f"bare Gradio page {bare:.1f} s", ratio <= 1.3)


def idle_memory(found: dict) -> Figures:
    ours, bare = found["idle_mb"]
    torch = "torch imported" if found["torch"] else "no torch"
    return Figures(f"{ours:.0f} MB, {torch}", f"bare Gradio page {bare:.0f} MB", ours <= 250 and not found["torch"])


def first_chart(target: float, *cases: str) -> Callable[[dict], Figures]:
    """Of several cases the slowest is judged."""

    def figures(found: dict) -> Figures:
        each = [found["first_chart"][case] for case in cases]
        ours = [middle(one["dfgui"]) for one in each]
        peers = [f"Trackio {seconds(middle(one['trackio']))}" for one in each if "trackio" in one]
        bare = statistics.median(value for one in each for value in one["bare"] if value is not None)
        names = {"many": "the table of all", "compare": "five in one chart"}
        told = [f"{names.get(case, '')} {seconds(one)}".strip() for case, one in zip(cases, ours, strict=True)]
        met = all(one is not None and one <= target for one in ours)
        return Figures("; ".join(told), "; ".join([*peers, f"bare page {bare:.1f} s"]), met)

    return figures


def middle(each: list[float | None]) -> float | None:
    """The median; None where one never came."""
    known = [one for one in each if one is not None]
    return statistics.median(known) if known and len(known) == len(each) else None


def seconds(value: float | None) -> str:
    return "over 60 s" if value is None else f"{value:.1f} s" if value >= 10 else f"{value:.2f} s"


def watched(part: str, name: str, unit: str, target: float) -> Callable[[dict], Figures]:
    """A figure of one open page."""

    def figures(found: dict) -> Figures:
        ours, peer = found[part]["dfgui"], found[part].get("trackio")
        said = f"Trackio {peer[name]:.1f} {unit}" if peer else ""
        return Figures(f"{ours[name]:.2f} {unit}", said, ours[name] <= target)

    return figures


def tiny_request(found: dict) -> Figures:
    ours, peer = found["crowd"]["dfgui"], found["crowd"].get("trackio")
    told = f"{share(ours['watched'], 0.95):.1f} ms; {share(ours['alone'], 0.95):.1f} ms with no page open"
    said = f"Trackio {share(peer['watched'], 0.95):.0f} ms" if peer else ""
    return Figures(told, said, share(ours["watched"], 0.95) <= 20)


def log_call(part: float, target: float) -> Callable[[dict], Figures]:
    """A percentile of the log calls, in microseconds."""

    def figures(found: dict) -> Figures:
        ours, peer = found["dfgui"], found.get("trackio")
        cold, warm = (1e6 * share(ours[kind], part) for kind in ("waits", "at_once"))
        said = f"Trackio {1e6 * share(peer['waits'], part):.0f} us" if peer else ""
        said += f"; {1e6 * share(peer['at_once'], part):.0f} us" if peer else ""
        return Figures(f"{cold:.0f} us; one after another {warm:.0f} us", said, cold <= target)

    return figures


def readable(found: dict) -> Figures:
    ours, peer = found["dfgui"], found.get("trackio")
    told = f"{1e3 * share(ours['readable'], 0.5):.0f} ms; p99 {1e3 * share(ours['readable'], 0.99):.0f} ms"
    said = f"Trackio {1e3 * share(peer['readable'], 0.5):.0f} ms" if peer else ""
    return Figures(told, said, share(ours["readable"], 0.5) <= 0.1)


def killed_loggers(found: dict) -> Figures:
    def said(kills: list[dict]) -> str:
        lost, logged = (sum(kill[part] for kill in kills) for part in ("lost", "logged"))
        return f"{lost} of {logged:,} rows in {len(kills)} kills"

    ours, peer = found["dfgui"], found.get("trackio")
    lost = sum(kill["lost"] for kill in ours["kills"])
    return Figures(said(ours["kills"]), f"Trackio {said(peer['kills'])}" if peer else "", lost == 0)


def killed_runs(found: list[dict]) -> Figures:
    bad = sum(bool(kill["lost"]) for kill in found)
    return Figures(f"{len(found)} kills, {bad} with a loss", "", bool(found) and not bad)


def first_sample(found: dict) -> Figures:
    took = statistics.median(one["seconds"] for one in found["samples"])
    most = max(one["mb"] for one in found["samples"]) * 1024**2 / MB
    told = f"{took:.2f} s, {most:.0f} MB ({found['bytes'] / GB:.2f} GB)"
    return Figures(told, "", took <= 1.0 and most <= 600)


def merge_memory(found: dict) -> Figures:
    shard = max(found["shards"])
    ours, peft = (
        max(one["bytes"] for dtype in ("float32", "bfloat16") for one in found[dtype][way])
        for way in ("shards", "peft")
    )
    told = f"{ours / GB:.2f} GB; largest shard {shard / GB:.2f} GB"
    return Figures(told, f"PEFT {peft / GB:.2f} GB", ours <= shard + 0.5 * GB)


def share(values: list[float], part: float) -> float:
    """The value that this part of them is not above."""
    return sorted(values)[min(int(part * len(values)), len(values) - 1)]


PROMISES = [
    Promise("Training slowed, logging every step, one page open", "<= 1 %", "overhead", training_slower),
    Promise("`python app.py` until GET / answers", "<= 1.3 x a bare Gradio page", "startup", start),
    Promise("First chart, 100k logged rows", "<= 1.5 s", "watching", first_chart(1.5, "one")),
    Promise("First chart, 50 runs x 2,000", "<= 2.0 s", "watching", first_chart(2.0, "many", "compare")),
    Promise("First chart, 1M logged rows", "<= 2.0 s", "watching", first_chart(2.0, "longest")),
    Promise("Idle page: server", "<= 1 % of a core", "watching", watched("idle", "cpu_percent", "%", 1)),
    Promise("Idle page: bytes", "<= 1 KiB/s", "watching", watched("idle", "kib_per_second", "KiB/s", 1)),
    Promise("Live, 10 rows/s: bytes", "<= 2 KiB a tick", "watching", watched("live", "kib_per_tick", "KiB", 2)),
    Promise("Live, 10 rows/s: long tasks", "<= 10 ms/s", "watching", watched("live", "long_ms_per_second", "ms/s", 10)),
    Promise("Tiny request while three pages watch, p95", "<= 20 ms", "watching", tiny_request),
    Promise("Trainer's thread, one log call, p50", "<= 20 us", "writing", log_call(0.5, 20)),
    Promise("Trainer's thread, one log call, p99", "<= 200 us", "writing", log_call(0.99, 200)),
    Promise("Readable by another process after the log call", "<= 100 ms", "writing", readable),
    Promise("Lost by `kill -9` of what was logged 0.2 s before", "0", "writing", killed_loggers),
    Promise("Whole runs killed in every phase", "0 with a loss", "crash", killed_runs),
    Promise("1 GB JSONL: first rendered sample", "<= 1.0 s, <= 600 MB", "data", first_sample),
    Promise("UI process at idle", "<= 250 MB, no torch", "startup", idle_memory),
    Promise("Merge of an adapter: memory", "<= largest shard + 0.5 GB", "merge", merge_memory),
]
