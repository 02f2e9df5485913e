"""A run whose base has moved asks where it is and takes no other model for it; a quantised one is not merged into."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from dfgui import actions, cli
from dfgui.errors import UserError
from dfgui.models import base, load
from dfgui.store import Store
from dfgui.training import launcher


@pytest.fixture
def trained(train, values, model_folder, tmp_path):
    """A run of a model in a folder of its own, with two checkpoints: (its row, the folder)."""
    folder = shutil.copytree(model_folder, tmp_path / "model")
    training = {**values["training"], "max_steps": 4, "save_strategy": "steps", "save_steps": 2}
    run, _ = train({**values, "model": {"name": str(folder)}, "training": training})
    assert run["status"] == "finished", run["error"]
    return run, folder


def merged(where, run, to):
    actions.export(where, run["id"], 4, "merged", to)
    return load_file(to / "model.safetensors")


def test_a_base_that_has_moved_is_asked_for_and_everything_goes_on_with_it(trained, where, tmp_path):
    run, folder = trained
    before = merged(where, run, tmp_path / "before")
    moved = folder.rename(tmp_path / "elsewhere")
    for asks in (
        lambda: merged(where, run, tmp_path / "not yet"),
        lambda: actions.reply(where, run["id"], 0, [{"role": "user", "content": "Hi"}], []),
    ):
        with pytest.raises(UserError, match="is not where it was") as refused:
            asks()
        assert f"dfgui runs base {run['id']} FOLDER" in refused.value.do

    assert actions.name_base(where, run["id"], str(moved)) == {"base": str(moved), "runs": [run["id"]]}
    after = merged(where, run, tmp_path / "after")
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert actions.resume(where, run["id"], 2, executor="test") == 2
    launcher.run_here(run["id"], where)
    row = Store(where.store_path).runs.get(run["id"])
    assert row["status"] == "finished", row["error"]
    assert row["config"]["model"]["name"] == str(moved)


def test_another_model_of_the_same_shape_is_not_taken_for_it(trained, where, tmp_path):
    run, folder = trained
    other = shutil.copytree(folder, tmp_path / "other")
    changed(other)
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="is not the base of"):
        actions.name_base(where, run["id"], str(other))
    assert Store(where.store_path).runs.get(run["id"])["facts"]["base"] == str(folder)
    assert set(actions.home_sizes(where, run["id"], 4)) == {"adapter"}


def test_the_same_weights_in_other_files_are_the_same_model(model_folder, tmp_path):
    parts = tmp_path / "parts"
    AutoModelForCausalLM.from_pretrained(model_folder).save_pretrained(parts, max_shard_size=30_000)
    assert len(list(parts.glob("*.safetensors"))) > 2
    assert base.fingerprint(parts) == base.fingerprint(model_folder)


def test_a_resume_does_not_go_on_with_a_base_that_was_changed_in_its_place(trained, where):
    run, folder = trained
    changed(folder)
    actions.resume(where, run["id"], 2, executor="test")
    launcher.run_here(run["id"], where)
    row = Store(where.store_path).runs.get(run["id"])
    assert row["status"] == "failed" and "is not the base of" in row["error"]["what"]


def changed(folder):
    """The same model with other weights, in the folder where it lies."""
    weights = load_file(folder / "model.safetensors")
    save_file({name: one + 0.01 for name, one in weights.items()}, folder / "model.safetensors", {"format": "pt"})


def test_a_resume_has_the_commit_that_it_began_from_though_the_branch_has_moved(
    train, values, where, model_folder, tmp_path, monkeypatch
):
    began, moved = (shutil.copytree(model_folder, tmp_path / "snapshots" / one) for one in ("3f9a2c1b", "77d0e5aa"))
    changed(moved)
    monkeypatch.setattr(load, "_fetch", lambda repo, revision, *rest: str(moved.parent / (revision or began.name)))
    training = {**values["training"], "max_steps": 4, "save_steps": 2}
    run, store = train({**values, "model": {"name": "me/tiny"}, "training": training})
    assert run["facts"]["base"] == str(began)

    monkeypatch.setattr(load, "_fetch", lambda repo, revision, *rest: str(moved.parent / (revision or moved.name)))
    actions.resume(where, run["id"], 2, executor="test")
    launcher.run_here(run["id"], where)
    row = store.runs.get(run["id"])
    assert row["status"] == "finished", row["error"]
    assert row["facts"]["base"] == str(began) and row["config"]["model"]["revision"] is None


def test_the_command_line_says_where_it_is(trained, where, tmp_path, capsys):
    run, folder = trained
    moved = folder.rename(tmp_path / "elsewhere")
    asked = ["runs", "base", run["id"], str(moved), "--json", "--home", str(where.home)]
    assert cli.main(asked) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["command"] == "base" and str(moved) in answer["outcome"]
    assert cli.main([*asked[:3], str(tmp_path / "nowhere"), *asked[4:]]) == 2


def test_a_quantised_base_is_merged_into_the_model_it_was_made_from(trained, where, tmp_path):
    run, folder = trained
    full = shutil.copytree(folder, tmp_path / "full")
    expected = merged(where, run, tmp_path / "expected")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"quantization_config": {"quant_method": "bitsandbytes"}}))
    with pytest.raises(UserError, match="is quantised") as refused:
        merged(where, run, tmp_path / "refused")
    assert "dfgui runs base" in refused.value.do
    assert actions.name_base(where, run["id"], str(full))["base"] == str(full)
    found = merged(where, run, tmp_path / "merged")
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert AutoTokenizer.from_pretrained(tmp_path / "merged").chat_template
    assert Store(where.store_path).runs.get(run["id"])["facts"]["base"] == str(folder)  # what it was trained on


def test_what_a_quantised_base_cannot_have_been_made_from_is_not_taken(trained, where, tmp_path):
    run, folder = trained
    full, other, smaller = (shutil.copytree(folder, tmp_path / name) for name in ("full", "other", "smaller"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"quantization_config": {"quant_method": "bitsandbytes"}}))
    weights = load_file(full / "model.safetensors")
    save_file({name: one + 0.01 for name, one in weights.items()}, other / "model.safetensors", {"format": "pt"})
    shapes = {name: one[..., :2].contiguous() for name, one in weights.items()}
    save_file(shapes, smaller / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match="is not what the base of"):
        actions.name_base(where, run["id"], str(other))
    with pytest.raises(UserError):
        actions.name_base(where, run["id"], str(smaller))
    with pytest.raises(UserError, match="is quantised as well"):
        actions.name_base(where, run["id"], str(folder))
    assert "merged" not in actions.home_sizes(where, run["id"], 4)
    sizes = {name: one.bfloat16() for name, one in weights.items()}  # in another precision nothing can be compared
    save_file(sizes, full / "model.safetensors", {"format": "pt"})
    actions.name_base(where, run["id"], str(full))
    assert actions.home_sizes(where, run["id"], 4)["merged"] > 2_000_000
