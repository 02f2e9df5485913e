"""The folder of a run as a script: all that its train.py (source.py) reads, so that it runs alone.

    train.py  train.parquet  eval.parquet  tokenizer/  model/  adapter/  requirements.txt  run.yaml

model/ is there where the base is not on the Hub, adapter/ where the run goes on from an earlier one's. The rows are
prepared as a run prepares them: what the preview shows, token by token.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from dfgui import recipe
from dfgui.artifacts import package
from dfgui.artifacts.folders import new_folder, require_space
from dfgui.config import RunConfig
from dfgui.data import prepare, rows
from dfgui.errors import UserError
from dfgui.models import backends, chat_template, earlier, imports, load
from dfgui.settings import Settings
from dfgui.training import callback_source, methods
from dfgui.training.script import places, source
from dfgui.training.script.known import began_from, is_on_the_hub, known
from dfgui.training.script.own import file_name
from dfgui.training.script.requirements import requirements


def write(config: RunConfig, settings: Settings, to: Path, facts: dict[str, Any] | None = None, run: str = "") -> Path:
    """Writes the folder `to`; returns its train.py. Raises UserError, and then leaves nothing behind.

    `facts` are those of the run `run`, where it has begun: then its rows must be the same still.
    """
    for one in config.callbacks:
        settings.may_run(one.use)
        callback_source.describe(one.use, settings)
    facts = {**earlier.facts(config.model.name, settings), **(facts or {})}
    model = began_from(config, facts)
    base = _base(facts, config, settings)
    asked = config.model.model_copy(update={"revision": model.revision}) if is_on_the_hub(model) else config.model
    tokenizer = load.tokenizer(asked, settings, spoken=rows.are_spoken(config.data, settings))
    training = config.training
    prepared = prepare.prepare(config.data, tokenizer, training.max_length, training.seed, settings)
    _require_the_same_rows(prepared, facts)
    marks = chat_template.marks_to_learn(tokenizer, base, config.model)
    facts |= {
        "base": base,
        "eval_rows": len(prepared.eval) if prepared.eval is not None else 0,
        "marks": len(marks),
        "vocabulary": len(tokenizer),
        "learned": _rows_learned(config, base, marks),
    }
    found = known(config, settings, facts, run)
    weights = package.model_files(Path(base)) if found.model == places.MODEL else []
    with new_folder(Path(to)) as part:
        require_space(part, sum(file.stat().st_size for file in weights))
        _copy(weights, part / places.MODEL)
        tokenizer.save_pretrained(part / places.TOKENIZER)
        prepared.train.to_parquet(part / places.TRAIN)
        if found.evaluates:
            prepared.eval.to_parquet(part / places.EVAL)
        if found.adapter:
            _copy_adapter(config, settings, part / places.ADAPTER)
        _copy_what_it_names(config, settings, part)
        (part / places.RECIPE).write_text(recipe.to_yaml(config), encoding="utf-8")
        (part / "requirements.txt").write_text(requirements(config, found), encoding="utf-8")
        (part / "train.py").write_text(source.text(config, found), encoding="utf-8")
    return Path(to) / "train.py"


def _base(facts: dict[str, Any], config: RunConfig, settings: Settings) -> str:
    """The folder of the base: its weights too, unless they stay on the Hub."""
    if facts.get("base") and Path(facts["base"]).is_dir():
        return facts["base"]
    model = began_from(config, facts)
    return load.folder_of_words(model, settings) if is_on_the_hub(model) else load.fetch(model, settings)


def _require_the_same_rows(prepared: Any, facts: dict[str, Any]) -> None:
    if facts.get("rows_digest") not in (None, prepared.digest()):
        raise UserError(
            "The rows are not those that this run was trained on.",
            "The dataset, or what is made of it, has changed since: the script would train something else.",
            "Bring the dataset back as it was, or write the script of the run's settings as of today, from its YAML.",
            field="data.source",
        )


def _rows_learned(config: RunConfig, base: str, marks: list[int]) -> dict[str, list[int]]:
    """The rows of the embeddings that a new adapter learns, by the name of their layer."""
    if not marks or config.method != "lora":
        return {}
    imports.for_loading()
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):  # its layers without their weights
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base, trust_remote_code=False))
    return dict.fromkeys(backends.of("trl").embeddings(model, config.adapter), marks)


def _copy(files: list[Path], to: Path) -> None:
    for file in files:
        to.mkdir(exist_ok=True)
        shutil.copy2(file, to / file.name)


def _copy_adapter(config: RunConfig, settings: Settings, to: Path) -> None:
    """The adapter of the earlier run, with the dropout of this one; its base is the script's business."""
    found = earlier.find(config.model.name, settings)
    assert found  # known has found it
    _copy([file for file in package.files_of(found.folder) if file.name.startswith("adapter_")], to)
    described = to / "adapter_config.json"
    how = json.loads(described.read_text(encoding="utf-8"))
    how |= {"lora_dropout": config.adapter.lora_dropout, "base_model_name_or_path": None}
    described.write_text(json.dumps(how, indent=2), encoding="utf-8")


def _copy_what_it_names(config: RunConfig, settings: Settings, to: Path) -> None:
    """Files of the callbacks folder, that of a method of its own, and the one that sets up accelerate."""
    if methods.chooser(config.method):
        _copy_file(methods.file(config.method), to / f"{places.METHOD.format(config.method)}.py")
    for one in config.callbacks:
        place = one.use.partition(":")[0]
        if place.endswith(".py"):
            _copy_file(settings.callbacks / place, to / file_name(place))
    if config.run.placement == "accelerate" and config.run.accelerate_config:
        _copy_file(settings.may_read(config.run.accelerate_config), to / places.ACCELERATE)


def _copy_file(file: Path, to: Path) -> None:
    if not file.is_file():
        raise UserError(f"{file.name} is not there.", f"{file} is gone, and the script needs it.", "Put it back.")
    shutil.copyfile(file, to)
