"""Python source in the shape that `ruff format` would give it: values, calls, imports.

call("SFTConfig", {"learning_rate": "0.0002", "bf16": "False"}, "args = ")
args = SFTConfig(learning_rate=0.0002, bf16=False)        on one line where it fits, else an argument a line
"""

import ast
from collections.abc import Mapping
from typing import Any

WIDTH = 120
STEP = "    "


def literal(value: Any, before: int = 0, depth: int = 0) -> str:
    """A value of JSON's kinds. `before` characters stand on its line already, which is indented `depth` times."""
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, dict | list) or not value:
        return repr(value)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    line = f"{opening}{', '.join(_items(value, 0, depth, flat=True))}{closing}"
    if before + len(line) < WIDTH:  # a comma follows
        return line
    inner = STEP * (depth + 1)
    items = "".join(f"{inner}{item},\n" for item in _items(value, len(inner), depth + 1))
    return f"{opening}\n{items}{STEP * depth}{closing}"


def _items(value: dict | list, before: int, depth: int, flat: bool = False) -> list[str]:
    if isinstance(value, list):
        return [_inner(one, before, depth, flat) for one in value]
    keys = {_inner(key, 0, depth, True): one for key, one in value.items()}
    return [f"{key}: {_inner(one, before + len(key) + 2, depth, flat)}" for key, one in keys.items()]


def _inner(value: Any, before: int, depth: int, flat: bool) -> str:
    return literal(value, -(10**9) if flat else before, depth)


def _text(value: str) -> str:
    """In double quotes, unless single ones spare escapes."""
    quote = "'" if value.count('"') > value.count("'") else '"'
    signs = (
        f"\\{sign}" if sign in (quote, "\\") else sign if sign.isprintable() else repr(sign)[1:-1] for sign in value
    )
    return quote + "".join(signs) + quote


def call(
    function: str,
    arguments: Mapping[str, str],
    before: str = "",
    depth: int = 0,
    comments: Mapping[str, str] | None = None,
    first: tuple[str, ...] = (),
) -> str:
    """A call as a statement, indented `depth` times: `before`, then the function with `first` and named arguments.

    An argument with a comment stands on a line of its own.
    """
    comments = comments or {}
    told = {name: comments[name] for name in arguments if name in comments}
    given = {**{value: value for value in first}, **{name: f"{name}={value}" for name, value in arguments.items()}}
    line = f"{STEP * depth}{before}{function}({', '.join(given.values())})"
    if not told and "\n" not in line and len(line) <= WIDTH:
        return line
    inner = STEP * (depth + 1)
    lines = [f"{inner}{text},{f'  # {told[name]}' if name in told else ''}\n" for name, text in given.items()]
    return f"{STEP * depth}{before}{function}(\n{''.join(lines)}{STEP * depth})"


def imports(body: str, known: Mapping[str, str], own: Mapping[str, str]) -> str:
    """The import statements for the names that `body` uses.

    `known` says where a name comes from: {"SFTConfig": "trl", "json": ""}, "" for a module itself. `own` is the same of
    modules that lie beside the script; "Mine as Mine_2" takes a name under another one.
    """
    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    wanted = [(name, known[name]) for name in known if name.rpartition(" as ")[2] in used]
    mine = [(name, own[name]) for name in own if name.rpartition(" as ")[2] in used]
    standard = [(name, module) for name, module in wanted if (module or name).split(".")[0] in STANDARD]
    others = [(name, module) for name, module in wanted if (name, module) not in standard]
    return "\n\n".join(filter(None, map(_section, (standard, others, mine))))


STANDARD = ("json", "os", "pathlib")


def _section(names: list[tuple[str, str]]) -> str:
    modules = sorted(name for name, module in names if not module)
    lines = [f"import {name}" for name in modules]
    for module in sorted({module for _, module in names if module}, key=str.lower):
        taken = sorted(name for name, place in names if place == module)
        line = f"from {module} import {', '.join(taken)}"
        apart = "".join(f"{STEP}{name},\n" for name in taken)
        lines.append(line if len(line) <= WIDTH else f"from {module} import (\n{apart})")
    return "\n".join(lines)
