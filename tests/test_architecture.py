"""The folder list is the data flow: a file imports only from what stands above it, and the UI process stays light."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "dfgui"
HEAVY = {"torch", "transformers", "trl", "peft", "datasets", "accelerate", "unsloth"}
LIGHT = """
errors.py words.py settings.py seams.py child.py config fields.py recipe.py presets.py store views actions ui server cli
""".split()
FILES = sorted(ROOT.rglob("*.py"))


def imports(file: Path) -> set[str]:
    """Names of the modules that a file imports at its top."""
    found = set()
    for node in ast.iter_child_nodes(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_a_file_imports_only_from_above_and_no_two_parts_of_a_folder_lean_on_each_other():
    """The order, and what is excepted from it, stand in pyproject.toml under tool.importlinter."""
    linter = Path(sys.executable).with_name("lint-imports")
    found = subprocess.run([linter, "--no-cache"], cwd=ROOT.parent, capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stdout


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


def test_a_file_opens_by_saying_what_it_is():
    silent = [file for file in FILES if not ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))]
    assert silent == []
