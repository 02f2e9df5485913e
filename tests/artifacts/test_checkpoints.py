import shutil

import pytest

from dfgui.artifacts import checkpoints
from dfgui.errors import UserError


@pytest.fixture
def copy(run, tmp_path):
    """A run of one's own to break."""
    return shutil.copytree(run, tmp_path / "run")


def test_checkpoints_are_listed_by_step(run):
    assert [(found.step, found.kind, found.complete) for found in checkpoints.inside(run)] == [
        (20, "adapter", True),
        (40, "full", True),
    ]


def test_a_checkpoint_counts_all_its_bytes(run):
    found = checkpoints.describe(run / "checkpoint-20")
    assert found.bytes == sum(file.stat().st_size for file in found.path.iterdir())


def test_a_run_without_checkpoints_has_none(tmp_path):
    assert checkpoints.inside(tmp_path / "nothing here") == []


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        ("trainer_state.json", 0.5),
        ("optimizer.pt", 0.9),
        ("adapter_model.safetensors", 0.99),
        ("adapter_model.safetensors", 0.001),
        ("adapter_config.json", 0.5),
    ],
)
def test_a_checkpoint_cut_short_is_marked_and_says_where(copy, name, cut):
    file = copy / "checkpoint-20" / name
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * cut)])
    found = checkpoints.describe(copy / "checkpoint-20")
    assert not found.complete
    assert found.problem == f"{name} is missing or cut short"


@pytest.mark.parametrize("name", ["trainer_state.json", "optimizer.pt", "model.safetensors", "config.json"])
def test_a_checkpoint_killed_before_a_file_was_written_is_marked(copy, name):
    (copy / "checkpoint-40" / name).unlink()
    assert checkpoints.describe(copy / "checkpoint-40").problem == f"{name} is missing or cut short"


def test_a_checkpoint_without_optimizer_is_whole_only_where_that_was_asked_for(copy):
    (copy / "checkpoint-40" / "optimizer.pt").unlink()
    assert not checkpoints.describe(copy / "checkpoint-40").complete
    assert checkpoints.describe(copy / "checkpoint-40", save_only_model=True).complete


def test_sharded_weights_need_every_shard(copy):
    from transformers import AutoModelForCausalLM

    folder = copy / "checkpoint-40"
    (folder / "model.safetensors").unlink()
    AutoModelForCausalLM.from_pretrained(copy / "base").save_pretrained(folder, max_shard_size="60KB")
    shards = sorted(folder.glob("model-*.safetensors"))
    assert len(shards) > 1
    assert checkpoints.describe(folder).complete
    shards[0].unlink()
    assert checkpoints.describe(folder).problem == f"{shards[0].name} is missing or cut short"


def test_a_shard_outside_the_folder_is_not_followed(copy):
    folder = copy / "checkpoint-40"
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../base/model.safetensors"}}')
    assert "outside the folder" in checkpoints.describe(folder).problem


def test_a_torn_checkpoint_is_not_usable(copy):
    (copy / "checkpoint-20" / "adapter_model.safetensors").write_bytes(b"torn")
    with pytest.raises(UserError, match="Choose another checkpoint"):
        checkpoints.usable(copy / "checkpoint-20")
