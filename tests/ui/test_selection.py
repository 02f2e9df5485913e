"""What a person writes in the header becomes a model and a dataset; an upload is kept under a name of ours."""

import os

import pytest

from dfgui import settings as settings_module
from dfgui import words
from dfgui.errors import UserError
from dfgui.ui import uploads
from dfgui.ui.components import selection


@pytest.fixture
def settings(tmp_path):
    return settings_module.load(tmp_path / "home")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("demo", "demo"),
        (" demo ", "demo"),
        ("owner/name", "hf:owner/name"),
        ("hf:owner/name", "hf:owner/name"),
        ("https://huggingface.co/datasets/owner/name", "hf:owner/name"),
        ("https://huggingface.co/datasets/owner/name/viewer/default", "hf:owner/name"),
        ("data/rows.jsonl", "data/rows.jsonl"),
        ("data/rows.jsonl.gz", "data/rows.jsonl.gz"),
        ("/data/rows", "/data/rows"),
        ("~/rows.csv", "~/rows.csv"),
        (None, ""),
    ],
)
def test_a_dataset_may_be_written_as_people_write_it(written, meant):
    assert selection.understood(written) == meant


def test_a_model_may_be_the_address_of_its_page():
    assert selection.understood_model("https://huggingface.co/Qwen/Qwen3-0.6B") == "Qwen/Qwen3-0.6B"
    assert selection.understood_model("Qwen/Qwen3-0.6B") == "Qwen/Qwen3-0.6B"


@pytest.mark.parametrize(
    "name", ["My rows.jsonl", ".hidden.jsonl", "a;rm -rf.csv", "x" * 150 + ".json", "ROWS.JSONL.GZ"]
)
def test_an_upload_lies_in_its_folder_whatever_it_is_called(settings, tmp_path, name):
    given = tmp_path / name
    given.write_text("{}")
    kept = uploads.keep(str(given), settings)
    assert kept.parent == settings.uploads
    assert set(kept.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert kept.read_text() == "{}"
    assert uploads.shown(kept) == name


def test_an_upload_lies_on_the_disk_once(settings):
    given = settings.home / "rows.jsonl"
    given.write_text("{}")
    assert uploads.keep(str(given), settings).samefile(given)


def test_a_sentence_about_an_upload_names_it_as_it_came(settings, tmp_path):
    given = tmp_path / "rows.jsonl.gz"
    given.write_text("{}")
    assert uploads.unmarked(f"{uploads.keep(str(given), settings).name} is empty.") == "rows.jsonl.gz is empty."


def test_an_upload_keeps_its_ending(settings, tmp_path):
    given = tmp_path / "Weather.JSONL.gz"
    given.write_bytes(b"x")
    assert uploads.keep(str(given), settings).name.endswith(".jsonl.gz")


def test_two_uploads_of_one_name_are_two_files(settings, tmp_path):
    given = tmp_path / "rows.jsonl"
    given.write_text("{}")
    assert uploads.keep(str(given), settings) != uploads.keep(str(given), settings)
    assert len(uploads.all_of(settings)) == 2


def test_of_uploads_of_one_name_the_older_ones_say_when_they_came(settings, tmp_path):
    given = tmp_path / "rows.jsonl"
    given.write_text("{}")
    kept = [uploads.keep(str(given), settings) for _ in range(3)]
    for age, path in enumerate(kept):  # the last is the oldest
        os.utime(path.with_name(path.name + uploads.LABEL), (1_700_000_000 - age, 1_700_000_000 - age))
    names = uploads.told_apart(uploads.all_of(settings))
    older = [f"rows.jsonl, {words.moment(1_700_000_000 - age)}" for age in (1, 2)]
    assert names == dict(zip(map(str, kept), ["rows.jsonl", *older], strict=True))


@pytest.mark.parametrize("name", ["rows.exe", "rows", "rows.tar.gz", "rows.jsonl.sh"])
def test_other_kinds_of_files_are_refused(settings, tmp_path, name):
    given = tmp_path / name
    given.write_text("{}")
    with pytest.raises(UserError, match=r"Use \.jsonl"):
        uploads.keep(str(given), settings)
    assert uploads.all_of(settings) == []
