"""Runs a Dockerfile's steps one by one on this machine, in a folder instead of a container, and says what it did.

    python tests/server/rehearse_dockerfile.py --build-arg TORCH=cuda

A folder stands for the image: WORKDIR, HOME and VIRTUAL_ENV lie inside it. What would change this machine is said and
left out (useradd; apt-get, unless --apt and root), and FROM is the Python that runs this. At the end CMD runs as user
1000, where root may start it so, until HEALTHCHECK succeeds; then it is ended by its pid.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.server.processes import IS_ROOT, PROJECT, as_container_user

RUN_SECONDS = 1800
HEALTHY_SECONDS = 120
CONTAINER_USER = 1000


def steps(dockerfile: str) -> list[tuple[str, str]]:
    """("RUN", "pip install ...") and so on, comments left out and continued lines joined."""
    lines = [line for line in dockerfile.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in joined.splitlines()]


class Rehearsal:
    def __init__(self, root: Path, arguments: dict[str, str], apt: bool, extra: dict[str, str]):
        self.root = root
        self.arguments = arguments
        self.apt = apt
        self.extra = extra
        self.environment = {"PATH": os.environ["PATH"], "HOME": "/root"}
        self.workdir = "/"
        self.user = "root"
        self.healthcheck: list[str] = []

    def do(self, kind: str, text: str) -> None:
        print(f"\n{kind} {text}", flush=True)
        getattr(self, f"do_{kind.lower()}")(text)

    def do_from(self, image: str) -> None:
        said(f"this machine and Python {sys.version.split()[0]} stand for {image}")

    def do_arg(self, text: str) -> None:
        name, _, default = text.partition("=")
        self.environment[name] = self.arguments.get(name, default)
        said(f"{name}={self.environment[name]}")

    def do_env(self, text: str) -> None:
        for name, value in re.findall(r"(\w+)=(\S+)", text):
            self.environment[name] = re.sub(r"\$(\w+)", lambda found: self.environment.get(found[1], ""), value)
        said("set")

    def do_workdir(self, folder: str) -> None:
        self.workdir = folder
        self.inside(folder).mkdir(parents=True, exist_ok=True)
        said(f"made {self.inside(folder)}")

    def do_copy(self, text: str) -> None:
        *sources, target = text.split()
        for source in sources:
            found = PROJECT / source
            into = self.inside(self.workdir) / target
            if found.is_dir():
                shutil.copytree(found, into, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
            else:
                shutil.copy(found, into)
        said(f"copied {', '.join(sources)}")

    def do_run(self, command: str) -> None:
        if command.startswith("useradd"):
            home = self.inside("/home/user")
            home.mkdir(parents=True)
            if IS_ROOT:
                os.chown(home, CONTAINER_USER, CONTAINER_USER)
            said("NOT run: it adds a user to this machine; a home for user 1000 was made instead")
        elif command.startswith("apt-get") and not (self.apt and IS_ROOT):
            said("NOT run: it installs system packages on this machine; root can ask for it with --apt")
        else:
            began = time.monotonic()
            shell = self.as_user(["sh", "-ec", self.mapped(command)])
            subprocess.run(shell, check=True, timeout=RUN_SECONDS, **self.context())
            said(f"done in {time.monotonic() - began:.0f} s")

    def do_user(self, user: str) -> None:
        self.user = user
        said("started as user 1000 from here on" if IS_ROOT else "NOT changed: only root can start it as user 1000")

    def do_expose(self, port: str) -> None:
        said("noted")

    def do_healthcheck(self, text: str) -> None:
        self.healthcheck = json.loads(text[text.index("CMD") + 3 :])
        said("used at the end")

    def do_cmd(self, text: str) -> None:
        """Starts it as a container would, without network access of its own and with a login."""
        login = {"DFGUI_USERNAME": "ada", "DFGUI_PASSWORD": "engine"}
        context = self.context()
        context["env"] = {**context["env"], **login}
        process = subprocess.Popen(self.as_user([self.mapped(part) for part in json.loads(text)]), **context)
        try:
            self.wait_until_healthy(process, context)
        finally:
            process.terminate()
            said(f"ended with exit code {process.wait(60)}")

    def wait_until_healthy(self, process: subprocess.Popen, context: dict) -> None:
        began = time.monotonic()
        while subprocess.run(self.as_user(self.healthcheck), capture_output=True, **context).returncode:
            assert process.poll() is None, "it ended by itself"
            assert time.monotonic() - began < HEALTHY_SECONDS, "it did not become healthy"
            time.sleep(0.5)
        said(f"healthy after {time.monotonic() - began:.1f} s as user {psutil.Process(process.pid).uids().effective}")

    def context(self) -> dict:
        environment = {name: self.mapped(value) for name, value in self.environment.items()}
        return {"env": {**self.extra, **environment}, "cwd": self.inside(self.workdir)}

    def as_user(self, command: list[str]) -> list[str]:
        return as_container_user(command) if self.user == str(CONTAINER_USER) else command

    def mapped(self, text: str) -> str:
        """`text` with the image's folders in place of a container's."""
        return re.sub(r"(?<![\w.])/(app|opt/venv|home/user)\b", lambda found: f"{self.root}{found[0]}", text)

    def inside(self, folder: str) -> Path:
        return self.root / folder.lstrip("/")


def said(words: str) -> None:
    print(f"  -> {words}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--apt", action="store_true", help="run apt-get too, when root")
    parser.add_argument("--keep", action="store_true", help="leave the folder that stands for the image")
    asked = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="dfgui-image-"))
    root.chmod(0o755)
    from_here = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_"))}
    arguments = dict(argument.split("=", 1) for argument in asked.build_arg)
    rehearsal = Rehearsal(root, arguments, asked.apt, from_here)
    try:
        for kind, text in steps((PROJECT / "Dockerfile").read_text(encoding="utf-8")):
            rehearsal.do(kind, text)
    finally:
        if not asked.keep:
            shutil.rmtree(root)
    print("\nEvery step did what it says.")


if __name__ == "__main__":
    main()
