"""The shape of the model that a run would train, once it is known: measured in a process of its own, and kept.

    known(run, settings)    a Shape; None while it is measured: ask again; in words why it cannot be known

A page asks whenever a setting changes, so this never waits: the first question starts the measurement (rehearsal.py),
which takes seconds. What was found is kept in the home too, for the process that trains and for the next start. A
measurement ends with this process, whoever still waits for it.
"""

import hashlib
import json
import os
import threading
import time
from dataclasses import asdict
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from dfgui import child
from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.models import earlier, hardware, load
from dfgui.models.hardware import Hardware
from dfgui.models.memory import Asked, Shape, shape_of
from dfgui.settings import Settings

SECONDS = 300  # a model of eighty layers takes half a minute on a slow machine
FOLDER = "shapes"  # in the home
ENDLESS = UserError("It came to no end.", f"{SECONDS} seconds are enough for every model.", "Ask again later.")
LIBRARIES = ("torch", "transformers", "trl", "peft")

Known = Shape | str | None

_found: dict[str, Shape | str] = {}  # by what it was asked for
_under_way: set[str] = set()
_changing = threading.Lock()
_measuring = threading.Lock()  # one at a time: each takes a processor


def known(run: RunConfig, settings: Settings, begin: bool = True) -> Known:
    """The shape of the run's model; None while it is not known yet, a sentence where it cannot be.

    `begin`: whether to start measuring where nobody has.
    """
    try:
        asked = asked_of(run, settings)
    except UserError as error:
        return f"{error.what} {error.why}"
    if asked is None:
        return "It is known once the model's config.json is on this machine."
    key = _key(asked)
    if key not in _found and (kept := _kept(settings, key)):
        _found[key] = kept
    if key in _found:
        return _found[key]
    if begin:
        _begin(asked, settings, key)
    return None


def measured(asked: Asked) -> Shape | str:
    """The shape, measured now by a process of its own; a sentence where that does not work."""
    until = time.monotonic() + SECONDS
    try:
        found = child.run(
            "dfgui.models.rehearsal",
            asdict(asked),
            say=lambda told: None,
            going=lambda: time.monotonic() < until,
            cancelled=ENDLESS,
            what="Its process",
            more={"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"},
        )
    except UserError as error:
        return f"The model cannot be measured: {error.what} {error.why}"
    return shape_of(found)


def asked_of(run: RunConfig, settings: Settings, machine: Hardware | None = None) -> Asked | None:
    """What the shape of this run's model depends on; None where its config.json is not on this machine.

    Raises UserError where the model cannot be had.
    """
    folder = config_folder(run, settings)
    if folder is None:
        return None
    run = earlier.settled(run, settings)
    precision = hardware.precision(run.training.precision, machine or hardware.look())
    training = run.training
    earlier_run = run.model.name.startswith("run:")
    return Asked(
        folder=str(folder),
        home=str(settings.home) if earlier_run else "",
        model=run.model.model_dump() | ({} if earlier_run else {"name": str(folder)}),
        method=run.method,
        adapter=run.adapter.model_dump() if run.method == "lora" else {},
        dtype=hardware.weights_dtype(run.model.dtype, run.method, precision),
        precision=precision,
        loss=training.loss_type,
        bits=run.model.bits,
        attention=run.model.attn_implementation,
        packed=training.packing and training.packing_strategy.startswith("bfd"),
    )


def config_folder(run: RunConfig, settings: Settings) -> Path | None:
    """Where the config.json of the model lies that is trained, or of the one under an adapter."""
    found = earlier.find(run.model.name, settings)
    if found and found.kind == "adapter":
        if (found.base / "config.json").is_file():
            return found.base
        origin = run.model_copy(update={"model": found.origin})
        return config_folder(origin, settings)
    place = load.locate(run.model.name, settings)
    if Path(place).is_dir():
        return Path(place).resolve()
    from huggingface_hub import try_to_load_from_cache

    file = try_to_load_from_cache(place, "config.json", revision=run.model.revision)
    return Path(file).parent if isinstance(file, str) else None


def _begin(asked: Asked, settings: Settings, key: str) -> None:
    with _changing:
        if key in _under_way or key in _found:
            return
        _under_way.add(key)
    threading.Thread(target=_measure, args=(asked, settings, key), name="dfgui-memory", daemon=True).start()


def _measure(asked: Asked, settings: Settings, key: str) -> None:
    with _measuring:
        found = measured(asked)
    with _changing:
        _found[key] = found
        _under_way.discard(key)
    if isinstance(found, Shape):
        _keep(found, settings, key)


def _keep(shape: Shape, settings: Settings, key: str) -> None:
    file = settings.home / FOLDER / f"{key}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(asdict(shape)))
    part.replace(file)


def _kept(settings: Settings, key: str) -> Shape | None:
    try:
        return shape_of(json.loads((settings.home / FOLDER / f"{key}.json").read_text()))
    except (OSError, ValueError, TypeError, KeyError):  # not there, or of another version
        return None


def _key(asked: Asked) -> str:
    """Changes when the shape may: with the settings, the content of config.json, and the libraries."""
    config = (Path(asked.folder) / "config.json").read_bytes()
    words = [one.name for one in sorted(Path(asked.folder).glob("*token*"))]
    known: Any = [asdict(asked), config.decode(errors="replace"), words, _versions()]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:32]


@lru_cache(maxsize=1)
def _versions() -> list[str]:
    found = []
    for name in LIBRARIES:
        try:
            found.append(version(name))
        except PackageNotFoundError:
            found.append("")
    return found
