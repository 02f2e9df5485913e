"""Starting and ending: what is answered, what is refused in one message, and that nothing heavy is imported."""

import argparse
import signal
import socket
import time

import httpx
import pytest

from dfgui.server import add_flags, read_flags
from tests.server.processes import APP, free_port, refused, served


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with served("--port", str(free_port()), home=tmp_path_factory.mktemp("home")) as serving:
        yield serving


def test_the_page_is_answered_on_this_machine(server):
    assert server.url.startswith("http://127.0.0.1:")
    assert server.get().status_code == 200
    assert httpx.head(server.url).status_code == 200


def test_a_page_is_as_long_as_it_says_and_nothing_else_is_touched(tmp_path):
    with served("--home", str(tmp_path), "--port", str(free_port()), "--no-browser", home=tmp_path, command=APP) as app:
        answer = app.get()
        assert int(answer.headers["content-length"]) == len(answer.content)
        assert answer.text.index("requestAnimationFrame") < answer.text.index("window.gradio_config")
        assert "requestAnimationFrame" not in app.get("/gradio_api/info").text


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:7860", "LOCALHOST."])
def test_every_name_of_this_machine_is_answered(server, host):
    assert server.get(headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.5", "x@127.0.0.1", "", "[::1"])
def test_any_other_name_is_refused_and_told_how_to_allow_it(server, host):
    answer = server.get(headers={"host": host})
    assert answer.status_code == 400
    assert "evil" not in host or "--allowed-host" in answer.text


def test_a_request_without_a_host_is_refused(server):
    assert raw(server, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_a_foreign_forwarded_host_is_refused(server):
    assert server.get(headers={"x-forwarded-host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://localhost"])
def test_a_foreign_page_may_not_call_even_to_read(server, origin):
    assert server.post("/gradio_api/upload", headers={"origin": origin}, files={"files": b"x"}).status_code == 403
    assert server.get("/config", headers={"origin": origin}).status_code == 403


def test_the_page_itself_may_call(server):
    answer = server.post("/gradio_api/run/greet", headers={"origin": server.url}, json={"data": ["Ada"]})
    assert answer.json()["data"] == ["Hello Ada"]


def test_a_program_without_an_origin_may_call(server):
    assert server.post("/gradio_api/run/greet", json={"data": ["Ada"]}).json()["data"] == ["Hello Ada"]


def test_nothing_is_recorded_or_watched_and_strangers_may_not_frame_it(server):
    config = server.get("/config").json()
    assert (config["run_history"], config["analytics_enabled"], config["footer_links"]) == (False, False, [])
    assert server.get("/monitoring/summary").status_code == 403
    assert "frame-ancestors 'self' http://localhost:*" in server.get().headers["content-security-policy"]


def test_too_large_an_upload_is_bounded(server):
    assert server.get("/config").json()["max_file_size"] == 4 * 1024**3


def test_a_second_one_takes_the_next_port_unless_one_was_asked_for(tmp_path):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, words = refused("--port", port, home=tmp_path)
    assert (code, f"cannot listen on 127.0.0.1:{port}" in words) == (2, True)
    assert "Traceback" not in words


def test_the_next_free_port_is_found(monkeypatch, tmp_path):
    from dfgui import settings
    from dfgui.server import Options, address

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(address, "PORT", taken.getsockname()[1])
        assert address.choose(settings.load(home=tmp_path), Options(), login=False)[1] > taken.getsockname()[1]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.7"])
def test_an_open_bind_without_a_login_is_refused(tmp_path, host):
    code, words = refused("--host", host, home=tmp_path)
    assert code == 2
    assert "DFGUI_USERNAME and DFGUI_PASSWORD" in words
    assert "--auth-file" in words
    assert "Traceback" not in words


def test_an_open_bind_answers_addresses_but_no_foreign_names(tmp_path):
    env = {"DFGUI_USERNAME": "ada", "DFGUI_PASSWORD": "secret"}
    flags = ("--host", "0.0.0.0", "--port", str(free_port()), "--allowed-host", "box.example")
    with served(*flags, home=tmp_path, env=env) as server:
        answers = {
            host: server.get(headers={"host": host}).status_code
            for host in ("192.0.2.7:7860", "box.example", "evil.example")
        }
    assert answers == {"192.0.2.7:7860": 200, "box.example": 200, "evil.example": 400}


def test_ipv6_loopback_is_served(tmp_path):
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    with served("--host", "::1", "--port", str(free_port()), home=tmp_path) as server:
        assert server.url.startswith("http://[::1]:")
        assert server.get().status_code == 200


def has_ipv6():
    with socket.socket(socket.AF_INET6) as probe:
        return probe.connect_ex(("::1", 9)) in (111, 0)


def test_a_home_that_cannot_be_used_is_one_message(tmp_path):
    (tmp_path / "file").write_text("")
    code, words = refused(home=tmp_path / "file" / "home")
    assert code == 2
    assert "cannot be used" in words
    assert "Traceback" not in words


def test_a_folder_to_allow_that_is_not_there_is_refused(tmp_path):
    code, words = refused("--allow-folder", str(tmp_path / "typo"), home=tmp_path)
    assert (code, "typo is not a folder" in words) == (2, True)


@pytest.mark.parametrize(
    "given, meant", [("", ""), ("dfgui/", "/dfgui"), ("/a/b", "/a/b"), ("https://x/y/", "https://x/y")]
)
def test_a_root_path_is_a_path_or_a_whole_address(tmp_path, given, meant):
    parser = argparse.ArgumentParser()
    add_flags(parser)
    _, options = read_flags(parser.parse_args(["--home", str(tmp_path), "--root-path", given]))
    assert options.root_path == meant


def test_a_port_that_is_none_is_refused(tmp_path):
    code, words = refused("--port", "99999", home=tmp_path)
    assert (code, "99999 is not a port" in words) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_asked_even_with_a_page_open(tmp_path, number):
    with (
        served("--port", str(free_port()), home=tmp_path) as server,
        httpx.stream("GET", server.url + "/gradio_api/heartbeat/abc", timeout=30) as page,
    ):
        next(page.iter_raw())
        began = time.monotonic()
        assert server.end(number) == 0
        assert time.monotonic() - began < 10
        assert "Traceback" not in server.text()


@pytest.mark.parametrize(
    ("flags", "environment", "opens"),
    [
        ({}, {"DISPLAY": ":0"}, True),
        ({"browser": False}, {"DISPLAY": ":0"}, False),
        ({}, {"DISPLAY": ":0", "SSH_CONNECTION": "1"}, False),
        ({}, {"DISPLAY": ":0", "CI": "true"}, False),
        ({}, {}, False),
    ],
)
def test_the_browser_opens_when_a_person_started_it_at_a_screen(
    monkeypatch, capsys, tmp_path, flags, environment, opens
):
    from dfgui import settings
    from dfgui.server import Options, launch

    opened = []
    monkeypatch.setattr(launch.webbrowser, "open", opened.append)
    monkeypatch.setattr(launch.sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(launch.sys, "platform", "linux")
    for name in ("CI", "SSH_CONNECTION", "SSH_TTY", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    launch._announce(settings.load(home=tmp_path), Options(**flags), "127.0.0.1", 7860)
    assert opened == (["http://127.0.0.1:7860"] if opens else [])
    assert "dfgui is at http://127.0.0.1:7860" in capsys.readouterr().out


def raw(server, request):
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), timeout=10) as connection:
        connection.sendall(request)
        return connection.recv(4096)


def test_callbacks_are_allowed_by_flags_on_top_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("DFGUI_ALLOWED_CALLBACKS", "first.module")
    parser = argparse.ArgumentParser()
    add_flags(parser)
    flags = ["--home", str(tmp_path), "--allow-callback", "a:One", "--allow-callback", "b", "--allow-callbacks-folder"]
    settings, _ = read_flags(parser.parse_args(flags))
    assert settings.allowed_callbacks == ("first.module", "a:One", "b") and settings.callbacks_folder
    settings, _ = read_flags(parser.parse_args(flags[:2]))
    assert settings.allowed_callbacks == ("first.module",) and not settings.callbacks_folder


def test_a_deletion_that_was_cut_short_is_finished_at_the_start(tmp_path):
    half = tmp_path / "runs" / ".deleted-abcdefgh12" / "checkpoint-4"
    half.mkdir(parents=True)
    (half / "model.safetensors").write_bytes(b"x")
    with served("--port", str(free_port()), home=tmp_path):
        until = time.monotonic() + 20
        while half.parent.exists() and time.monotonic() < until:
            time.sleep(0.1)
    assert list((tmp_path / "runs").iterdir()) == []
