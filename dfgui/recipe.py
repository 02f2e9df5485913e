"""A run as people write it: nested values, a YAML file, NAME=VALUE; and what is wrong with it, field by field.

from_yaml("training: {max_steps: 60}", ["training.learning_rate=2e-4"])  ->  RunConfig
problems({"training": {"learning_rate": 0}})  ->  {"training.learning_rate": "0 is too small: use more than 0."}
"""

import json
from difflib import get_close_matches
from typing import Any

import yaml
from pydantic import ValidationError

from dfgui.config import FieldErrors, RunConfig, Training, older, sft_config
from dfgui.errors import UserError
from dfgui.fields import BLOCKS, specs


def parse(values: dict[str, Any]) -> RunConfig:
    """A RunConfig from nested values. Raises UserError naming every field that is wrong."""
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        raise _refusal(_problems(error)) from error


def problems(values: dict[str, Any]) -> dict[str, str]:
    """What is wrong by field: {"training.learning_rate": "0 is too small: use more than 0."}. Empty: all is well."""
    try:
        RunConfig.model_validate(values)
    except ValidationError as error:
        return _problems(error)
    return {}


def _refusal(wrong: dict[str, str]) -> UserError:
    titles = {spec.path: spec.title for spec in specs()}
    named = {path: f"{titles[path]} ({path})" if path in titles else path for path in wrong}
    path, words = next(iter(wrong.items()))
    if len(wrong) == 1:
        return UserError(
            f"{named[path] or 'The configuration'} is not usable.", words, "Change it and start again.", field=path
        )
    every = " ".join(f"{named[path]}: {words}" for path, words in wrong.items())
    return UserError(f"{len(wrong)} settings are not usable.", every, "Change them and start again.", field=path)


def _problems(error: ValidationError) -> dict[str, str]:
    """Of several things wrong with one field the first is told."""
    found: dict[str, str] = {}
    for one in error.errors():
        together = one.get("ctx", {}).get("error")
        several = together.errors if isinstance(together, FieldErrors) else []
        for path, words in [(each.field, str(each)) for each in several] or [_problem(one)]:
            found.setdefault(path, words)
    return found


def _problem(error: Any) -> tuple[str, str]:
    limits = error.get("ctx", {})
    path = getattr(limits.get("error"), "field", None) or ".".join(
        str(part)
        for part in error["loc"]
        if not str(part).startswith(("str", "constrained-str", "list[", "literal[", "bool"))
    )
    given = error.get("input")
    words = {
        "greater_than": lambda: f"{given} is too small: use more than {limits['gt']:g}.",
        "greater_than_equal": lambda: f"{given} is too small: use at least {limits['ge']:g}.",
        "less_than": lambda: f"{given} is too large: use less than {limits['lt']:g}.",
        "less_than_equal": lambda: f"{given} is too large: use at most {limits['le']:g}.",
        "literal_error": lambda: _no_choice(given, limits["expected"]),
        "extra_forbidden": lambda: _unknown(path),
        "value_error": lambda: str(limits["error"]),
        "int_from_float": lambda: f"{given} is not a whole number.",
        "int_parsing": lambda: f"{given!r} is not a whole number.",
        "float_parsing": lambda: f"{given!r} is not a number.",
        "float_type": lambda: "A number is needed.",
        "int_type": lambda: "A whole number is needed.",
        "bool_type": lambda: "It is either true or false.",
        "string_type": lambda: "A text is needed.",
        "list_type": lambda: "A list is needed.",
    }.get(error["type"], lambda: f"{error['msg']}.")
    return path, words()


def _no_choice(given: Any, expected: str) -> str:
    return f"It is empty: use {expected}." if given is None else f"{given!r} is not one of {expected}."


def _unknown(path: str) -> str:
    block, _, name = path.rpartition(".")
    if block == "training":
        return sft_config.unknown(name, set(Training.model_fields))
    near = get_close_matches(path, [spec.path for spec in specs()], n=1)
    return "There is no setting of this name." + (f" Did you mean {near[0]}?" if near else "")


def from_yaml(text: str, overrides: list[str] | None = None) -> RunConfig:
    """A RunConfig from YAML, with `training.max_steps=10` style overrides on top. Raises UserError."""
    return read(text, overrides)[0]


