"""A copy of the store taken while a run writes to it, and what is said of a cut one."""

import threading

from dfgui.store import Store, backup


def test_a_copy_taken_while_others_write_is_whole(store, run, tmp_path):
    stop = threading.Event()

    def write():
        while not stop.is_set():
            store.runs.update(run, global_step=7)

    writer = threading.Thread(target=write)
    writer.start()
    for number in range(5):
        backup.write(store.path, tmp_path / f"copy{number}.db")
        assert backup.is_whole(tmp_path / f"copy{number}.db")
    stop.set()
    writer.join()
    assert Store(tmp_path / "copy4.db").runs.get(run)["id"] == run


def test_a_copy_is_one_file(store, run, tmp_path):
    (tmp_path / "out").mkdir()
    backup.write(store.path, tmp_path / "out" / "copy.db")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["copy.db"]


def test_a_cut_copy_is_not_whole(store, run, tmp_path):
    copy = tmp_path / "copy.db"
    backup.write(store.path, copy)
    copy.write_bytes(copy.read_bytes()[: copy.stat().st_size // 2])
    assert not backup.is_whole(copy)


def test_an_empty_file_is_no_store(tmp_path):
    (tmp_path / "copy.db").touch()
    assert not backup.is_whole(tmp_path / "copy.db")
