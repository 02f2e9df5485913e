"""The folder list is the data flow: a file imports only from what stands above it, and the UI process stays light."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "dfgui"

# Read downwards, this is what happens to a dataset; what a file imports at its top stands above it.
ORDER = """
errors words settings seams config fields recipe presets store data models evaluation artifacts integrations training
views actions ui server cli_checkpoints cli_history cli_progress cli_push cli_script cli_settings cli
""".split()
HEAVY = {"torch", "transformers", "trl", "peft", "datasets", "accelerate", "unsloth"}
LIGHT = """
ui views store server errors.py words.py settings.py seams.py config fields.py recipe.py presets.py actions
cli_checkpoints.py cli_history.py
cli_progress.py cli_push.py cli_script.py cli_settings.py cli.py
""".split()
FILES = sorted(ROOT.rglob("*.py"))


def imports(file: Path, everywhere: bool = False) -> set[str]:
    """Names of the modules that a file imports: at its top, or everywhere in it."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if everywhere else ast.iter_child_nodes(tree)
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def place(module: str) -> int | None:
    parts = module.split(".")
    return ORDER.index(parts[1]) if parts[0] == "dfgui" and len(parts) > 1 and parts[1] in ORDER else None


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_imports_only_from_above(file):
    own = place("dfgui." + file.relative_to(ROOT).with_suffix("").parts[0])
    if own is None:
        assert file.name in ("__init__.py", "__main__.py"), f"{file.name} has no place in the order"
        return
    below = [module for module in imports(file) if (other := place(module)) is not None and other > own]
    assert below == []


@pytest.mark.parametrize("name", LIGHT)
def test_what_the_ui_process_loads_imports_nothing_heavy_at_its_top(name):
    target = ROOT / name
    for file in [target] if target.suffix else sorted(target.rglob("*.py")):
        assert {module.split(".")[0] for module in imports(file)} & HEAVY == set(), file


def test_building_the_page_imports_nothing_heavy(tmp_path):
    code = (
        "import sys; from dfgui import settings; from dfgui.ui import shell\n"
        "shell.build(settings.load(home=sys.argv[1]))\n"
        f"print(sorted(set(sys.modules) & {HEAVY!r}))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=120, check=True
    )
    assert answer.stdout.strip().splitlines()[-1] == "[]"


def test_sql_stands_in_the_store_only():
    sql = re.compile(r"sqlite3\.connect|\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b.*\b(FROM|INTO|SET|VALUES)\b")
    guilty = [
        file.relative_to(ROOT)
        for file in FILES
        if "store" not in file.relative_to(ROOT).parts and sql.search(file.read_text(encoding="utf-8"))
    ]
    assert [str(file) for file in guilty] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_opens_by_saying_what_it_is(file):
    assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