def read(text: str, overrides: list[str] | None = None, file: str = "") -> tuple[RunConfig, list[str]]:
    """The same, and a sentence for each name in it that dfgui has another name for. Errors name the `file`."""
    values = _loaded(text, file or "The configuration")
    for override in overrides or []:
        _override(values, override)
    try:
        config = parse(values)
    except UserError as error:
        if file:
            error.what = f"{file}: {error.what}"
        raise
    return config, older.translated(values)[1]


def _loaded(text: str, file: str) -> dict[str, Any]:
    try:
        values = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise UserError(f"{file} is not YAML.", str(error).replace("\n", " "), "Correct the line it names.") from error
    if not isinstance(values, dict):
        how = "It should read like `model: {name: demo}`."
        raise UserError(f"{file} is not a set of settings.", how, "See the README.")
    return values


def _override(values: dict[str, Any], override: str) -> None:
    path, equals, text = override.partition("=")
    if not equals:
        raise UserError(
            f"--set {override} has no value.", "It is written NAME=VALUE.", "For example --set training.max_steps=10."
        )
    *blocks, name = path.strip().split(".")
    for block in blocks:
        if values.get(block) is None:
            values[block] = {}
        values = values[block]
        if not isinstance(values, dict):
            raise UserError(
                f"--set {override} does not fit.", f"{block} is not a block of settings.", "Check the name."
            )
    try:
        values[name] = value(path.strip(), text)
    except yaml.YAMLError as error:
        raise UserError(
            f"--set {override} cannot be read.", "Its value is not YAML.", "Put quotes around a text: NAME='\"...\"'."
        ) from error


def value(path: str, text: str) -> Any:
    """What NAME=VALUE gives a setting: JSON, or YAML, which reads 2e-4 and every character beyond 16 bit otherwise.

    NAME= is an empty text where the setting is a text that cannot be absent, and else nothing.
    """
    if not text.strip():
        spec = next((spec for spec in specs() if spec.path == path), None)
        return "" if spec and spec.kind == "text" and not spec.optional else None
    try:
        return json.loads(text)
    except ValueError:
        return yaml.safe_load(text)


def to_yaml(config: RunConfig) -> str:
    """The whole config, defaults included, as YAML that `from_yaml` reads back to an equal config."""
    return _as_yaml(config.model_dump())


def to_short_yaml(config: RunConfig) -> str:
    """What a person would have written: what is trained on what, and all that is not as it is anyway.

    `from_yaml` reads it back to an equal config, as long as the defaults stay what they are.
    """
    values = flat(config.model_dump())
    told = {*ALWAYS, *differing(values)}
    if any(path.startswith("early_stopping.") for path in told):  # how to stop is nothing without when
        told.add("early_stopping.patience")
    return _as_yaml(nested({path: value for path, value in values.items() if path in told}))


ALWAYS = ("model.name", "data.source", "method")


def differing(values: dict[str, Any]) -> dict[str, Any]:
    """Of settings by path those that are not as they are anyway: {"training.max_steps": 60}."""
    usual = flat(RunConfig.model_validate({"method": values.get("method", "lora")}).model_dump())
    return {path: value for path, value in values.items() if path not in usual or value != usual[path]}


def _as_yaml(values: dict[str, Any]) -> str:
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    if yaml.safe_load(text) == values:
        return text
    return yaml.safe_dump(values, sort_keys=False)  # some line breaks of Unicode come back only when they are escaped


def flat(values: dict[str, Any]) -> dict[str, Any]:
    """A config by path: {"training.max_steps": 60, ...}. Blocks are opened; what stands in a setting stays whole."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        opened = name in BLOCKS and isinstance(value, dict)
        found |= {f"{name}.{inner}": one for inner, one in value.items()} if opened else {name: value}
    return found


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """Settings by path in their blocks again, as `parse` takes them."""
    result: dict[str, Any] = {}
    for path, value in values.items():
        *blocks, name = path.split(".")
        inner = result
        for block in blocks:
            inner = inner.setdefault(block, {})
        inner[name] = value
    return result
