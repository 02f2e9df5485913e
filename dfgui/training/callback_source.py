"""What a callback of the user's own hears and wants, read from its source: nothing of it is imported or run.

    describe("my.module:Mine", settings)
    Described(use="my.module:Mine", events=("on_log", "on_save"), accepts=("trainer",), required=(), any_argument=False)

A class is looked for where Python would import it from, through `from .inner import Mine` and through its base classes.
What no source can tell (a class that is made while its module runs) is left to the run.
"""

import ast
import importlib.util
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from dfgui.config import Callback
from dfgui.config.control import ENVIRONMENT, TRAINER
from dfgui.errors import UserError
from dfgui.settings import Settings

logger = logging.getLogger("dfgui")

EVENTS = (  # of transformers' TrainerCallback; the first ten are those that people mostly use
    *("on_init_end", "on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end"),
    *("on_step_begin", "on_step_end", "on_log", "on_evaluate", "on_save"),
    *("on_substep_end", "on_pre_optimizer_step", "on_optimizer_step"),
    *("on_prediction_step", "on_predict", "on_push_begin"),
)
ENDS = ("object", "TrainerCallback", "ExportableState")  # base classes that hear nothing themselves
DEEPEST = 8  # imports and base classes followed

Methods = dict[str, ast.FunctionDef]


def require(asked: Callback, settings: Settings) -> "Described":
    """What a callback of a run will hear. Raises UserError when it may not be named here, or could not be made."""
    settings.may_run(asked.use)
    described = describe(asked.use, settings)
    for name, value in asked.args.items():
        if isinstance(value, str) and value.startswith("@"):
            _require_meaning(f"{asked.use} cannot have its {name}.", value, settings)
    if trouble := described.trouble(asked.args):
        raise _wrong(f"{asked.use} cannot be made.", trouble, "Change its args.")
    return described


def _require_meaning(what: str, value: str, settings: Settings) -> None:
    if value.startswith(ENVIRONMENT):
        if settings.jailed:
            raise _wrong(what, "A page may not read the environment.", "Start this run from the command line.")
        if value.removeprefix(ENVIRONMENT) not in os.environ:
            raise _wrong(what, f"{value.removeprefix(ENVIRONMENT)} is not set here.", "Set it, and start again.")
    elif value != TRAINER:
        raise _wrong(what, f"{value} means nothing.", f"{TRAINER} is the trainer, {ENVIRONMENT}NAME the environment.")


@dataclass(frozen=True)
class Described:
    use: str
    events: tuple[str, ...] = ()  # empty too where the source does not tell
    accepts: tuple[str, ...] = ()  # names of arguments
    required: tuple[str, ...] = ()
    any_argument: bool = True  # **kwargs, or not known

    def hears(self) -> str:
        """ "hears on_log and on_save." """
        *most, last = self.events or ("what its source does not tell",)
        return f"hears {', '.join(most)} and {last}." if most else f"hears {last}."

    def trouble(self, args: dict) -> str:
        """What is wrong with these arguments, in words; "" when nothing is."""
        unknown = [] if self.any_argument else [name for name in args if name not in self.accepts]
        missing = [name for name in self.required if name not in args]
        if unknown:
            known = ", ".join(self.accepts)
            return f"It takes no {', '.join(unknown)}" + (f"; it takes {known}." if known else ", and no others.")
        return f"It wants {', '.join(missing)}." if missing else ""


def describe(use: str, settings: Settings) -> Described:
    """Raises UserError when there is no such module, file or class."""
    place, _, name = use.partition(":")
    module = _named(place, settings)
    if module is None:
        return Described(use)
    found = _class(module, name)
    if found is None:
        if _is_made_at_run_time(module, name):
            return Described(use)
        has = ", ".join(_classes(module)) or "none"
        raise _wrong(f"{place} has no class {name}.", f"It has: {has}.", "Check the spelling.")
    methods, whole = _methods(*found)
    events = tuple(event for event in EVENTS if event in methods)
    if not whole and "__init__" not in methods:
        return Described(use, events)
    return Described(use, events, *_parameters(methods.get("__init__")))


def is_plain(use: str, settings: Settings) -> bool:
    """Whether a class surely does not derive from TrainerCallback. Raises UserError when it is not there."""
    place, _, name = use.partition(":")
    found = _class(_named(place, settings), name)
    return found is not None and _derives(*found) is False


def _derives(module: "_Module", node: ast.ClassDef, depth: int = 0) -> bool | None:
    """Whether a class derives from TrainerCallback; None where its source does not tell."""
    answers: list[bool | None] = []
    for base in node.bases:
        name = base.id if isinstance(base, ast.Name) else base.attr if isinstance(base, ast.Attribute) else ""
        if name == "TrainerCallback":
            return True
        found = _class(module, name) if isinstance(base, ast.Name) and depth < DEEPEST else None
        answers.append(False if name == "object" else _derives(*found, depth + 1) if found else None)
    return True if True in answers else None if None in answers else False


def offered(settings: Settings) -> dict[str, str]:
    """What pages may name, and what each hears: {"my.module:Mine": "hears on_log and on_save."}."""
    files = [file.name for file in sorted(settings.callbacks.glob("*.py"))] if settings.callbacks_folder else []
    return {
        use: heard
        for allowed in (*settings.allowed_callbacks, *files)
        for use, heard in _heard(allowed, settings).items()
    }


def classes(place: str, settings: Settings) -> list[str]:
    """The classes of a module or file that hear anything: ["my.module:Mine"]."""
    module = _named(place, settings)
    named = [f"{place}:{name}" for name in _classes(module)] if module else []
    return [use for use in named if describe(use, settings).events]


