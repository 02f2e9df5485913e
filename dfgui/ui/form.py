"""The settings of a run as fields of a page, generated from fields.specs(): titles, help, choices, groups, levels.

    form = build(skip={"model.name"})                              # inside a Blocks
    button.click(start, inputs_kwargs=form.inputs)
    def start(**given): values = asked(by_path(given))             # {"training.learning_rate": 2e-4, ...}

Fields travel by name: "training.learning_rate" is the keyword "training__learning_rate". The components refuse nothing
themselves: what is wrong is said by problems() alone, beside the field.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from html import escape
from typing import Any

import gradio as gr
import yaml

from dfgui import config, fields, recipe
from dfgui.config import LEARNING_RATES, METHODS, OPTIMIZERS
from dfgui.data.checks import CHECKS
from dfgui.errors import UserError
from dfgui.fields import Spec
from dfgui.models import hardware
from dfgui.views import estimate

SPECS = {spec.path: spec for spec in fields.specs()}
LEVELS = ["Basic", "Advanced", "All"]
RADIOS = {  # the few choices that stand side by side
    "method": {name: said["TITLE"] for name, said in METHODS.items()},
    "run.backend": {"trl": "TRL", "unsloth": "Unsloth" if hardware.has("unsloth") else "Unsloth (not installed)"},
}
STEPS = {"training.learning_rate": 1e-5, "training.num_train_epochs": 0.5, "data.eval_fraction": 0.05}

Values = dict[str, Any]  # by path: {"training.learning_rate": 2e-4}
Updates = dict[Any, Any]  # component -> gr.update(...)


@dataclass(frozen=True)
class Form:
    fields: dict[str, Any] = field(default_factory=dict)  # path -> component
    groups: dict[str, Any] = field(default_factory=dict)  # group -> its gr.Accordion
    specs: dict[str, Spec] = field(default_factory=dict)  # path -> the setting, where this place adds to it

    @property
    def inputs(self) -> dict[str, Any]:
        """What an event's `inputs_kwargs` wants: keyword -> component."""
        return {keyword(path): component for path, component in self.fields.items()}

    @property
    def outputs(self) -> list[Any]:
        return [*self.fields.values(), *self.groups.values()]

    def fill(self, values: Values, now: Values | None = None) -> Updates:
        """Updates that give fields new values, where they are not so `now`; paths that this form does not hold are
        left out.
        """
        return {
            self.fields[path]: gr.update(value=shown(path, value))
            for path, value in values.items()
            if path in self.fields and not (now and path in now and same(path, value, now[path]))
        }

    def mark(self, problems: dict[str, str], before: dict[str, str]) -> Updates:
        """Updates that write each problem beside its field, and take away what was mended since `before`."""
        changed = [path for path in problems | before if problems.get(path) != before.get(path)]
        return {
            self.fields[path]: gr.update(
                info=info(self.specs.get(path, SPECS[path]), problems.get(path)),
                elem_classes=classes(path, path in problems),
            )
            for path in changed
            if path in self.fields
        }

    def open(self, problems: Collection[str]) -> Updates:
        """Updates that unfold the groups in which something is wrong."""
        wrong = {SPECS[path].group for path in problems if path in SPECS}
        return {box: gr.update(open=True) for group, box in self.groups.items() if group in wrong}

    def headlines(self, values: Values, problems: Collection[str] = (), devices: int = 1) -> Updates:
        """Updates that say on each group what its values are, or that one is wrong; groups that do not matter hide."""
        wrong = {SPECS[path].group for path in problems if path in SPECS}
        return {
            box: gr.update(label=_headline(group, values, group in wrong, devices), visible=_matters(group, values))
            for group, box in self.groups.items()
        }

    def appearing(self, values: Values, before: Collection[str]) -> tuple[Updates, list[str]]:
        """Updates that show the fields which matter with these values and hide the others; and the hidden ones.

        `before` names the fields that are hidden now.
        """
        hidden = [path for path in self.specs if not applies(path, values)]
        changed = [path for path in self.specs if (path in hidden) != (path in before)]
        return {self.fields[path]: gr.update(visible=path not in hidden) for path in changed}, hidden


