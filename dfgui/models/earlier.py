"""An earlier run as a model: run:7h2kq0x1zz@60 is that checkpoint, run:7h2kq0x1zz the best one or else the last.

    found = find("run:7h2kq0x1zz@60", settings)
    found.folder            its tokenizer, with the chat template; a full checkpoint's weights too
    found.origin            the model that an adapter works on, as the first run of the line named it

A full checkpoint is a model like any other. An adapter goes on being trained as the same adapter on the same base, so
that what comes out is one adapter again; where every weight is to be trained, it is merged into the base first.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dfgui import config
from dfgui.config import EARLIER, RunConfig
from dfgui.errors import UserError
from dfgui.settings import Settings
from dfgui.store import Store

# What an adapter has been made with, and keeps.
ADAPTED = ("r", "lora_alpha", "target_modules", "modules_to_save", "use_rslora", "use_dora")


@dataclass(frozen=True)
class Earlier:
    run: str
    name: str  # what the run is called
    step: int
    folder: Path
    kind: str  # adapter or full
    base: Path  # where the run found the model that it trained; it may have gone since
    origin: config.Model  # how that model is had again
    adapter: config.Adapter  # as the run was asked for it

    @property
    def title(self) -> str:
        return f"{self.name} at step {self.step:,}"

    @property
    def shape(self) -> str:
        modules = self.adapter.target_modules
        layers = modules if isinstance(modules, str) else ", ".join(modules)
        whole = [f"{' and '.join(self.adapter.whole)} whole"] if self.adapter.whole else []
        kinds = [name for name, on in (("rsLoRA", self.adapter.use_rslora), ("DoRA", self.adapter.use_dora)) if on]
        return ", ".join([f"rank {self.adapter.r}, alpha {self.adapter.lora_alpha}, layers {layers}", *whole, *kinds])


def find(name: str, settings: Settings) -> Earlier | None:
    """The checkpoint that a model's name stands for; None for a name of another kind.

    Raises UserError when there is no such run, or no such checkpoint any more.
    """
    asked = EARLIER.fullmatch(name)
    if not asked:
        return None
    store = Store(settings.store_path)
    row = store.runs.get(asked["run"])
    kept = store.checkpoints.of(row["id"])
    if not kept:
        raise UserError(
            f"{row['name']} has no checkpoint.", "There are no weights to begin from.", "Choose another run or model."
        )
    step = int(asked["step"]) if asked["step"] else next((one["step"] for one in kept if one["best"]), kept[-1]["step"])
    checkpoint = store.checkpoints.get(row["id"], step)
    folder = settings.run_folder(row["id"]) / checkpoint["path"]
    if not folder.is_dir():
        raise UserError(
            f"Checkpoint {step} of {row['name']} is no longer on the disk.",
            f"Its folder {folder.name} was moved or deleted.",
            "Choose another checkpoint.",
        )
    adapter = config.Adapter.model_validate(row["config"]["adapter"])
    base = Path(row["facts"].get("base", ""))
    return Earlier(row["id"], row["name"], step, folder, checkpoint["kind"], base, origin(row), adapter)


def origin(row: dict[str, Any]) -> config.Model:
    """The model that a run began from: for a run that trained an earlier one's adapter on, what that one began from."""
    model = config.Model.model_validate(row["facts"].get("origin") or row["config"]["model"])
    base = Path(row["facts"].get("base", ""))
    if base.parent.name == "snapshots":  # of the Hub's cache: the commit that was trained on
        model.revision = base.name
    return model


def pinned(row: dict[str, Any]) -> RunConfig:
    """The config of a run, its model at the commit that the run began from: the branch may have moved since."""
    run = RunConfig.model_validate(row["config"])
    if not EARLIER.fullmatch(run.model.name):
        run.model = origin(row)
    return run


def facts(name: str, settings: Settings) -> dict[str, Any]:
    """What a run that begins from `name` keeps of it, so that it can do without the earlier run later."""
    found = find(name, settings)
    return {"origin": found.origin.model_dump()} if found and found.kind == "adapter" else {}


def settled(run: RunConfig, settings: Settings) -> RunConfig:
    """The config with a checkpoint named by its step, and with the shape of the adapter that will be trained on."""
    found = find(run.model.name, settings)
    if found is None:
        return run
    run = run.model_copy(deep=True)
    run.model.name = f"run:{found.run}@{found.step}"
    run.name = run.name or f"{found.name} longer"
    if goes_on(run, found):
        for name in ADAPTED:
            setattr(run.adapter, name, getattr(found.adapter, name))
    return run


def goes_on(run: RunConfig, found: Earlier | None) -> bool:
    """Whether the run trains the very adapter of the checkpoint on."""
    return found is not None and found.kind == "adapter" and run.method == "lora"


def words(run: RunConfig, settings: Settings) -> str:
    """How a run begins that begins from an earlier one, for its log; "" for every other run."""
    found = find(run.model.name, settings)
    if found is None:
        return ""
    if goes_on(run, found):
        return f"Begins with {found.title}: its adapter is trained on ({found.shape})."
    return f"Begins with {found.title}{', its adapter merged into the base' if found.kind == 'adapter' else ''}."


def model(run: RunConfig, base: Any, settings: Settings) -> Any:
    """What the run trains: its base, or the base with the adapter it began from, on top or merged."""
    found = find(run.model.name, settings)
    if found is None or found.kind == "full":
        return base
    from peft import PeftConfig, PeftModel

    how: Any = PeftConfig.from_pretrained(str(found.folder))
    how.lora_dropout = run.adapter.lora_dropout
    how.base_model_name_or_path = base.name_or_path  # it may have moved since
    adapted = PeftModel.from_pretrained(base, str(found.folder), is_trainable=goes_on(run, found), config=how)
    if goes_on(run, found):
        return adapted
    merged: Any = adapted.merge_and_unload()
    return merged.requires_grad_(True)
