"""Nobody gets past the login: not to the page, the API, a file or a download; and the right ones do."""

import time

import httpx
import pytest

from dfgui import settings as settings_module
from dfgui.errors import UserError
from dfgui.server.login import accounts, local_path, read_auth_file
from dfgui.server.sessions import Sessions
from tests.server.processes import free_port, refused, served

BROWSER = {"accept": "text/html"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    (home / "logins").write_text("ada:engine:1\n\nbob:builder\n")
    with served("--auth-file", str(home / "logins"), "--port", str(free_port()), home=home) as serving:
        yield serving


def log_in(server, name="ada", password="engine:1", **fields):
    return server.post("/login", headers=BROWSER, data={"username": name, "password": password, **fields})


@pytest.mark.parametrize(
    "path",
    [
        "/config",
        "/gradio_api/info",
        "/gradio_api/queue/data?session_hash=a",
        "/gradio_api/file=/etc/hostname",
        "/gradio_api/heartbeat/abc",
        "/download/abcdefgh/20/adapter",
        "/openapi.json",
        "/theme.css",
        "/login/../config",
        "/gradio_api/startup-events/../../config",
    ],
)
def test_without_a_login_every_address_is_closed(server, path):
    answer = server.get(path)
    assert answer.status_code == 401
    assert answer.json()["error"] == "Not authenticated"


def test_without_a_login_nothing_can_be_called_or_uploaded(server):
    assert server.post("/gradio_api/run/greet", json={"data": ["x"]}).status_code == 401
    assert server.post("/gradio_api/queue/join", json={"data": ["x"], "fn_index": 0}).status_code == 401
    assert server.post("/gradio_api/upload", files={"files": b"x"}).status_code == 401
    assert server.post("/gradio_api/cancel", json={}).status_code == 401


def test_a_browser_is_shown_the_login_and_then_what_it_asked_for(server):
    asked = server.get("/?view=monitor&run=abc", headers=BROWSER)
    assert asked.status_code == 200
    assert 'value="/?view=monitor&amp;run=abc"' in asked.text
    assert "gradio" not in asked.text
    answer = log_in(server, next="/?view=monitor&run=abc")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?view=monitor&run=abc")
    page = server.get("/", headers=BROWSER, cookies=answer.cookies)
    assert "gradio_config" in page.text
    called = server.post("/gradio_api/run/greet", json={"data": ["Ada"]}, cookies=answer.cookies)
    assert called.json()["data"] == ["Hello Ada"]


def test_the_cookie_is_kept_from_scripts_and_other_sites(server):
    cookie = log_in(server).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    secure = httpx.post(
        server.url + "/login",
        headers={**BROWSER, "x-forwarded-proto": "https"},
        data={"username": "bob", "password": "builder"},
    )
    assert "; Secure" in secure.headers["set-cookie"]


@pytest.mark.parametrize("name, password", [("ada", "wrong"), ("nobody", "engine:1"), ("", ""), ("ada", "engine")])
def test_a_wrong_password_is_refused_after_a_while(server, name, password):
    began = time.monotonic()
    answer = log_in(server, name, password)
    assert answer.status_code == 401
    assert "do not belong together" in answer.text
    assert "set-cookie" not in answer.headers
    assert time.monotonic() - began > 0.9


def test_a_forged_or_changed_cookie_opens_nothing(server):
    cookie = log_in(server).cookies["dfgui"]
    for forged in (cookie[:-1] + ("0" if cookie[-1] != "0" else "1"), "e30=." + "0" * 64, "x", "ä".encode().hex()):
        assert server.get("/config", cookies={"dfgui": forged}).status_code == 401
    assert server.get("/config", cookies={"dfgui": cookie}).status_code == 200


def test_logging_out_forgets_the_cookie(server):
    answer = server.get("/logout", cookies=log_in(server).cookies)
    assert answer.status_code == 303
    assert "Max-Age=0" in answer.headers["set-cookie"]


def test_a_foreign_page_may_not_log_anybody_in(server):
    data = {"username": "bob", "password": "builder"}
    assert server.post("/login", headers={"origin": "http://evil.example"}, data=data).status_code == 403


def test_a_huge_login_is_cut_short(server):
    assert server.post("/login", content=b"a" * 5_000_000).status_code in (401, 413)


def test_gradios_own_client_can_log_in(server):
    from gradio_client import Client

    client = Client(server.url, auth=("bob", "builder"), verbose=False)
    assert client.predict("Bob", api_name="/greet") == "Hello Bob"


def test_a_login_never_sends_people_elsewhere():
    assert local_path("/?view=runs") == "/?view=runs"
    for foreign in (
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:x",
        "",
        "/a\nb",
        "/logout",
    ):
        assert local_path(foreign) == "/"


def test_a_session_ends_with_its_time_and_with_the_password():
    sessions = Sessions("secret")
    assert sessions.read(sessions.sign(user="ada"))["user"] == "ada"
    assert sessions.read(sessions.sign(seconds=-1, user="ada")) is None
    assert Sessions("changed").read(sessions.sign(user="ada")) is None
    assert sessions.read(None) is None


def test_a_session_survives_a_restart():
    assert Sessions("secret").read(Sessions("secret").sign(user="ada"))["user"] == "ada"


def test_half_a_login_is_refused(tmp_path):
    code, words = refused(home=tmp_path, env={"DFGUI_USERNAME": "ada"})
    assert code == 2
    assert "DFGUI_PASSWORD is not" in words


@pytest.mark.parametrize(
    "content, words",
    [(None, "cannot be read"), (b"", "is empty"), (b"ada:x\nnonsense", "Line 2"), (b"\xff\xfe", "UTF-8")],
)
def test_a_bad_login_file_is_one_message_that_tells_no_secret(tmp_path, content, words):
    file = tmp_path / "logins"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UserError, match=words) as error:
        read_auth_file(file)
    assert "nonsense" not in str(error.value)


def test_the_environment_and_the_file_add_up(tmp_path):
    (tmp_path / "logins").write_text("bob:builder")
    settings = settings_module.load(home=tmp_path, username="ada", password="engine")
    known = accounts(settings, tmp_path / "logins")
    assert known.knows("ada", "engine") and known.knows("bob", "builder")
    assert not known.knows("ada", "builder")
