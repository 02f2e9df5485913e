"""Runs that have ended, made without training."""

import os

from dfgui import settings
from dfgui.config import RunConfig
from dfgui.data import held_out, prepare
from dfgui.models import demo
from dfgui.store import Store, Writer


def run_with_adapter(home, name, std):
    """A stopped run of the demo with a checkpoint at step 20: a random adapter, the stranger the larger its `std`."""
    store = Store(home / "dfgui.db")
    run = store.runs.create(RunConfig(name=name), f"pid:{os.getpid()}")
    leave_a_checkpoint(home, run, 20, std)
    store.runs.move(run, "stopped", "Stopped by the test.")
    return run


def leave_a_checkpoint(home, run, step, std):
    """A random adapter as the checkpoint of a run of the demo at this step, and the rows that it holds out."""
    from dfgui.models import load
    from tests.tiny import tiny_adapter

    folder = home / "runs" / run / f"checkpoint-{step}"
    model, tokenizer = load.trained(demo.BASE, str(demo.BASE), "float32")
    tiny_adapter(model, std=std).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "trainer_state.json").write_text(f'{{"global_step": {step}}}')
    asked = RunConfig()
    prepared = prepare.prepare(asked.data, tokenizer, 1024, asked.training.seed, settings.load(home=home))
    held_out.save(home / "runs" / run, prepared.held_out, prepared.test)
    with Writer(home / "dfgui.db", run) as writer:
        writer.facts(base=str(demo.BASE), dtype="float32")
        writer.checkpoint(step, folder.name, "adapter", 1_000_000, 0.7)
