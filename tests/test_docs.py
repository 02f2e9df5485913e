"""README and docs say what is so: links, settings, commands and files of runs are looked up, docs/python.md is run."""

import argparse
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dfgui import cli, fields, presets, recipe
from dfgui.errors import UserError
from dfgui.server import options
from tests.hub_writing import taking
from tests.test_followed_pages import FILE

ROOT = Path(__file__).parents[1]
PYTHON = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
PIECES = re.findall(r"^```python\n(.*?)^```$", PYTHON, re.MULTILINE | re.DOTALL)
PAGES = {
    str(file.relative_to(ROOT)): file.read_text(encoding="utf-8")
    for file in [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
}
WRITTEN = {name: text for name, text in PAGES.items() if name != "docs/settings.md"}  # which is made

each = pytest.mark.parametrize("page", PAGES)
each_written = pytest.mark.parametrize("page", WRITTEN)


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
    titles = titles_of(PYTHON)[1:]
    links = [f"- [{title}](#{anchor(title)})" for title in titles]
    assert links == re.findall(r"^- \[.*$", PYTHON, re.MULTILINE)
    sections = re.split(r"^## .+$", PYTHON, flags=re.MULTILINE)[1:]
    assert [title for title, text in zip(titles, sections, strict=True) if "```python" not in text] == []


@each
def test_every_link_leads_somewhere(page):
    links = re.findall(r"\]\(([^)\s]+)\)", prose(PAGES[page]))
    broken = [link for link in links if not link.startswith("http") and not leads_somewhere(page, link)]
    assert broken == []


def leads_somewhere(page, link):
    place, _, there = link.partition("#")
    file = (ROOT / page).parent / place if place else ROOT / page
    if not there:
        return file.exists()
    return file.is_file() and there in map(anchor, titles_of(file.read_text(encoding="utf-8")))


def test_the_contents_of_the_docs_name_each_page():
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", PAGES["docs/README.md"]))
    assert linked == {file.name for file in (ROOT / "docs").glob("*.md")} - {"README.md"}


@each
def test_every_run_in_yaml_is_one(page):
    text = FILE.sub("", PAGES[page])  # what stands in a file of its own is run by test_followed_pages.py
    wrong = [told for block in blocks(text, "yaml") if (told := refused(recipe.from_yaml, block))]
    assert wrong == []


def test_the_first_run_has_the_values_of_its_preset():
    (block,) = blocks(PAGES["docs/first-run.md"], "yaml")
    preset = recipe.parse(recipe.nested(presets.PRESETS["cpu"].values))
    assert recipe.from_yaml(block, ["name="]) == preset


@each
def test_every_command_is_understood(page):
    """A whole line is a command as it stands; one within a sentence may leave its arguments out."""
    whole = [line for line in commands(PAGES[page]) if (told := refused(understood, line)) and say(line, told)]
    inline = re.findall(r"`((?:python -m )?dfgui [^`]+)`", prose(PAGES[page]))
    short = [one for one in inline if (told := refused(understood, one)) and "are required" not in told]
    assert whole + short == []


def understood(line):
    """Raises UserError where the command line would."""
    words = shlex.split(line.partition(" > ")[0], comments=True)
    if words[0].endswith("docker") or "app.py" in words:
        parser = cli.Parser(prog="app.py")
        options.add_flags(parser)
        parser.parse_args(words[words.index("app.py") + 1 :])
    else:
        _, rest = cli._options_anywhere().parse_known_args(words[words.index("dfgui") + 1 :])
        for override in cli._parser().parse_args(rest).__dict__.get("overrides") or []:
            recipe.from_yaml("", [override])


def commands(text):
    """Lines that start dfgui: indented as code, or in a block of it."""
    fenced = "\n".join(blocks(text, "sh"))
    lines = [line.strip() for line in re.findall(r"^    (.+)$", text, re.MULTILINE) + fenced.splitlines()]
    parts = [part.strip() for line in lines for part in line.split("&&")]
    return [part for part in parts if re.match(r"\S*python (-m dfgui|app\.py)\b", part)]


def say(line, told):
    print(f"{line}: {told}")
    return True


SETTINGS = {spec.path for spec in fields.specs()}
INSIDE = re.compile(rf"({'|'.join(fields.BLOCKS)})\.([a-z_0-9]+)")


@each_written
def test_every_setting_has_that_name(page):
    """`training.max_length`, `run.placement: process` and `training: {max_steps: 60}`."""
    quoted = re.findall(r"`([^`\n]+)`", prose(PAGES[page]))
    named = [found[0] for one in quoted if (found := INSIDE.match(one)) and found[2] != "yaml"]
    assert [name for name in named if name not in SETTINGS] == []
    blocks_of_it = rf"({'|'.join(fields.BLOCKS)}): \{{"
    assert [told for one in quoted if re.match(blocks_of_it, one) and (told := refused(recipe.from_yaml, one))] == []
    given = [one.split(": ", 1) for one in quoted if INSIDE.match(one) and ": " in one]
    assert [path for path, value in given if path in recipe.problems(nested(path, value))] == []


def nested(path, value):
    return recipe.nested({path: recipe.value(path, value)})


@each_written
def test_every_variable_is_one_that_dfgui_reads(page):
    files = [*(ROOT / "dfgui").rglob("*.py"), ROOT / "Dockerfile"]
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    named = set(re.findall(r"`((?:DFGUI|DEEPFABRIC|WANDB|HF)_[A-Z_]+)`", prose(PAGES[page])))
    assert [name for name in named if name not in source] == []


@each_written
def test_every_flag_is_one(page):
    parser = argparse.ArgumentParser()
    options.add_flags(parser)
    known = {*parser._option_string_actions, *all_flags(cli._parser()), "--json", "--home"}
    elsewhere = {"--no-deps", "--gpus", "--stop-timeout", "--build-arg", "--depth", "--standalone", "--dist"}
    named = {one for line in re.findall(r"`([^`\n]+)`", prose(PAGES[page])) for one in re.findall(r"--[a-z-]+", line)}
    assert named - known - elsewhere == set()  # those of pip, docker, git, torchrun and pytest


def all_flags(parser):
    found = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= {flag for inner in action.choices.values() for flag in all_flags(inner)}
    return found


FOR_USERS = set(PAGES) - {f"docs/{name}.md" for name in ("settings", "python", "architecture", "benchmarks")}
LABELLED = sorted(name for name in FOR_USERS if name.startswith("docs/"))


@pytest.mark.parametrize("page", LABELLED)
def test_every_label_stands_on_a_page_of_dfgui(page):
    """**Start training** is bold because a button says so; what a list begins with ends in a full stop."""
    kinds = ("*.py", "*.html", "*.js")
    source = "\n".join(file.read_text(encoding="utf-8") for kind in kinds for file in (ROOT / "dfgui").rglob(kind))
    known = " ".join(source.split())
    text = re.sub(r"^- \*\*.+?\*\*|^\*\*.+?\*\*$", "", prose(PAGES[page]), flags=re.MULTILINE | re.DOTALL)
    bold = {" ".join(label.split()) for label in re.findall(r"\*\*(.+?)\*\*", text, re.DOTALL)}
    assert [label for label in bold if label not in known] == []


def prose(text):
    """The page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def titles_of(text):
    return re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)


def anchor(title):
    """As GitHub makes it."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def refused(does, given):
    """What is said against it; "" where it is taken."""
    try:
        does(given)
    except UserError as error:
        return f"{given}: {error.what} {error.why}"
    return ""
