"""Which engine trains a run, and what has to be there for it."""

import os

import pytest

from dfgui import actions
from dfgui.errors import UserError
from dfgui.models import hardware
from dfgui.models.backends import unsloth
from dfgui.recipe import parse
from dfgui.store import Store
from dfgui.training import engine, launcher, preflight


@pytest.fixture
def installed(monkeypatch):
    """Says which packages are there."""

    def say(*names):
        monkeypatch.setattr(hardware, "has", lambda name: name in names)

    return say


def by_unsloth(values, **given):
    return parse({**values, **given, "run": {"backend": "unsloth", **given.get("run", {})}})


def note(notes, title):
    return next(note for note in notes if note.title == title)


def test_a_run_of_unsloth_never_shares_a_process(values):
    assert by_unsloth(values).run.placement == "process"
    assert parse(values).run.placement == "thread"


def test_unsloth_that_is_not_installed_stops_the_start_with_the_cure(where, values, installed):
    installed()
    config = by_unsloth(values)
    with pytest.raises(UserError, match="not installed") as caught:
        preflight.require(config, where)
    assert "pip install --no-deps -r requirements-unsloth.txt" in caught.value.do
    assert note(preflight.notes(config, where), "Unsloth is not installed.").field == "run.backend"
    preflight.require(parse(values), where)


def test_without_a_gpu_it_is_said_that_unsloth_is_no_faster(where, values, installed, monkeypatch):
    installed("unsloth", "unsloth_zoo")
    packed = {**values, "training": {**values["training"], "packing": True}}
    told = note(preflight.notes(by_unsloth(packed), where), "Engine")
    assert told.kind == "warn" and "no faster" in told.text and "packing is left off" in told.text
    card = hardware.Hardware("cuda", "NVIDIA L4", True, 24_000_000_000)
    monkeypatch.setattr(hardware, "look", lambda: card)
    told = note(preflight.notes(by_unsloth(packed), where), "Engine")
    assert (told.kind, told.text) == ("ok", "Unsloth, in a process of its own.")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"run": {"placement": "accelerate"}}, "run.placement"),
        ({"adapter": {"target_modules": "q_proj, lm_head"}}, "adapter.target_modules"),
    ],
)
def test_what_unsloth_does_not_do_here_is_refused_beside_its_field(where, values, installed, given, field):
    installed("unsloth", "unsloth_zoo")
    with pytest.raises(UserError, match="Unsloth") as caught:
        preflight.require(by_unsloth(values, **given), where)
    assert caught.value.field == field and "choose TRL" in caught.value.do


def in_bits(values, bits, **more):
    return parse({**values, **more, "model": {**values["model"], f"load_in_{bits}bit": True}})


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize(
    ("method", "device", "packages", "match"),
    [
        ("full", "cuda", ["bitsandbytes"], "cannot be trained"),
        ("lora", "mps", ["bitsandbytes"], "do not work here"),
        ("lora", "cuda", [], "need bitsandbytes"),
    ],
)
def test_a_base_in_few_bits_is_refused_where_it_cannot_be(
    where, values, installed, monkeypatch, bits, method, device, packages, match
):
    installed(*packages)
    monkeypatch.setattr(hardware, "look", lambda: hardware.Hardware(device, "A device", True, 24_000_000_000))
    with pytest.raises(UserError, match=match) as caught:
        preflight.require(in_bits(values, bits, method=method), where)
    assert caught.value.field == f"model.load_in_{bits}bit" and caught.value.do


def test_a_base_is_held_in_4_bit_or_in_8(values):
    with pytest.raises(UserError, match="in 4 bit already"):
        parse({**values, "model": {**values["model"], "load_in_4bit": True, "load_in_8bit": True}})


def test_a_base_in_4_bit_is_no_earlier_run(values):
    config = parse({**values, "model": {"name": "run:abcdefgh@8", "load_in_4bit": True}})
    with pytest.raises(UserError, match="earlier run"):
        engine.require_bits(config)


@pytest.mark.parametrize(("device", "kind"), [("cuda", "ok"), ("cpu", "warn")])
def test_a_base_in_few_bits_is_told_of_where_it_can_be(where, values, installed, monkeypatch, device, kind):
    installed("bitsandbytes")
    monkeypatch.setattr(hardware, "look", lambda: hardware.Hardware(device, "A device", True, 24_000_000_000))
    four, eight = (preflight.notes(in_bits(values, bits), where) for bits in (4, 8))
    assert note(four, "Base in 4 bit").kind == kind and "a quarter" in note(four, "Base in 4 bit").text
    assert note(eight, "Base in 8 bit").kind == kind and "half" in note(eight, "Base in 8 bit").text


def test_a_run_of_trl_never_imports_unsloth(where, values, tmp_path, monkeypatch):
    stand_in = tmp_path / "packages" / "unsloth"
    stand_in.mkdir(parents=True)
    (stand_in / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.setenv("PYTHONPATH", str(stand_in.parent))
    asked = {**values, "training": {**values["training"], "max_steps": 1}, "run": {"placement": "process"}}
    run = actions.start(where, asked, executor=f"pid:{os.getpid()}")
    launcher.run_apart(run, where)
    row = Store(where.store_path).runs.get(run)
    assert row["status"] == "finished", row["error"]
    assert row["facts"]["engine"].startswith("TRL ") and "process of its own" in row["facts"]["runs_in"]


def test_unsloth_is_never_imported_where_trl_is_in_use(tmp_path):
    import trl  # noqa: F401

    with pytest.raises(UserError, match="cannot begin in this process"):
        unsloth.begin(tmp_path)
