"""The store's file is made once, whoever comes first."""

import subprocess
import sys

from dfgui.store import Store

OPENS = "import sys; from pathlib import Path; from dfgui.store import Store; Store(Path(sys.argv[1])).runs.all()"


def test_many_who_open_a_new_store_at_once_all_get_it(tmp_path):
    path = tmp_path / "dfgui.db"
    opening = [
        subprocess.Popen([sys.executable, "-c", OPENS, str(path)], stderr=subprocess.PIPE, text=True) for _ in range(6)
    ]
    said = [process.communicate(timeout=60)[1] for process in opening]
    assert [process.returncode for process in opening] == [0] * 6, said
    assert Store(path).runs.all() == []
