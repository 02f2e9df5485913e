"""What runs take on the disk."""

import os

from dfgui.artifacts import disk


def write(file, size):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x" * size)


def test_a_run_takes_what_its_files_have(tmp_path):
    write(tmp_path / "first" / "train.log", 10)
    write(tmp_path / "first" / "checkpoint-4" / "model.safetensors", 1000)
    write(tmp_path / "second" / "train.log", 5)
    usage = disk.Usage(tmp_path)
    assert usage.look(["first", "second", "gone"]) == {"first": 1010, "second": 5, "gone": 0}
    assert usage.total == 1015


def test_a_file_with_two_names_counts_once(tmp_path):
    write(tmp_path / "first" / "checkpoint-4" / "model.safetensors", 1000)
    (tmp_path / "first" / "checkpoint-8").mkdir()
    os.link(tmp_path / "first/checkpoint-4/model.safetensors", tmp_path / "first/checkpoint-8/model.safetensors")
    (tmp_path / "second").mkdir()
    os.link(tmp_path / "first/checkpoint-4/model.safetensors", tmp_path / "second/model.safetensors")
    usage = disk.Usage(tmp_path)
    assert usage.look(["first", "second"]) == {"first": 1000, "second": 1000}
    assert usage.total == 1000


def test_only_what_changed_is_walked_again(tmp_path, monkeypatch):
    write(tmp_path / "first" / "checkpoint-4" / "model.safetensors", 1000)
    write(tmp_path / "second" / "checkpoint-4" / "model.safetensors", 1000)
    usage = disk.Usage(tmp_path)
    usage.look(["first", "second"])
    walked = []
    walk = disk.files
    monkeypatch.setattr(disk, "files", lambda folder: walked.append(folder.name) or walk(folder))
    write(tmp_path / "second" / "checkpoint-8" / "model.safetensors", 500)
    assert usage.look(["first", "second"]) == {"first": 1000, "second": 1500}
    assert walked == ["second"]
