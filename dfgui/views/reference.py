"""Every setting in words: the page docs/settings.md, which `dfgui settings` prints, and one setting of it.

    page()                             ->  "# Settings\\n\\nA run is described by ..."
    one(found("max_length")[0])        ->  "Max length: training.max_length\\n\\nTokens per row. ..."

All of it comes from the schema (config/, fields.py, presets.py); only what introduces a section is written here.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from types import GenericAlias, UnionType
from typing import Any, get_args, get_origin

import yaml

from dfgui import recipe
from dfgui.config import GROUPS, LEARNING_RATES, Callback, Training, older, sft_config
from dfgui.errors import UserError
from dfgui.fields import Spec, specs
from dfgui.presets import PRESETS

LONG = 8  # choices; a list of more stands below its table

OPENING = """# Settings

A run is described by settings, and every one of them has a default: name what you want otherwise, and leave out the
rest. The same settings are the form on **Train**, a YAML file, and the command line; where TRL has a name for one,
that is its name.

```yaml
# run.yaml
name: weather-lora
model: {name: demo}
data: {source: rows.jsonl, eval_fraction: 0.1}
method: lora
adapter: {r: 16, lora_alpha: 32}
training: {max_steps: 60, learning_rate: 2.0e-3, logging_steps: 1}
extra: {adam_beta2: 0.95}
```

    python -m dfgui train run.yaml
    python -m dfgui train run.yaml --set training.max_steps=10 --set 'trackers=[tensorboard]'