def build(
    skip: Collection[str] = (), unfolded: Collection[str] = (), offered: dict[str, dict[str, str]] | None = None
) -> Form:
    """Lays the fields out by group, each group folded to one line unless `unfolded` names it.

    `offered` holds by path what can be chosen in this place alone: {choice: what it is}.
    """
    form = Form()
    specs = [_with_choices(spec, (offered or {}).get(spec.path, {})) for spec in SPECS.values()]
    for group in config.GROUPS:
        if members := [spec for spec in specs if spec.group == group and spec.path not in skip and _asks(spec)]:
            label = _headline(group, defaults())
            with (
                gr.Accordion(
                    label, open=group in unfolded, elem_classes=_group_classes(members), elem_id=f"group-{group}"
                ) as box,
                gr.Row(elem_classes="fields"),
            ):
                form.fields.update({spec.path: _field(spec) for spec in members})
                form.specs.update({spec.path: spec for spec in members})
            form.groups[group] = box
    return form


def merged(*several: Updates) -> Updates:
    """Updates of several kinds as one: of two that change the same component, both hold."""
    result: Updates = {}
    for updates in several:
        for component, update in updates.items():
            result[component] = {**result.get(component, {}), **update}
    return result


def defaults() -> Values:
    return {path: spec.default for path, spec in SPECS.items()}


def keyword(path: str) -> str:
    return path.replace(".", "__")


def by_path(given: dict[str, Any]) -> Values:
    """Keywords back to paths. A field left empty is None where the setting may be absent."""
    values = {name.replace("__", "."): value for name, value in given.items()}
    return {path: None if _is_left_empty(SPECS[path], value) else value for path, value in values.items()}


def asked(values: Values) -> Values:
    """What the form asks for: a setting that does not matter with the others is as it is anyway."""
    before = usual(values)
    return {path: value if applies(path, values) else before[path] for path, value in values.items()}


def usual(values: Values) -> Values:
    """The defaults, as they are for this method."""
    rate = LEARNING_RATES.get(str(values.get("method")), LEARNING_RATES["lora"])
    return defaults() | {"training.learning_rate": rate}


def changed(values: Values) -> Values:
    """Those that a person, a preset or a file has made another than they are anyway."""
    before = usual(values)
    return {
        path: value for path, value in values.items() if applies(path, values) and not same(path, value, before[path])
    }


def problems(values: dict[str, Any]) -> dict[str, str]:
    """What is wrong by field, as recipe.problems() says it; a number that was emptied is to be filled in.

    `values` in their blocks, as `recipe.nested` makes them.
    """
    given = recipe.flat(values)
    rate, before = "training.learning_rate", usual(given)
    found = recipe.problems(values)
    if rate in found:
        found[rate] += f" {estimate.number(before[rate])} is usual."
    emptied = [
        path for path, value in given.items() if value is None and path in SPECS and _needs_a_number(SPECS[path])
    ]
    return found | {path: f"Fill this in: {estimate.number(before[path])} is usual." for path in emptied}


def require_filled(values: dict[str, Any]) -> None:
    """Raises UserError when a number was emptied that cannot be absent: a default is not what was asked for."""
    for path, value in recipe.flat(values).items():
        if value is None and path in SPECS and _needs_a_number(SPECS[path]):
            raise UserError(f"{SPECS[path].title} is empty.", problems(values)[path], "", field=path)


def same(path: str, one: Any, other: Any) -> bool:
    """Whether two values are the same to the form, which knows no difference between nothing and empty."""
    held = [shown(path, value) for value in (one, other)]
    return held[0] == held[1] or all(value in (None, "", []) for value in held)


def _is_left_empty(spec: Spec, value: Any) -> bool:
    return spec.optional and value == ""


def _needs_a_number(spec: Spec) -> bool:
    return spec.kind in ("number", "integer") and not spec.optional


def _matters(group: str, values: Values) -> bool:
    return group != "adapter" or values.get("method") == "lora"


def applies(path: str, values: Values) -> bool:
    """Whether a setting matters with these values of the others."""
    return all(values.get(other) in wanted for other, wanted in SPECS[path].when.items())


def _with_choices(spec: Spec, offered: dict[str, str]) -> Spec:
    """The setting with the choices of this place, each explained in its help."""
    explained = " ".join(f"**{choice}** {words}" for choice, words in offered.items())
    return spec.model_copy(update={"choices": list(offered), "help": f"{spec.help} {explained}"}) if offered else spec


