"""docs/python.md runs as it stands: its pieces, one after the other, are one program."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.hub_writing import taking

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
PIECES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """(the folder that it ran in, what it printed, the Hub that it pushed to)."""
    folder = tmp_path_factory.mktemp("program")
    (folder / "program.py").write_text("\n".join(PIECES), encoding="utf-8")
    with taking() as hub:
        env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "HF_ENDPOINT": hub.endpoint,
            "HF_TOKEN": "hf_one_that_may_write",
            "HF_HUB_DISABLE_XET": "1",
        }
        command = [sys.executable, "program.py"]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, done.stdout, hub


def test_it_tells_what_it_found(ran):
    _, said, _ = ran
    assert re.search(r"^[\d,]{7,} parameters in \{'bfloat16'\}$", said, re.MULTILINE)
    assert re.search(r"^[0-9a-f]{32}\nFalse$", said, re.MULTILINE)
    assert re.search(r"^<\|im_start\|>user\nHello", said, re.MULTILINE)
    assert [device for device in ("cpu", "cuda") if not re.search(rf"^\d.* on {device}, the most at", said, re.M)] == []
    assert re.search(r"^finished 4$", said, re.MULTILINE)
    assert re.search(r"^4 adapter True ", said, re.MULTILINE)


def test_it_leaves_the_model_the_zip_and_the_repository(ran):
    folder, _, hub = ran
    here = {file.name for file in (folder / "weather").iterdir()}
    assert {"config.json", "model.safetensors", "USAGE.md", "README.md"} <= here
    with zipfile.ZipFile(folder / "weather.zip") as zipped:
        assert "weather/model.safetensors" in zipped.namelist()
    assert set(hub.files["me/weather-lora"]) - {".gitattributes"} == here
    assert hub.private["me/weather-lora"] is True


def test_the_contents_lead_to_each_section():
    titles = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    links = [f"- [{title}](#{re.sub(r'[^a-z0-9 ]', '', title.lower()).replace(' ', '-')})" for title in titles]
    assert links == re.findall(r"^- \[.*$", PAGE, re.MULTILINE)
    sections = re.split(r"^## .+$", PAGE, flags=re.MULTILINE)[1:]
    assert [title for title, text in zip(titles, sections, strict=True) if "```python" not in text] == []
