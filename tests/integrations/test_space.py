"""A volume keeps what a container forgets: copied while it runs, brought back at the start, whole or not at all."""

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.numpy import save_file

from dfgui import settings as settings_module
from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.integrations import space
from dfgui.integrations.space.files import MANIFEST
from dfgui.store import Store, Writer, probe


@pytest.fixture
def volume(tmp_path):
    folder = tmp_path / "volume"
    folder.mkdir()
    return folder


@pytest.fixture
def home(tmp_path, volume):
    return fresh_home(tmp_path, volume, "first")


def fresh_home(tmp_path, volume, name):
    """A container's disk as it is after every restart: empty, with the same volume."""
    return space.place(settings_module.load(home=tmp_path / name, volume=volume))


def run_with_checkpoints(settings, *steps):
    import numpy

    run = Store(settings.store_path).runs.create(RunConfig())
    with Writer(settings.store_path, run) as writer:
        for step in steps:
            folder = settings.run_folder(run) / f"checkpoint-{step}"
            folder.mkdir(parents=True)
            (folder / "adapter_config.json").write_text("{}")
            save_file({"w": numpy.full(1000, step)}, folder / "adapter_model.safetensors")
            (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}))
            writer.checkpoint(step, folder.name, "adapter", 4000, None)
        writer.log(1, {"loss": 2.5})
    (settings.run_folder(run) / "train.log").write_text("hello")
    return run


def steps_of(settings, run):
    return [row["step"] for row in Store(settings.store_path).checkpoints.of(run)]


def test_runs_checkpoints_logs_and_uploads_come_back(home, tmp_path, volume):
    run = run_with_checkpoints(home, 20, 40)
    (home.uploads / "rows.jsonl").write_text("{}")
    space.Mirror(home).copy()

    later = fresh_home(tmp_path, volume, "second")

    assert steps_of(later, run) == [20, 40]
    state = json.loads((later.run_folder(run) / "checkpoint-40" / "trainer_state.json").read_text())
    assert state == {"global_step": 40}
    assert not (later.run_folder(run) / "checkpoint-40" / MANIFEST).exists()
    assert (later.run_folder(run) / "train.log").read_text() == "hello"
    assert (later.uploads / "rows.jsonl").exists()


def test_a_checkpoint_that_the_store_does_not_list_is_not_copied(home, volume):
    run = run_with_checkpoints(home, 20)
    (home.run_folder(run) / "checkpoint-40").mkdir()
    space.Mirror(home).copy()
    assert [folder.name for folder in (volume / "runs" / run).glob("checkpoint-*")] == ["checkpoint-20"]


@pytest.mark.parametrize("tear", ["the list is missing", "a file is cut", "a file is missing"])
def test_a_torn_copy_is_not_restored(home, tmp_path, volume, tear):
    run = run_with_checkpoints(home, 20, 40)
    space.Mirror(home).copy()
    torn = volume / "runs" / run / "checkpoint-40"
    if tear == "the list is missing":
        (torn / MANIFEST).unlink()
    elif tear == "a file is cut":
        (torn / "adapter_model.safetensors").write_bytes(b"half")
    else:
        (torn / "trainer_state.json").unlink()

    later = fresh_home(tmp_path, volume, "second")

    assert steps_of(later, run) == [20]
    assert not (later.run_folder(run) / "checkpoint-40").exists()


def test_what_could_not_come_home_stays_on_the_volume(home, tmp_path, volume):
    run, lost = run_with_checkpoints(home, 20, 40), run_with_checkpoints(home, 10)
    space.Mirror(home).copy()
    hidden = [volume / "runs" / run / "checkpoint-40", volume / "runs" / lost / "checkpoint-10"]
    for checkpoint in hidden:
        (checkpoint / "trainer_state.json").rename(checkpoint.with_suffix(".hidden"))
    later = fresh_home(tmp_path, volume, "second")
    remove(later.run_folder(lost))
    forget(later, lost)

    space.Mirror(later).copy()

    assert all((checkpoint / MANIFEST).exists() for checkpoint in hidden)


def test_a_home_whose_volume_was_taken_over_copies_nothing_more(home, tmp_path, volume):
    run = run_with_checkpoints(home, 20)
    mirror = space.Mirror(home)
    mirror.copy()
    later = fresh_home(tmp_path, volume, "second")
    newer = run_with_checkpoints(later, 30)
    space.Mirror(later).copy()

    Store(home.store_path).runs.update(run, global_step=5)
    mirror.close()

    assert "taken this volume over" in space.notice(home)
    assert steps_of(fresh_home(tmp_path, volume, "third"), newer) == [30]


def test_a_torn_store_gives_way_to_the_copy_before_it(home, tmp_path, volume):
    run = run_with_checkpoints(home, 20)
    mirror = space.Mirror(home)
    mirror.copy()
    Store(home.store_path).runs.update(run, global_step=5)
    mirror.copy()
    (volume / "dfgui.db").write_bytes(b"SQLite format 3\0 and no more")

    assert steps_of(fresh_home(tmp_path, volume, "second"), run) == [20]


def test_a_store_that_nobody_can_read_is_refused_and_left_alone(home, tmp_path, volume):
    run_with_checkpoints(home, 20)
    space.Mirror(home).copy()
    (volume / "dfgui.db").write_bytes(b"no database at all")
    with pytest.raises(UserError, match="damaged"):
        fresh_home(tmp_path, volume, "second")
    assert (volume / "dfgui.db").read_bytes() == b"no database at all"


