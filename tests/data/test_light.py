"""Looking at rows costs no heavy import: those come with the first tokenizer."""

import pkgutil
import subprocess
import sys

import dfgui.data

HEAVY = ["torch", "transformers", "trl", "datasets", "pyarrow", "pandas"]
LOOK = """
import sys, importlib
for name in {modules}:
    importlib.import_module(name)
from dfgui import settings
from dfgui.data import formats, sources
rows = sources.open_source("demo", settings.load({home!r})).head(20)
formats.to_conversation(rows[0].raw, formats.detect([row.raw for row in rows]))
print([name for name in {heavy} if name in sys.modules])
"""


def test_rows_are_read_and_shown_as_conversations_without_heavy_imports(tmp_path):
    modules = [module.name for module in pkgutil.walk_packages(dfgui.data.__path__, "dfgui.data.")]
    assert "dfgui.data.prepare" in modules
    code = LOOK.format(modules=modules, home=str(tmp_path / "home"), heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
