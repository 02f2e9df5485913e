"""One app with a login for all attacks, and who calls it: ada and bob, who may, and a stranger, who may not."""

import json
import sys

import httpx
import pytest

from dfgui import settings as settings_module
from dfgui.server.login import Login, accounts
from tests.server.attacks import opened
from tests.server.processes import free_port, served

LOGINS = "ada:engine\nbob:builder\n"
COMMAND = [sys.executable, "-m", "tests.server.attacks.opened"]
SECRET = "what-no-page-may-read"


@pytest.fixture(scope="package")
def folder(tmp_path_factory):
    """HOME is `home` in it; beside it lies what no page may read."""
    folder = tmp_path_factory.mktemp("attacked")
    (folder / "home").mkdir()
    (folder / "home" / "logins.txt").write_text(LOGINS)
    (folder / "secret.txt").write_text(SECRET)
    (folder / "home" / "led-outside.txt").symlink_to(folder / "secret.txt")
    return folder


@pytest.fixture(scope="package")
def server(folder):
    home = folder / "home"
    flags = ("--port", str(free_port()), "--no-browser", "--auth-file", str(home / "logins.txt"))
    with served(*flags, home=home, command=COMMAND) as serving:
        yield serving


@pytest.fixture(scope="package")
def addresses(server, folder):
    """[(method, path as it is declared)], of all that the app serves."""
    found = json.loads((folder / "home" / opened.FILE).read_text())
    return [(method, path) for path, methods in found for method in methods or ("GET", "POST", "HEAD")]


@pytest.fixture(scope="package")
def stranger(server):
    with httpx.Client(base_url=server.url, timeout=20) as client:
        yield client


@pytest.fixture(scope="package")
def ada(server):
    yield from _signed_in(server, "ada", "engine")


@pytest.fixture(scope="package")
def bob(server):
    yield from _signed_in(server, "bob", "builder")


def _signed_in(server, name, password):
    with httpx.Client(base_url=server.url, timeout=20) as client:
        client.post("/login", data={"username": name, "password": password}).raise_for_status()
        yield client


@pytest.fixture(scope="package")
def signed(folder):
    """signed("ada", seconds=60): a cookie in the server's own hand; with `changed`, from before a password changed."""

    def sign(user=None, seconds=60, changed=False, **content):
        where = settings_module.load(home=folder / "home")
        known = accounts(where, folder / "home" / "logins.txt")
        passwords = {**known.passwords, "bob": "an older one"} if changed else known.passwords
        return Login(where, type(known)(passwords), "").sessions.sign(
            seconds, **content | ({"user": user} if user else {})
        )

    return sign