def test_deleted_runs_rotated_checkpoints_and_uploads_go_from_the_volume_too(home, volume):
    kept, deleted = run_with_checkpoints(home, 20, 40), run_with_checkpoints(home, 10)
    (home.uploads / "rows.jsonl").write_text("{}")
    mirror = space.Mirror(home)
    mirror.copy()
    Store(home.store_path).checkpoints.forget(kept, 20)
    remove(home.run_folder(kept) / "checkpoint-20")
    remove(home.run_folder(deleted))
    forget(home, deleted)
    (home.uploads / "rows.jsonl").unlink()

    mirror.copy()

    assert [folder.name for folder in (volume / "runs").iterdir()] == [kept]
    assert [folder.name for folder in (volume / "runs" / kept).glob("checkpoint-*")] == ["checkpoint-40"]
    assert list((volume / "uploads").iterdir()) == []


def remove(folder: Path):
    import shutil

    shutil.rmtree(folder)


def forget(settings, run):
    from dfgui.store.schema import opened

    with opened(settings.store_path) as db:
        db.execute("DELETE FROM runs WHERE id = ?", [run])


def test_a_home_that_wrote_last_is_newer_than_the_volume(home, tmp_path, volume):
    run = run_with_checkpoints(home, 20)
    space.Mirror(home).copy()
    Store(home.store_path).runs.update(run, global_step=99)  # after the last copy; then kill -9
    again = fresh_home(tmp_path, volume, "first")
    assert Store(again.store_path).runs.get(run)["global_step"] == 99


def test_a_home_that_another_has_overtaken_is_set_aside(home, tmp_path, volume):
    run_with_checkpoints(home, 20)
    space.Mirror(home).copy()
    other = fresh_home(tmp_path, volume, "second")
    newer = run_with_checkpoints(other, 30)
    space.Mirror(other).copy()

    again = fresh_home(tmp_path, volume, "first")

    assert steps_of(again, newer) == [30]
    assert len(list(again.home.glob("dfgui.*.old.db"))) == 1


def test_a_full_volume_is_told_and_stops_nothing(home, volume, monkeypatch):
    run_with_checkpoints(home, 20)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dfgui.integrations.space.mirror.put", full)
    mirror = space.Mirror(home)
    mirror.close()
    assert "No space left on device" in space.notice(home)
    monkeypatch.undo()
    mirror.close()
    assert space.notice(home) is None


def test_a_volume_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(UserError, match="cannot be written"):
        space.place(settings_module.load(home=tmp_path / "home", volume=tmp_path / "missing"))


def test_a_space_without_a_volume_says_that_nothing_is_kept(tmp_path):
    settings = settings_module.load(home=tmp_path, space_id="a/b")
    assert "no volume" in space.notice(space.place(settings))


def test_a_home_on_the_volume_is_moved_to_the_machines_own_disk(tmp_path, volume, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    settings = space.place(settings_module.load(home=volume / "home", volume=volume))
    assert not settings.home.is_relative_to(volume)
    assert "damaged" in space.notice(settings)


def test_a_home_without_locks_becomes_the_volume_and_what_it_held_is_brought_over(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = settings_module.load(home=tmp_path / "network")
    run = run_with_checkpoints(before, 20)
    (before.run_folder(run) / "checkpoint-20" / "optimizer.pt").write_bytes(EMPTY_ZIP)
    torn = before.run_folder(run) / "checkpoint-40"
    torn.mkdir()
    monkeypatch.setattr(probe, "trouble", lambda folder: "has no file locks" if folder == before.home else None)

    settings = space.place(before)
    space.Mirror(settings).copy()

    assert settings.volume == before.home
    assert steps_of(settings, run) == [20]
    assert torn.exists()
    assert "has no file locks" in space.notice(settings)


EMPTY_ZIP = b"PK\x05\x06" + b"\0" * 18


def test_killed_at_any_moment_what_comes_back_is_whole(tmp_path, volume):
    """A process copies and is killed, again and again; every home filled from the volume holds whole things only."""
    home = fresh_home(tmp_path, volume, "first")
    run = run_with_checkpoints(home, *range(1, 31))
    sizes = random.Random(7)
    for round_ in range(6):
        program = "import sys; from tests.integrations.test_space import copy_all; copy_all(*sys.argv[1:])"
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(home.home), str(volume)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout.readline() == "copying\n"
        time.sleep(sizes.uniform(0, 0.08))
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        later = fresh_home(tmp_path, volume, f"later{round_}")
        if later.store_path.exists() and Store(later.store_path).runs.all():
            for step in steps_of(later, run):
                assert whole(later.run_folder(run) / f"checkpoint-{step}", step)
        claim_again(home, volume)
    space.Mirror(home).copy()
    assert steps_of(fresh_home(tmp_path, volume, "last"), run) == list(range(1, 31))


def copy_all(home, volume):
    """In the child: starts copying at once."""
    settings = replace(settings_module.load(home=home), volume=Path(volume))
    print("copying", flush=True)
    space.Mirror(settings).copy()


def whole(folder, step):
    state = json.loads((folder / "trainer_state.json").read_text())
    return state == {"global_step": step} and (folder / "adapter_model.safetensors").stat().st_size > 1000


def claim_again(home, volume):
    """The first home goes on as the one that writes, as if the others had never started."""
    mine = json.loads((home.home / "volume.json").read_text())["writer"]
    (volume / "writer.json").write_text(json.dumps({"writer": mine}))
