"""A home is tried before it is used: rename, locks, WAL."""

import fcntl
import os
import sqlite3

from dfgui.store import probe


def test_an_ordinary_disk_has_no_trouble_and_keeps_nothing(tmp_path):
    assert probe.trouble(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_grants_every_lock_has_none(tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "lockf", lambda *_: None)
    assert probe.trouble(tmp_path) == "has no file locks"


def test_a_disk_that_refuses_locks_says_so(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "lockf", refuse)
    assert "Operation not supported" in probe.trouble(tmp_path)


def test_a_disk_without_wal_says_so(tmp_path, monkeypatch):
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda _: connect(":memory:"))  # WAL is refused there
    assert probe.trouble(tmp_path) == "cannot keep a database in WAL mode"


def test_a_folder_that_cannot_be_written_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getpid", lambda: "x/y")
    assert probe.trouble(tmp_path).startswith("fails with")
