"""One home for everything, and a jail around what arrives over HTTP."""

import pytest

from dfgui import settings
from dfgui.errors import UserError


def test_the_home_is_made_where_it_was_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("DFGUI_HOME", str(tmp_path / "home"))
    where = settings.load()
    assert where.home == tmp_path / "home" and where.uploads.is_dir() and where.runs.is_dir()
    assert settings.load(home=tmp_path / "other").home == tmp_path / "other"


def test_a_home_that_cannot_be_made_is_refused_with_advice(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="--home"):
        settings.load(home=tmp_path / "file" / "home")


def test_pages_read_the_home_and_allowed_folders_only(tmp_path):
    inside, allowed, outside = tmp_path / "home" / "a.jsonl", tmp_path / "data" / "b.jsonl", tmp_path / "c.jsonl"
    where = settings.load(home=tmp_path / "home", allowed=(tmp_path / "data",))
    allowed.parent.mkdir()
    for file in (inside, allowed, outside):
        file.write_text("{}")
    assert where.may_read(inside) and where.may_read(allowed)
    for path in (outside, where.home / ".." / "c.jsonl", "/etc/passwd"):
        with pytest.raises(UserError, match="--allow-folder"):
            where.may_read(path)


def test_a_link_leads_nowhere_outside(tmp_path):
    where = settings.load(home=tmp_path / "home")
    (tmp_path / "secret.jsonl").write_text("{}")
    (where.home / "link.jsonl").symlink_to(tmp_path / "secret.jsonl")
    with pytest.raises(UserError, match="outside"):
        where.may_read(where.home / "link.jsonl")


def test_the_command_line_reads_what_its_user_may(tmp_path):
    (tmp_path / "rows.jsonl").write_text("{}")
    assert settings.load(home=tmp_path / "home", jailed=False).may_read(tmp_path / "rows.jsonl")


def test_pages_name_only_callbacks_that_the_owner_allowed(tmp_path, monkeypatch):
    monkeypatch.setenv("DFGUI_ALLOWED_CALLBACKS", "my.module:Mine, other.module")
    where = settings.load(home=tmp_path)
    where.may_run("my.module:Mine")
    where.may_run("other.module:Any")
    for use, flag in (
        ("my.module:Other", "--allow-callback my.module:Other"),
        ("other.module.inner:Any", "--allow-callback"),
        ("own.py:Own", "--allow-callbacks-folder"),
    ):
        with pytest.raises(UserError, match=flag):
            where.may_run(use)
        settings.load(home=tmp_path, jailed=False).may_run(use)


def test_the_callbacks_folder_is_allowed_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setenv("DFGUI_ALLOWED_CALLBACKS", "callbacks/")
    where = settings.load(home=tmp_path)
    where.may_run("own.py:Own")
    with pytest.raises(UserError):
        where.may_run("own:Own")


def test_the_password_is_not_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("DFGUI_PASSWORD", "hunter2")
    assert "hunter2" not in repr(settings.load(home=tmp_path))


def test_space_variables_count_only_inside_a_space(tmp_path, monkeypatch):
    monkeypatch.setenv("SPACE_ID", "a/b")
    assert settings.load(home=tmp_path).space_id is None
    monkeypatch.setenv("SYSTEM", "spaces")
    monkeypatch.setenv("SPACE_HOST", "a-b.hf.space")
    assert settings.load(home=tmp_path).space_id == "a/b"
    assert settings.load(home=tmp_path).hosts == ("a-b.hf.space",)


def test_llama_cpp_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.delenv("DFGUI_LLAMA_CPP", raising=False)
    assert settings.load(home=tmp_path).llama_cpp is None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DFGUI_LLAMA_CPP", "llama.cpp")
    assert settings.load(home=tmp_path).llama_cpp == tmp_path / "llama.cpp"
