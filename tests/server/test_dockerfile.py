"""What the image promises, read from the Dockerfile; rehearse_dockerfile.py runs its steps."""

import re
import subprocess
import sys

from tests.server.processes import PROJECT
from tests.server.rehearse_dockerfile import steps

STEPS = steps((PROJECT / "Dockerfile").read_text(encoding="utf-8"))


def all_of(kind):
    return [text for name, text in STEPS if name == kind]


def test_it_runs_as_user_1000_on_7860():
    assert all_of("USER") == ["1000"]
    assert all_of("EXPOSE") == ["7860"]
    assert '"--host", "0.0.0.0", "--port", "7860"' in all_of("CMD")[0]


def test_the_code_is_roots_and_the_home_is_not_among_it():
    copied = [index for index, (kind, _) in enumerate(STEPS) if kind == "COPY"]
    assert max(copied) < STEPS.index(("USER", "1000"))
    assert "--chown" not in " ".join(all_of("COPY"))
    assert "DFGUI_HOME=/home/user/dfgui" in " ".join(all_of("ENV"))


def test_unsloth_comes_after_the_rest_and_without_its_own_requirements():
    runs = all_of("RUN")
    rest = next(index for index, run in enumerate(runs) if "-r requirements.txt" in run)
    unsloth = next(index for index, run in enumerate(runs) if "requirements-unsloth.txt" in run)
    assert rest < unsloth
    assert "pip install --no-deps -r requirements-unsloth.txt" in runs[unsloth]
    pins = re.findall(r"^\w+==\S+", (PROJECT / "requirements-unsloth.txt").read_text(), re.MULTILINE)
    assert pins == ["unsloth==2026.10.9", "unsloth_zoo==2026.10.9"]


def test_everything_that_is_copied_is_let_into_the_build():
    allowed = re.findall(r"^!(\S+)$", (PROJECT / ".dockerignore").read_text(), re.MULTILINE)
    copied = {source for text in all_of("COPY") for source in text.split()[:-1]}
    assert copied == set(allowed)
    assert all((PROJECT / source).exists() for source in copied)


def test_a_wrong_step_ends_the_rehearsal(tmp_path):
    program = "from tests.server.rehearse_dockerfile import Rehearsal; from pathlib import Path; import sys"
    step = "r = Rehearsal(Path(sys.argv[1]), {}, False, {}); r.workdir = '/'; r.do('RUN', 'echo /app && exit 3')"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; {step}", str(tmp_path)], cwd=PROJECT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert f"{tmp_path}/app" in done.stdout
