"""A Space, rehearsed: user 1000, read-only code, port 7860, with and without a volume, killed and started again."""

import os
import shutil
import signal
import socket
import stat
import sys
from contextlib import contextmanager

import pytest

from dfgui.config import RunConfig
from dfgui.store import Store
from tests.server.processes import APP, IS_ROOT, PROJECT, as_container_user, refused, served

SPACE = {"SYSTEM": "spaces", "SPACE_ID": "a/b", "SPACE_HOST": "a-b.hf.space", "SPACE_AUTHOR_NAME": "a"}
LOGIN = {"DFGUI_USERNAME": "ada", "DFGUI_PASSWORD": "engine"}
BROWSER = {"accept": "text/html", "host": "a-b.hf.space", "x-forwarded-proto": "https"}
USER = 1000 if IS_ROOT else os.getuid()


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """What the Dockerfile copies, as it does: nobody may write there."""
    folder = tmp_path_factory.mktemp("image") / "app"
    folder.mkdir()
    shutil.copy(PROJECT / "app.py", folder)
    shutil.copytree(PROJECT / "dfgui", folder / "dfgui", ignore=shutil.ignore_patterns("__pycache__"))
    for path in [folder, *folder.rglob("*")]:
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o222)
    opened_up_to(folder)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode | stat.S_IWUSR)


@pytest.fixture
def disk(tmp_path):
    """A container's disk as the user finds it."""
    return owned(tmp_path / "home")


@contextmanager
def space(image, disk, env=None, port=7860):
    """The app as a container of a Space starts it: as user 1000 where the test may, else as the test's own user."""
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)), f"port {port} is in use: a Space needs it"
    environment = {**SPACE, **(env or {}), "HOME": str(disk), "TMPDIR": str(disk)}
    command = as_container_user([sys.executable, str(image / "app.py")])
    with served(home=disk / "dfgui", command=command, env=environment, cwd=image) as server:
        yield server


def log_in(server):
    answer = server.post("/login", headers=BROWSER, data={"username": "ada", "password": "engine"})
    assert answer.status_code == 303
    return {"dfgui": answer.cookies["dfgui"]}


def test_it_listens_on_7860_as_user_1000_and_writes_nothing_beside_the_code(image, disk):
    with space(image, disk, LOGIN) as server:
        assert server.url == "http://localhost:7860"
        assert listening_address() == "0.0.0.0"
        assert owner_of(server.process.pid) == USER
        assert "gradio_config" in server.get(headers=BROWSER, cookies=log_in(server)).text
        assert server.end(signal.SIGTERM) == 0
        assert "Traceback" not in server.text()
    assert not list(image.rglob("__pycache__"))
    assert (disk / "dfgui" / "dfgui.db").stat().st_uid == USER


def test_without_secrets_it_names_them_and_lets_nobody_in(image, disk):
    with space(image, disk) as server:
        page = server.get(headers=BROWSER)
        assert page.status_code == 200
        assert "<code>DFGUI_USERNAME</code> and <code>DFGUI_PASSWORD</code>" in page.text
        assert "Variables and secrets" in page.text
        assert server.get("/?view=train", headers=BROWSER).text == page.text
        assert server.get("/login", headers=BROWSER).text == page.text
        for path in ("/config", "/gradio_api/info"):
            assert server.get(path).status_code == 401
        assert server.post("/gradio_api/queue/join", json={}).status_code == 401
        answer = server.post("/login", headers=BROWSER, data={"username": "", "password": ""})
        assert "set-cookie" not in answer.headers


def test_with_one_secret_it_names_the_other(image, disk):
    with space(image, disk, {"DFGUI_USERNAME": "ada"}) as server:
        text = server.get(headers=BROWSER).text
    assert "Not set yet: <code>DFGUI_PASSWORD</code>." in text


def test_it_answers_as_the_space_and_to_the_health_check_by_address(image, disk):
    with space(image, disk, LOGIN) as server:
        answers = {
            host: server.get(headers={"host": host}).status_code
            for host in ("a-b.hf.space", "10.20.30.40:7860", "evil.example")
        }
        login = server.post("/login", headers=BROWSER, data={"username": "ada", "password": "engine"})
    assert answers == {"a-b.hf.space": 200, "10.20.30.40:7860": 200, "evil.example": 400}
    cookies = login.headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert all("SameSite=None; Secure" in cookie for cookie in cookies)
    assert "Partitioned" in cookies[1]


@pytest.mark.parametrize("volume", [True, False])
def test_what_was_there_is_there_after_a_kill_if_there_is_a_volume(image, tmp_path, volume):
    env = {**LOGIN, **({"DFGUI_VOLUME": str(owned(tmp_path / "volume"))} if volume else {})}
    first = owned(tmp_path / "first")
    with space(image, first, env) as server:
        run = Store(first / "dfgui" / "dfgui.db").runs.create(RunConfig(), executor="pid:1")
        assert server.end(signal.SIGTERM) == 0
    second = owned(tmp_path / "second")
    with space(image, second, env):
        runs = [row["id"] for row in Store(second / "dfgui" / "dfgui.db").runs.all()]
    assert runs == ([run] if volume else [])


def test_a_volume_that_is_not_there_is_one_message(disk):
    code, words = refused(home=disk, command=APP, env={**SPACE, **LOGIN, "DFGUI_VOLUME": str(disk / "missing")})
    assert code == 2
    assert "cannot be written" in words
    assert "Traceback" not in words


def owned(folder):
    """A folder of the user that the app runs as."""
    folder.mkdir()
    if IS_ROOT:
        os.chown(folder, USER, USER)
    return opened_up_to(folder)


def opened_up_to(folder):
    """pytest's folders are closed to other users: let user 1000 through."""
    for parent in folder.parents:
        if parent.stat().st_uid == os.getuid() and "pytest" in str(parent):
            parent.chmod(parent.stat().st_mode | 0o055)
    return folder


def owner_of(pid):
    import psutil

    return psutil.Process(pid).uids().effective


def listening_address():
    import psutil

    [found] = {
        c.laddr.ip for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr.port == 7860
    }
    return found
