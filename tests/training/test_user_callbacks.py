"""S14: callbacks of one's own. Code is named in a config, so what may run is what the owner allowed."""

import json
import sys
from dataclasses import replace

import pytest

from dfgui import actions
from dfgui.errors import UserError
from dfgui.recipe import parse
from dfgui.store import Store
from dfgui.training import callback_source, launcher, log, preflight

PAGE = [  # the table "Available Callback Methods" of DeepFabric's page
    *("on_init_end", "on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end"),
    *("on_step_begin", "on_step_end", "on_log", "on_evaluate", "on_save"),
]

WRITES = """
import json
from pathlib import Path
from transformers import TrainerCallback

class {name}({base}):
    def __init__(self, path, trainer=None, mark="none"):
        self.path, self.mark = Path(path), mark
        self.write("made", type(trainer).__name__)

    def write(self, event, *said):
        with self.path.open("a") as file:
            file.write(json.dumps([event, self.mark, *said]) + "\\n")

"""
ALL = "".join(
    f"    def {event}(self, args, state, control, **kwargs):\n"
    f"        self.write('{event}', state.global_step, sorted(kwargs))\n"
    for event in PAGE
)


@pytest.fixture
def folder(where):
    where.callbacks.mkdir()
    return where.callbacks


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Makes a package own_callbacks; gives the path of its __init__.py."""
    package = tmp_path / "packages" / "own_callbacks"
    package.mkdir(parents=True)
    monkeypatch.syspath_prepend(package.parent)
    yield package / "__init__.py"
    for name in [name for name in sys.modules if name.startswith("own_callbacks")]:
        del sys.modules[name]


def warnings(store, run):
    return [event["text"] for event in store.events.tail(run["id"]) if event["kind"] == "warning"]


@pytest.mark.parametrize("base", ["TrainerCallback", "object"])
def test_s14_all_ten_events_of_the_page_fire_on_init_end_too(train, values, folder, tmp_path, base):
    (folder / "own.py").write_text(WRITES.format(name="Own", base=base) + ALL)
    told = tmp_path / "told.jsonl"
    asked = {"use": "own.py:Own", "args": {"path": str(told), "trainer": "@trainer", "mark": "mine"}}
    run, _ = train({**values, "callbacks": [asked]})
    assert run["status"] == "finished", run["error"]
    lines = [json.loads(line) for line in told.read_text().splitlines()]
    assert {mark for _, mark, *_ in lines} == {"mine"}
    assert lines[0] == ["made", "mine", "Trainer"]
    events = [event for event, *_ in lines[1:]]
    assert events[:3] == ["on_init_end", "on_train_begin", "on_epoch_begin"] and events[-1] == "on_train_end"
    assert set(events) == set(PAGE)
    assert events.count("on_step_end") == 8 and events.count("on_evaluate") == events.count("on_save") == 2
    heard = {event: kwargs for event, _, _, kwargs in lines[1:]}
    assert {"model", "processing_class", "optimizer", "lr_scheduler", "logs"} <= set(heard["on_log"])
    assert run["facts"]["callbacks"] == [{"use": "own.py:Own", "events": PAGE}]


def test_a_callback_may_control_the_run_as_in_transformers(train, values, module):
    module.write_text(
        "from transformers import TrainerCallback\n"
        "class Returns(TrainerCallback):\n"
        "    def on_step_end(self, args, state, control, **kwargs):\n"
        "        control.should_save = state.global_step == 3\n"
        "        return control\n"
        "class Mutates:\n"
        "    def on_step_end(self, args, state, control, **kwargs):\n"
        "        control.should_training_stop = state.global_step == 5\n"
        "        return 'nothing that a trainer knows'\n"
    )
    quiet = {**values["training"], "save_steps": 100}
    run, store = train({**values, "training": quiet, "callbacks": ["own_callbacks:Returns", "own_callbacks:Mutates"]})
    assert [row["step"] for row in store.checkpoints.of(run["id"])] == [3]
    assert (run["status"], run["global_step"]) == ("finished", 5)


FAILS = """
class Fails:
    def on_log(self, args, state, control, logs=None, **kwargs):
        if state.global_step == 3:
            raise RuntimeError("the far end has gone\\nand more")
