"""The settings of RunConfig one by one, as a form, a page of docs or a help text wants them.

Spec(path="training.learning_rate", title="Learning rate", kind="number", default=2e-4, minimum=0, ...)
"""

from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from dfgui.config import Block, RunConfig

# several: any of the choices; where there are none here, what can be chosen depends on the place
# switch: true or false, and where there are choices one of those
# mapping: settings by name, {"adam_beta2": 0.95}
Kind = Literal["number", "integer", "switch", "choice", "several", "text", "mapping"]


class Spec(BaseModel):
    """One setting as a form, a page of docs or a help text wants it."""

    path: str  # "training.learning_rate"
    title: str
    help: str
    group: str
    level: str
    kind: Kind
    default: Any
    choices: list[str] = []
    minimum: float | None = None
    maximum: float | None = None
    exclusive: list[Literal["minimum", "maximum"]] = []  # which of the two is not itself allowed
    optional: bool = False
    when: dict[str, list[Any]] = {}  # the values of other settings for which this one matters, by path


def specs() -> list[Spec]:
    """Every setting of RunConfig, in the order of the class."""
    return [
        spec
        for name, field in RunConfig.model_fields.items()
        for spec in (_block_specs(name, field) if name in BLOCKS else [_spec(name, field)])
    ]


BLOCKS = {  # the names of RunConfig under which a block of settings stands
    name
    for name, field in RunConfig.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Block)
}


def _block_specs(name: str, field: Any) -> list[Spec]:
    return [_spec(f"{name}.{inner}", info) for inner, info in field.annotation.model_fields.items()]


EXCLUSIVE: dict[str, Literal["minimum", "maximum"]] = {"Gt": "minimum", "Lt": "maximum"}


def _spec(path: str, field: Any) -> Spec:
    parts = [part for part in get_args(field.annotation) if part is not type(None)]
    optional = type(None) in get_args(field.annotation)
    inner = parts[0] if optional and len(parts) == 1 else field.annotation
    several = get_origin(inner) is list
    offered = get_args(inner)[0] if several else inner
    switch = bool in parts  # which may have a third position beside, "auto"
    literal = next((part for part in (offered, *parts) if get_origin(part) is Literal), None)
    choices = [str(choice) for choice in get_args(literal)]
    kinds: dict[Any, Kind] = {bool: "switch", int: "integer", float: "number", dict[str, Any]: "mapping"}
    bounds = {type(rule).__name__: rule for rule in field.metadata}
    low = getattr(bounds.get("Ge"), "ge", getattr(bounds.get("Gt"), "gt", None))
    high = getattr(bounds.get("Le"), "le", getattr(bounds.get("Lt"), "lt", None))
    return Spec(
        path=path,
        title=field.title,
        help=field.description,
        group=field.json_schema_extra["group"],
        level=field.json_schema_extra["level"],
        kind="several" if several else "switch" if switch else "choice" if choices else kinds.get(inner, "text"),
        default=field.default,
        choices=choices,
        minimum=low,
        maximum=high,
        exclusive=[end for rule, end in EXCLUSIVE.items() if rule in bounds],
        optional=optional,
        when=field.json_schema_extra["when"],
    )
