"""The store's file is made once, whoever comes first."""

import subprocess
import sys

from dfgui.store import Store, schema

OPENS = "import sys; from pathlib import Path; from dfgui.store import Store; Store(Path(sys.argv[1])).runs.all()"


def test_many_who_open_a_new_store_at_once_all_get_it(tmp_path):
    path = tmp_path / "dfgui.db"
    opening = [
        subprocess.Popen([sys.executable, "-c", OPENS, str(path)], stderr=subprocess.PIPE, text=True) for _ in range(6)
    ]
    said = [process.communicate(timeout=60)[1] for process in opening]
    assert [process.returncode for process in opening] == [0] * 6, said
    assert Store(path).runs.all() == []


def test_a_store_of_before_checkpoints_were_kept_goes_on_with_none_kept(tmp_path):
    path = tmp_path / "dfgui.db"
    db = schema.connect(path)
    schema.migrations.apply(db, stop_before="m005_checkpoints_that_are_kept")
    with db.conn:
        db.execute("INSERT INTO checkpoints VALUES ('7h2kq0x1zz', 20, 'checkpoint-20', 'adapter', 1000, 0.7, 1.0)")
    db.close()
    store = Store(path)
    assert [(row["step"], row["kept"]) for row in store.checkpoints.of("7h2kq0x1zz")] == [(20, False)]
    assert store.checkpoints.keep("7h2kq0x1zz", 20, True)