"""


def test_a_callback_that_raises_is_reported_and_left_out(train, values, folder, where):
    (folder / "own.py").write_text(FAILS)
    run, store = train({**values, "callbacks": ["own.py:Fails"]})
    assert (run["status"], run["global_step"]) == ("finished", 8)
    said = "The callback own.py:Fails failed in on_log and is left out: RuntimeError: the far end has gone."
    assert warnings(store, run).count(said) == 1
    assert "Traceback" in log.tail(where.run_folder(run["id"])) and "line 5" in log.tail(where.run_folder(run["id"]))


def test_a_callback_that_must_not_fail_ends_the_run_with_its_words(train, values, folder, where):
    (folder / "own.py").write_text(FAILS)
    run, store = train({**values, "callbacks": [{"use": "own.py:Fails", "detach": False}]})
    assert (run["status"], run["reason"]) == ("failed", "The callback own.py:Fails failed in on_log.")
    assert run["error"]["why"] == "RuntimeError: the far end has gone."
    assert "detach" in run["error"]["do"]
    assert any("own.py:Fails failed in on_log" in text for text in warnings(store, run))
    assert "Traceback" in log.tail(where.run_folder(run["id"]))


def test_the_folders_files_are_read_afresh_for_each_run(train, values, folder, tmp_path):
    for words in ("one", "two"):
        (folder / "own.py").write_text(f"class Own:\n    def on_train_begin(self, *given, **named):\n        "
                                       f"open({str(tmp_path / 'told')!r}, 'a').write('{words} ')\n")  # fmt: skip
        train({**values, "callbacks": ["own.py:Own"]})
    assert (tmp_path / "told").read_text() == "one two "


def test_a_secret_comes_from_the_environment_and_is_written_nowhere(
    train, values, folder, where, tmp_path, monkeypatch
):
    monkeypatch.setenv("OWN_KEY", "not-for-the-store")
    (folder / "own.py").write_text(
        "class Own:\n    def __init__(self, api_key):\n"
        f"        open({str(tmp_path / 'told')!r}, 'w').write(api_key)\n    def on_log(self, *a, **k): pass\n"
    )
    run, store = train({**values, "callbacks": [{"use": "own.py:Own", "args": {"api_key": "@env:OWN_KEY"}}]})
    assert (tmp_path / "told").read_text() == "not-for-the-store"
    assert "not-for-the-store" not in json.dumps([run, store.events.tail(run["id"])], default=str)


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        ("import surely_not_installed\nclass Own:\n    def on_log(self): pass\n", "could not be imported"),
        ("class Own:\n    def __init__(self): 1 / 0\n    def on_log(self): pass\n", "could not be made"),
    ],
)
def test_what_cannot_be_made_ends_the_run_before_its_first_step(train, values, folder, broken, what):
    (folder / "own.py").write_text(broken)
    run, _ = train({**values, "callbacks": ["own.py:Own"]})
    assert (run["status"], run["global_step"]) == ("failed", 0)
    assert what in run["reason"] and run["error"]["do"].startswith("Correct it")


GOOD = "class Own:\n    def __init__(self, path, *, mark=1): pass\n    def on_log(self, *given, **named): pass\n"


@pytest.mark.parametrize(
    ("asked", "what", "do"),
    [
        ("own.py:Other", "own.py has no class Other.", "spelling"),
        ("none.py:Own", "none.py is not in the callbacks folder.", "Put it there"),
        ("surely_not_installed.callbacks:Own", "surely_not_installed.callbacks cannot be imported.", "install it"),
        ("json.nothing:Own", "json.nothing cannot be imported.", "install it"),
        ("broken.py:Own", "broken.py cannot be read.", "Correct it"),
        ("own.py:Own", "own.py:Own cannot be made.", "args"),
        ({"use": "own.py:Own", "args": {"path": "x", "size": 3}}, "own.py:Own cannot be made.", "args"),
        ({"use": "own.py:Own", "args": {"path": "@env:SURELY_NOT_SET"}}, "own.py:Own cannot have its path.", "Set it"),
        ({"use": "own.py:Own", "args": {"path": "@model"}}, "own.py:Own cannot have its path.", "@trainer"),
    ],
)
def test_what_cannot_work_is_refused_before_the_run(where, values, folder, asked, what, do):
    (folder / "own.py").write_text(GOOD)
    (folder / "broken.py").write_text("class Own(:\n")
    run = parse({**values, "callbacks": [asked]})
    (stop,) = [note for note in preflight.notes(run, where) if note.kind == "stop"]
    assert (stop.title, stop.field, do in stop.do) == (what, "callbacks", True)
    with pytest.raises(UserError) as caught:
        actions.start(where, run)
    assert caught.value.what == what and Store(where.store_path).runs.all() == []


def test_what_will_be_heard_is_said_before_the_run(where, values, folder):
    (folder / "own.py").write_text(GOOD)
    run = parse({**values, "callbacks": [{"use": "own.py:Own", "args": {"path": "x"}}]})
    note = next(note for note in preflight.notes(run, where) if note.title == "Callback")
    assert (note.kind, note.text) == ("ok", "own.py:Own hears on_log.")


def test_a_page_runs_only_what_the_owner_allowed(where, values, folder, module, model_folder, rows_file):
    """The command line names what it likes; a page is refused the same until the owner allows it."""
    module.write_text(GOOD)
    (folder / "own.py").write_text(GOOD)
    args = {"path": "x"}
    page = replace(where, jailed=True, allowed=(model_folder.parent, rows_file.parent))
    for use, allowed, flag in (
        ("own_callbacks:Own", {"allowed_callbacks": ("own_callbacks:Own",)}, "--allow-callback own_callbacks:Own"),
        ("own_callbacks:Own", {"allowed_callbacks": ("own_callbacks",)}, "--allow-callback own_callbacks:Own"),
        ("own.py:Own", {"callbacks_folder": True}, "--allow-callbacks-folder"),
    ):
        asked = {**values, "callbacks": [{"use": use, "args": args}]}
        assert actions.start(where, asked)
        with pytest.raises(UserError, match=flag):
            actions.start(page, asked)
        assert actions.start(replace(page, **allowed), asked)


def test_a_page_may_not_read_the_environment_through_a_callback(where, values, folder, model_folder, rows_file):
    (folder / "own.py").write_text(GOOD)
    page = replace(where, jailed=True, allowed=(model_folder.parent, rows_file.parent), callbacks_folder=True)
    with pytest.raises(UserError, match="may not read the environment"):
        actions.start(page, {**values, "callbacks": [{"use": "own.py:Own", "args": {"path": "@env:HOME"}}]})


def test_what_was_allowed_at_the_start_runs_in_the_app(where, values, folder, model_folder, rows_file, tmp_path):
    (folder / "own.py").write_text(WRITES.format(name="Own", base="TrainerCallback") + ALL)
    page = replace(where, jailed=True, allowed=(model_folder.parent, rows_file.parent), callbacks_folder=True)
    asked = {"use": "own.py:Own", "args": {"path": str(tmp_path / "told")}}
    run = actions.start(page, {**values, "callbacks": [asked]}, executor="test")
    launcher.run_here(run, page)
    assert Store(where.store_path).runs.get(run)["status"] == "finished"
    assert "on_train_end" in (tmp_path / "told").read_text()


def test_a_class_is_described_without_being_imported(where, module):
    module.write_text("raise SystemExit('imported')\n")
    (module.parent / "inner.py").write_text(
        "from transformers import TrainerCallback\nraise SystemExit('imported')\n"
        "class Base(TrainerCallback):\n"
        "    def __init__(self, path, size=3, *, mark, **more): pass\n"
        "    def on_save(self): pass\n"
    )
    (module.parent / "outer.py").write_text(
        "from .inner import Base as Inner\nclass Own(Inner):\n    def on_log(self): pass\n    def helper(self): pass\n"
    )
    seen = callback_source.describe("own_callbacks.outer:Own", where)
    assert seen.events == ("on_log", "on_save")
    assert (seen.accepts, seen.required, seen.any_argument) == (("path", "size", "mark"), ("path", "mark"), True)
    assert callback_source.describe("own_callbacks.outer:Inner", where).events == ("on_save",)
    assert callback_source.classes("own_callbacks.outer", where) == ["own_callbacks.outer:Own"]
    assert not [name for name in sys.modules if name.startswith("own_callbacks")]


def test_a_page_is_offered_what_is_allowed_and_what_each_hears(where, folder, module):
    module.write_text(GOOD + "class Deaf: pass\n")
    (folder / "own.py").write_text(WRITES.format(name="Own", base="TrainerCallback") + ALL)
    assert callback_source.offered(where) == {}
    allowed = replace(where, allowed_callbacks=("own_callbacks", "surely_not_installed:Own"), callbacks_folder=True)
    assert actions.callbacks(allowed) == {
        "own_callbacks:Own": "hears on_log.",
        "own.py:Own": f"hears {', '.join(PAGE[:-1])} and {PAGE[-1]}.",
    }


def test_the_callbacks_of_libraries_are_understood(where):
    seen = callback_source.describe("transformers:EarlyStoppingCallback", where)
    assert set(seen.events) == {"on_train_begin", "on_evaluate"}
    assert seen.accepts == ("early_stopping_patience", "early_stopping_threshold")


def test_what_the_source_does_not_tell_is_left_to_the_run(where, module):
    module.write_text("def make(): ...\nOwn = make()\n")
    assert callback_source.describe("own_callbacks:Own", where).events == ()
    assert callback_source.describe("_json:Own", where).events == ()  # compiled: there is no source
    assert callback_source.describe("own_callbacks:Own", where).trouble({"any": 1}) == ""
