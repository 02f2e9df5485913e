"""Runs that have ended, made without training."""

import os

from dfgui import settings
from dfgui.config import RunConfig
from dfgui.data import held_out, prepare
from dfgui.models import demo
from dfgui.store import Store, Writer


def run_with_adapter(home, name, std):
    """A stopped run of the demo with a checkpoint at step 20: a random adapter, the stranger the larger its `std`."""
    from dfgui.models import load
    from tests.tiny import tiny_adapter

    store = Store(home / "dfgui.db")
    run = store.runs.create(RunConfig(name=name), f"pid:{os.getpid()}")
    folder = home / "runs" / run / "checkpoint-20"
    model, tokenizer = load.trained(demo.BASE, str(demo.BASE), "float32")
    tiny_adapter(model, std=std).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "trainer_state.json").write_text('{"global_step": 20}')
    asked = RunConfig()
    prepared = prepare.prepare(asked.data, tokenizer, 1024, asked.training.seed, settings.load(home=home))
    held_out.save(home / "runs" / run, prepared.held_out, prepared.test)
    with Writer(store.path, run) as writer:
        writer.facts(base=str(demo.BASE), dtype="float32")
        writer.checkpoint(20, "checkpoint-20", "adapter", 1_000_000, 0.7)
    store.runs.move(run, "stopped", "Stopped by the test.")
    return run