def _asks(spec: Spec) -> bool:
    """Whether there is anything to decide."""
    return len(spec.choices) >= {"choice": 2, "several": 1}.get(spec.kind, 0)


def _field(spec: Spec) -> Any:
    common = {
        "label": spec.title,
        "info": info(spec),
        "value": shown(spec.path, spec.default),
        "elem_classes": classes(spec.path),
        "elem_id": f"field-{keyword(spec.path)}",
        "interactive": True,
        "visible": applies(spec.path, defaults()),
    }
    if spec.kind == "switch" and spec.optional:
        return gr.Dropdown([("auto", ""), ("yes", True), ("no", False)], **common, filterable=False)
    if spec.kind == "switch" and spec.choices:
        third = [(choice, choice) for choice in spec.choices]
        return gr.Dropdown([*third, ("on", True), ("off", False)], **common, filterable=False)
    if spec.kind == "switch":
        return gr.Checkbox(**common)
    if spec.kind == "choice":
        choices = [(_offered(spec.path, choice), choice) for choice in spec.choices]
        return gr.Radio(choices, **common) if spec.path in RADIOS else gr.Dropdown(choices, **common, filterable=False)
    if spec.kind == "several":
        choices = [(_titled(spec.path, choice), choice) for choice in spec.choices]
        return gr.Dropdown(choices, **common, multiselect=True)
    if spec.kind == "text":
        return gr.Textbox(**common)
    if spec.kind == "mapping":
        return gr.Textbox(**common, lines=2, placeholder="name: value")
    if spec.optional:  # a number in Gradio's own field for them cannot be left out: it becomes a 0
        return gr.Textbox(**common, placeholder="–")
    return gr.Number(**common, step=STEPS.get(spec.path, 1 if spec.kind == "integer" else 0.01))


def _offered(path: str, choice: str) -> str:
    """A choice as its menu has it, with the package that it lacks here."""
    package = OPTIMIZERS[choice] if path == "training.optim" else ""
    lacks = f" · needs {package.replace('_', '-')}" if package and not hardware.has(package) else ""
    return RADIOS.get(path, {}).get(choice, choice) + lacks


def info(spec: Spec, problem: str | None = None) -> str:
    """Markdown under the title: what is wrong, the name that TRL, PEFT or else our YAML has for it, what it does."""
    name = spec.path.removeprefix("training.").removeprefix("adapter.")
    wrong = f"**{escape(problem)}** " if problem else ""
    return f"{wrong}`{name}` {spec.help}"


def classes(path: str, wrong: bool = False) -> list[str]:
    return ["field", f"level-{SPECS[path].level}", *(["wrong"] if wrong else [])]


def _group_classes(members: list[Spec]) -> list[str]:
    basic = any(spec.level == "basic" for spec in members)
    return ["group", "level-basic" if basic else "level-advanced"]


def _headline(group: str, values: Values, wrong: bool = False, devices: int = 1) -> str:
    line = "something here cannot be used" if wrong else estimate.headline(group, values, devices)
    return f"{config.GROUPS[group]} · {line}" if line else config.GROUPS[group]


def spoken(path: str, value: Any) -> str:
    """A value as a sentence names it."""
    values = value if isinstance(value, list) else [value]
    return ", ".join(_spoken(path, one) for one in values) or "none"


def _spoken(path: str, value: Any) -> str:
    if value is None or value == "":
        return "none"
    if path == "training.max_steps" and value == -1:
        return "all"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict):  # a callback, or settings by name
        return str(value.get("use") or shown(path, value) or "none")
    return _titled(path, value) if isinstance(value, str) else estimate.number(value)


def _titled(path: str, choice: str) -> str:
    return CHECKS[choice].title if path == "data.leave_out" else choice


def shown(path: str, value: Any) -> Any:
    """A setting's value as its component holds it."""
    spec = SPECS[path]
    if value is None and spec.kind == "switch":
        return ""
    if spec.optional and spec.kind in ("number", "integer"):  # written as a text
        return "" if value is None else str(value)
    if isinstance(value, dict):
        return yaml.safe_dump(value, sort_keys=False, allow_unicode=True).strip() if value else ""
    if not isinstance(value, list):
        return value
    names = [one["use"] if isinstance(one, dict) else one for one in value]
    return ", ".join(map(str, names)) if spec.kind == "text" else names