What stands before the dot is a block of the file, what stands behind it a name in that block: `training.max_steps` is
`training: {max_steps: 60}`. `--set` takes the whole path and wins over the file. Where the tables say *empty*, write
`null` in YAML and on the command line, and leave the field of the form empty. One setting is looked up with
`python -m dfgui settings max_steps`."""

INTRODUCTIONS = {  # of the sections that need a word beside their table
    "data": "Most datasets need `data.source` only. With `data.format: columns`, the settings named `..._column` say "
    "which column is what; that format needs `data.prompt_column` and `data.answer_column`.",
    "adapter": "These matter where `method` is `lora`.",
    "duration": "A run goes by epochs, unless `training.max_steps` says how many steps it takes.",
    "batch": "One update of the weights sees `training.per_device_train_batch_size` x "
    "`training.gradient_accumulation_steps` rows on each device.",
    "checkpoints": "From any checkpoint a run can be resumed, exported, or trained longer.",
    "evaluation": "The held-out rows are those of `data.eval_fraction` or `data.eval_source`; without them nothing is "
    "evaluated.",
    "stopping": "Stopping early and ending with the best both go by evaluations, so rows have to be held out for them.",
    "extra": "The section below lists what it takes.",
}


HERE = {path: there.to for path, there in older.OLDER.items()}  # older name -> the path it has here
HERE |= {f"training.{name}": "training.precision" for name in ("bf16", "fp16")}


def page() -> str:
    """All of docs/settings.md, as Markdown."""
    sections = [*map(_section, GROUPS), _extra(), _own(), _older(), _presets()]
    return "\n\n".join([OPENING, _contents(sections), *sections])


def found(name: str) -> list[Spec]:
    """The settings meant by a path, "training.max_length", or the last part of one, "max_length". Raises UserError."""
    every = [*specs(), *extras()]
    meant = [spec for spec in every if spec.path == name] or [spec for spec in every if _last(spec.path) == name]
    if not meant:
        raise _unknown(name, [spec.path for spec in every])
    return meant


def extras() -> list[Spec]:
    """What `extra` takes, as settings. SFTConfig has their defaults, and docs of its own."""
    return [
        Spec(
            path=f"extra.{name}",
            title=name,
            help=f"As SFTConfig takes it: {_plain(_type(kind))}.",
            group="extra",
            level="advanced",
            kind=_kind(kind),
            default=None,
            optional=True,
        )
        for name, kind in sft_config.EXTRA.items()
    ]


def one(spec: Spec) -> str:
    """One setting in a few lines, for a terminal."""
    own = spec.path.startswith("extra.")
    lines = {"default": "SFTConfig's own" if own else _default(spec), "takes": "" if own else _takes(spec)}
    facts = [f"{name:<9}{_plain(words)}" for name, words in {**lines, "matters": _when(spec)}.items() if words]
    title = spec.path if own else f"{spec.title}: {spec.path}"
    return "\n".join([title, "", spec.help, "", *facts])


def as_json(spec: Spec) -> dict[str, Any]:
    """A setting as scripts want it; one whose default depends on the method has them all."""
    more = {"defaults": LEARNING_RATES} if spec.path == "training.learning_rate" else {}
    return {**spec.model_dump(), **more}


def _contents(sections: Iterable[str]) -> str:
    titles = [section.splitlines()[0].removeprefix("## ") for section in sections]
    return "\n".join(f"- [{title}](#{title.lower().replace(' ', '-')})" for title in titles)


def _section(group: str) -> str:
    members = [spec for spec in specs() if spec.group == group]
    table = _table(("setting", "default", "takes", "what it does"), map(_row, members))
    lists = [_long_list(spec) for spec in members if len(spec.choices) > LONG]
    parts = [f"## {GROUPS[group]}", INTRODUCTIONS.get(group, ""), table, *lists]
    return "\n\n".join(part for part in [*parts, _callback() if group == "callbacks" else ""] if part)


def _row(spec: Spec) -> tuple[str, ...]:
    takes = "one of those below" if len(spec.choices) > LONG else _takes(spec)
    if spec.kind == "several" and len(spec.choices) > LONG:
        takes = "a list of those below"
    help = spec.help.replace("<", "&lt;")  # <think> is no tag here
    what = f"{help} Matters {when}." if (when := _when(spec)) else help
    return f"**{spec.title}**<br>`{spec.path}`", _default(spec), takes, what


def _long_list(spec: Spec) -> str:
    return f"`{spec.path}` takes {', '.join(f'`{choice}`' for choice in spec.choices)}."


def _callback() -> str:
    """What one of `callbacks` holds: it is a block of its own, many times."""
    rows = [(f"`{name}`", str(field.title), str(field.description)) for name, field in Callback.model_fields.items()]
    example = "`callbacks: [{use: 'own.py:Own', args: {path: told.txt}}]`"
    return f"Each of `callbacks` is a block: {example}.\n\n" + _table(("name", "title", "what it does"), rows)


def _default(spec: Spec) -> str:
    if spec.path == "training.learning_rate":
        return ", ".join(f"{_code(rate)} ({method})" for method, rate in LEARNING_RATES.items())
    return "*empty*" if spec.default is None else _code(spec.default)


def _takes(spec: Spec) -> str:
    listed = ", ".join(f"`{choice}`" for choice in spec.choices)
    words: dict[str, Callable[[], str]] = {
        "choice": lambda: listed,
        "several": lambda: f"a list of {listed}" if listed else "a list",
        "switch": lambda: ", ".join([*([listed] if listed else []), "`true`", "`false`"]),
        "integer": lambda: f"a whole number{_bounds(spec)}",
        "number": lambda: f"a number{_bounds(spec)}",
        "mapping": lambda: "`{name: value}`",
        "text": lambda: "text, or a list of texts" if isinstance(spec.default, list) else "text",
    }
    return words[spec.kind]() + (", or *empty*" if spec.optional else "")


def _bounds(spec: Spec) -> str:
    """ ", 1 to 1,024", ", more than 0, at most 10", ", 0 or more"."""
    if spec.minimum is not None and spec.maximum is not None and not spec.exclusive:
        return f", {_number(spec.minimum)} to {_number(spec.maximum)}"
    words = ""
    if spec.minimum is not None:
        low = _number(spec.minimum)
        words += f", more than {low}" if "minimum" in spec.exclusive else f", {low} or more"
    if spec.maximum is not None:
        words += f", {'less than' if 'maximum' in spec.exclusive else 'at most'} {_number(spec.maximum)}"
    return words


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def _when(spec: Spec) -> str:
    """ "where `training.packing` is `true`"; "" where it always matters."""
    each = [f"`{path}` is {_either(list(map(_code, values)))}" for path, values in spec.when.items()]
    return f"where {' and '.join(each)}" if each else ""


def _either(options: list[str]) -> str:
    return " or ".join([", ".join(options[:-1]), options[-1]] if options[:-1] else options)


def _extra() -> str:
    rows = [(f"`{name}`", _type(kind)) for name, kind in sft_config.EXTRA.items()]
    opening = (
        "`extra` hands these to SFTConfig by their names, which TRL and transformers describe. A file may also have "
        "them under `training`; on the command line it is `--set extra.adam_beta2=0.95`."
    )
    return f"## What extra takes\n\n{opening}\n\n{_table(('name', 'takes'), rows)}"


def _type(kind: Any) -> str:
    """A type of EXTRA in words: "a whole number, or *empty*"."""
    parts = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    told = [_one_type(part) for part in parts if part is not type(None)]
    return _either(told) + (", or *empty*" if type(None) in parts else "")


def _one_type(kind: Any) -> str:
    if isinstance(kind, GenericAlias):
        inner = "" if get_args(kind)[-1] is Any else f" of {TYPES[get_args(kind)[-1]][1]}"
        return f"{TYPES[get_origin(kind)][0]}{inner}"
    return TYPES[kind][0]


TYPES = {  # one of them, and several
    bool: ("`true` or `false`", "`true` or `false`"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("text", "texts"),
    list: ("a list", "lists"),
    dict: ("`{name: value}`", "`{name: value}`"),
}


def _kind(kind: Any) -> Any:
    """The same as a Spec has it; what takes texts beside something else is a text."""
    parts = [get_origin(part) or part for part in get_args(kind) or (kind,)] if isinstance(kind, UnionType) else [kind]
    first = get_origin(parts[0]) or parts[0]
    return {bool: "switch", int: "integer", float: "number", dict: "mapping", list: "several"}.get(first, "text")


def _own() -> str:
    reasons: dict[str, list[str]] = {}
    for name, why in sft_config.OWN.items():
        reasons.setdefault(why, []).append(f"`{name}`")
    rows = [(", ".join(names), f"{why[:1].upper()}{why[1:]}.") for why, names in reasons.items()]
    opening = "These names of SFTConfig are refused, each with its reason."
    return f"## What dfgui decides itself\n\n{opening}\n\n{_table(('name', 'why'), rows)}"


def _older() -> str:
    rows = [(f"`{path}`", f"`{to}`") for path, to in HERE.items()]
    gone = [(f"`{path}`", f"{why[:1].upper()}{why[1:]}.") for path, why in older.GONE.items()]
    opening = (
        "Files that were written for SFTConfig, for older TRL or for Unsloth read here too; each such name is told."
    )
    left = "And these are read and not needed:"
    told = [opening, _table(("name", "is here"), rows), left, _table(("name", "why"), gone)]
    return "\n\n".join(["## Older names", *told])


def _presets() -> str:
    opening = (
        "The form offers these starting points, and shows what each would change before it does. In a file they are:"
    )
    return "\n\n".join(["## Presets", opening, *_each_preset()])


def _each_preset() -> Iterator[str]:
    for preset in PRESETS.values():
        values = yaml.safe_dump(recipe.nested(preset.values), sort_keys=False)
        yield f"### {preset.title}\n\n{preset.help}\n\n```yaml\n{values}```"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *(tuple(cell.replace("|", r"\|") for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(value: Any) -> str:
    """A value as YAML has it: `true`, `2e-4`, `[]`."""
    if isinstance(value, float) and 0 < abs(value) < 1e-2:
        digits, power = f"{value:.1e}".split("e")
        return f"`{digits}e{int(power)}`"
    return f"`{value}`" if value and isinstance(value, str) else f"`{json.dumps(value)}`"


def _plain(words: str) -> str:
    return words.replace("`", "").replace("*", "")


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _unknown(name: str, paths: list[str]) -> UserError:
    what, last = f"There is no setting {name}.", _last(name)
    if meant := _by_last(name, HERE):
        return UserError(what, f"{meant} is {HERE[meant]} here.", f"Ask for {HERE[meant]}.")
    if meant := _by_last(name, older.GONE):
        return UserError(what, f"{meant} is not needed: {older.GONE[meant]}.", "Leave it out.")
    if last in sft_config.OWN:
        return UserError(what, sft_config.unknown(last, set(Training.model_fields)), "Leave it out.")
    near = get_close_matches(name, [*paths, *map(_last, paths)], n=1)
    do = f"Did you mean {near[0]}?" if near else "See them all: python -m dfgui settings."
    return UserError(what, "No setting has this path, and none ends with it.", do)


def _by_last(name: str, paths: Iterable[str]) -> str:
    """The path that is this name or ends with it; "" where none does."""
    return next((path for path in paths if path == name), "") or next((p for p in paths if _last(p) == name), "")