def _heard(allowed: str, settings: Settings) -> dict[str, str]:
    """Of one class, or of all in a module or file; what is not there is offered to nobody."""
    try:
        uses = [allowed] if ":" in allowed else classes(allowed, settings)
        return {use: describe(use, settings).hears() for use in uses}
    except UserError as error:
        logger.warning("%s is allowed, and cannot be offered: %s", allowed, error)
        return {}


def _wrong(what: str, why: str, do: str) -> UserError:
    return UserError(what, why, do, field="callbacks")


@dataclass(frozen=True)
class _Module:
    path: Path
    package: str  # what `.` means in it; "" for a file of the folder
    tree: ast.Module = field(repr=False)


def _named(place: str, settings: Settings) -> _Module | None:
    """The module or file as a person has named it; None for one that comes without its source. Raises UserError."""
    if place.endswith(".py"):
        path = settings.callbacks / place
        if not path.is_file():
            here = ", ".join(sorted(file.name for file in settings.callbacks.glob("*.py"))) or "no file yet"
            raise _wrong(
                f"{place} is not in the callbacks folder.", f"{settings.callbacks} holds: {here}.", "Put it there."
            )
        return _Module(path, "", _parsed(path, path.stat().st_mtime_ns))
    if _spec(place) is None:
        raise _wrong(
            f"{place} cannot be imported.",
            "No package or module of that name is installed here.",
            f"Check the spelling, install it, or put a file into {settings.callbacks} and write file.py:Class.",
        )
    return _module(place)


def _module(name: str) -> _Module | None:
    spec = _spec(name)
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None
    path = Path(spec.origin)
    if not path.is_file():  # in a zip
        return None
    package = name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
    return _Module(path, package, _parsed(path, path.stat().st_mtime_ns))


def _spec(name: str) -> ModuleSpec | None:
    """Where a module lies. importlib's own find_spec would import the packages around it."""
    first, *others = name.split(".")
    try:
        spec = importlib.util.find_spec(first)
    except (ImportError, ValueError):
        return None
    for part in others:
        if spec is None or spec.submodule_search_locations is None:
            return None
        folders = [str(folder) for folder in spec.submodule_search_locations]  # transformers has Paths there
        spec = PathFinder.find_spec(f"{spec.name}.{part}", folders)
    return spec


@lru_cache(maxsize=64)
def _parsed(path: Path, changed: int) -> ast.Module:
    """`changed` is when: a file that was edited is read again."""
    try:
        return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        line = f" in line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise _wrong(f"{path.name} cannot be read.", f"It is not Python{line}.", "Correct it.") from error


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """What happens when a module is imported, whatever its conditions say."""
    for statement in body:
        yield statement
        for inner in ("body", "orelse", "handlers", "finalbody"):
            if not isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _statements(getattr(statement, inner, []))


def _classes(module: _Module) -> list[str]:
    return [node.name for node in _statements(module.tree.body) if isinstance(node, ast.ClassDef)]


def _class(module: _Module | None, name: str, depth: int = 0) -> tuple[_Module, ast.ClassDef] | None:
    """The class, where it is written: in this module, or in one that this module has it from."""
    if module is None or depth > DEEPEST:
        return None
    for node in _statements(module.tree.body):
        if isinstance(node, ast.ClassDef) and node.name == name:
            return module, node
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if name == (alias.asname or alias.name) and (
                    found := _class(_module(_origin(module, node)), alias.name, depth + 1)
                ):
                    return found
    return None


def _origin(module: _Module, node: ast.ImportFrom) -> str:
    """The full name of what is imported from: `from ..inner import X` in pkg.sub is pkg.inner."""
    if not node.level:
        return node.module or ""
    package = module.package.split(".")
    return ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])


def _is_made_at_run_time(module: _Module, name: str) -> bool:
    """Whether a name may be there although no class statement says so."""
    for node in _statements(module.tree.body):
        if isinstance(node, ast.ImportFrom) and any(
            one.name == "*" or (one.asname or one.name) == name for one in node.names
        ):
            return True
        if isinstance(node, ast.FunctionDef) and node.name in (name, "__getattr__"):
            return True
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets):
            return True
    return False


def _methods(module: _Module, node: ast.ClassDef, depth: int = 0) -> tuple[Methods, bool]:
    """The methods of a class by name, inherited ones too, and whether every base class was found."""
    methods: Methods = {}
    whole = not node.decorator_list and not node.keywords
    for base in reversed(node.bases):
        name = base.id if isinstance(base, ast.Name) else base.attr if isinstance(base, ast.Attribute) else ""
        if name in ENDS:
            continue
        found = _class(module, name) if isinstance(base, ast.Name) and depth < DEEPEST else None
        inherited, all_found = _methods(*found, depth + 1) if found else ({}, False)
        methods |= inherited
        whole = whole and all_found
    return methods | {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}, whole


def _parameters(init: ast.FunctionDef | None) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """(names, names without a default, whether any other name is taken too)."""
    if init is None:
        return (), (), False
    given = init.args
    positional = [one.arg for one in (*given.posonlyargs, *given.args)][1:]
    by_name = [one.arg for one in given.kwonlyargs]
    required = positional[: len(positional) - len(given.defaults)] if given.defaults else positional
    required = required + [name for name, default in zip(by_name, given.kw_defaults, strict=True) if default is None]
    return (*positional, *by_name), tuple(required), given.kwarg is not None
