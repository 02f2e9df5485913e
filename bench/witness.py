"""A witness of a training: what happened is in a file, synced, before the next thing happens.

    {"what": "log", "step": 7, "time": 1790000000.123, "loss": 2.31}

A callback like any other: `callbacks: [{use: "bench.witness:Witness", args: {path: ...}}]`. The store is judged by it.
"""

import json
import os
import time
from pathlib import Path
from typing import Any


class Witness:
    def __init__(self, path: str):
        self.file = Path(path).open("a", encoding="utf-8")  # noqa: SIM115  # for as long as the training lasts

    def note(self, what: str, step: int, **more: Any) -> None:
        self.file.write(json.dumps({"what": what, "step": step, "time": time.time(), **more}) + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.note("step", state.global_step)

    def on_prediction_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.note("evaluating", state.global_step)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if "loss" in (logs or {}):
            self.note("log", state.global_step, loss=logs["loss"])

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.note("saved", state.global_step)
