"""A run as people write it: nested values, a YAML file, NAME=VALUE; and what is wrong with it, field by field.

from_yaml("training: {max_steps: 60}", ["training.learning_rate=2e-4"])  ->  RunConfig
problems({"training": {"learning_rate": 0}})  ->  {"training.learning_rate": "0 is too small: use more than 0."}
"""

from difflib import get_close_matches
from typing import Any

import yaml
from pydantic import ValidationError

from dfgui.config import RunConfig, Training, older, sft_config
from dfgui.errors import UserError
from dfgui.fields import BLOCKS, specs


def parse(values: dict[str, Any]) -> RunConfig:
    """A RunConfig from nested values. Raises UserError naming the first field that is wrong."""
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        raise first_problem(error) from error


def problems(values: dict[str, Any]) -> dict[str, str]:
    """What is wrong by field: {"training.learning_rate": "0 is too small: use more than 0."}. Empty: all is well."""
    try:
        RunConfig.model_validate(values)
    except ValidationError as error:
        return dict(map(_problem, error.errors()))
    return {}


def first_problem(error: ValidationError) -> UserError:
    path, words = _problem(error.errors()[0])
    title = next((f"{spec.title} ({path})" for spec in specs() if spec.path == path), path or "The configuration")
    return UserError(f"{title} is not usable.", words, "Change it and start again.", field=path)


def _problem(error: Any) -> tuple[str, str]:
    limits = error.get("ctx", {})
    path = getattr(limits.get("error"), "field", None) or ".".join(
        str(part) for part in error["loc"] if not str(part).startswith(("str", "constrained-str", "list["))
    )
    given = error.get("input")
    words = {
        "greater_than": lambda: f"{given} is too small: use more than {limits['gt']:g}.",
        "greater_than_equal": lambda: f"{given} is too small: use at least {limits['ge']:g}.",
        "less_than": lambda: f"{given} is too large: use less than {limits['lt']:g}.",
        "less_than_equal": lambda: f"{given} is too large: use at most {limits['le']:g}.",
        "literal_error": lambda: f"{given!r} is not one of {limits['expected']}.",
        "extra_forbidden": lambda: _unknown(path),
        "value_error": lambda: str(limits["error"]),
        "int_from_float": lambda: f"{given} is not a whole number.",
        "int_parsing": lambda: f"{given!r} is not a whole number.",
        "float_parsing": lambda: f"{given!r} is not a number.",
        "float_type": lambda: "A number is needed.",
        "int_type": lambda: "A whole number is needed.",
    }.get(error["type"], lambda: f"{error['msg']}.")
    return path, words()


def _unknown(path: str) -> str:
    block, _, name = path.rpartition(".")
    if block == "training":
        return sft_config.unknown(name, set(Training.model_fields))
    near = get_close_matches(path, [spec.path for spec in specs()], n=1)
    return "There is no setting of this name." + (f" Did you mean {near[0]}?" if near else "")


def from_yaml(text: str, overrides: list[str] | None = None) -> RunConfig:
    """A RunConfig from YAML, with `training.max_steps=10` style overrides on top. Raises UserError."""
    return read(text, overrides)[0]


def read(text: str, overrides: list[str] | None = None) -> tuple[RunConfig, list[str]]:
    """The same, and a sentence for each name in it that dfgui has another name for."""
    try:
        values = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise UserError(
            "The configuration is not YAML.", str(error).replace("\n", " "), "Mend the line it names."
        ) from error
    if not isinstance(values, dict):
        raise UserError(
            "The configuration is not a set of settings.",
            "It should read like `model: {name: demo}`.",
            "See the README.",
        )
    for override in overrides or []:
        _override(values, override)
    config = parse(values)
    return config, older.translated(values)[1]


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
    # YAML 1.1 reads 2e-4 as text; pydantic turns such text into a number where a number is wanted.
    try:
        values[name] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(
            f"--set {override} cannot be read.", "Its value is not YAML.", "Put quotes around a text: NAME='\"...\"'."
        ) from error


def to_yaml(config: RunConfig) -> str:
    """The whole config, defaults included, as YAML that `from_yaml` reads back to an equal config."""
    values = config.model_dump()
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
