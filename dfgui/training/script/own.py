"""Callbacks of the user's own in a script: imported by name, or from a file that lies beside it."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dfgui.config import Callback
from dfgui.config.control import ENVIRONMENT, TRAINER
from dfgui.training.script.places import FROM
from dfgui.training.script.python import call, literal


@dataclass(frozen=True)
class Own:
    """A callback of the user's own, as the script names it."""

    use: str
    module: str
    imported: str  # "Mine", or "Mine as Mine_2" where the name is taken
    name: str
    args: dict[str, Any]
    is_file: bool  # of the callbacks folder, and copied beside the script


def listed(callbacks: list[Callback]) -> list[Own]:
    names: dict[str, str] = {}  # by what was asked for
    for one in callbacks:
        names.setdefault(one.use, _free(one.use.partition(":")[2], {*FROM, "FastLanguageModel", *names.values()}))
    return [_own(one, names[one.use]) for one in callbacks]


def _free(name: str, taken: set[str]) -> str:
    """The name, or one like it that stands for nothing else."""
    return name if name not in taken else next(f"{name}_{n}" for n in range(2, 1000) if f"{name}_{n}" not in taken)


def _own(asked: Callback, called: str) -> Own:
    place, _, name = asked.use.partition(":")
    is_file = place.endswith(".py")
    module = file_name(place).removesuffix(".py") if is_file else place
    return Own(asked.use, module, name if name == called else f"{name} as {called}", called, asked.args, is_file)


def file_name(file: str) -> str:
    """What a file of the callbacks folder is called beside the script: a module's name that no other module has."""
    stem = Path(file).stem.replace("-", "_")
    taken = {*sys.stdlib_module_names, *filter(None, FROM.values()), "train", "torch", "unsloth", "accelerate"}
    return f"own_{stem}.py" if stem in taken else f"{stem}.py"


def whole(own: Own) -> str:
    return f'class {own.name}Callback({own.name}, TrainerCallback):\n    """{own.name} with an ear for every event."""'


def added(own: Own, plain: bool) -> str:
    arguments = {name: _value(value, name) for name, value in own.args.items()}
    made = call(f"{own.name}Callback" if plain else own.name, arguments)
    if "\n" in made or len(made) > 80:
        made = call(f"{own.name}Callback" if plain else own.name, arguments, "callback = ", 1)
        return f"{made}\n    trainer.add_callback(callback)"
    return f"    trainer.add_callback({made})"


def _value(value: Any, name: str) -> str:
    if value == TRAINER:
        return "trainer"
    if isinstance(value, str) and value.startswith(ENVIRONMENT):
        return f"os.environ[{literal(value.removeprefix(ENVIRONMENT))}]"
    return literal(value, 8 + len(name) + 1, 2)
