"""Too much of everything: bodies, headers, nesting, connections and passwords; the others are answered meanwhile."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import psutil
import pytest

from dfgui import settings
from dfgui.server.login import WRONG_AT_ONCE, Accounts, Login
from tests.server.attacks.test_addresses import OFF, UPLOADS, WITHOUT_A_LOGIN, listed, url
from tests.server.processes import in_a_thread

MEGABYTE = 1024**2
NESTED = {"a list": b"[" * 9000, "an object": b'{"a":' * 1900, "far too long": b"[" * MEGABYTE}


def nothing(size=100 * MEGABYTE):
    """A body that does not say how long it is."""
    for _ in range(size // MEGABYTE):
        yield bytes(MEGABYTE)


def posts(addresses):
    """Every address that takes something, but what is closed, what takes files, and the login, which is slow."""
    asked = [path for method, path in addresses if method == "POST" and path not in WITHOUT_A_LOGIN]
    return [path for path in asked if path not in UPLOADS and listed(path) not in OFF]


def status(client, path, content, kind="application/json"):
    """The answer's, or 0 where the server hung up on somebody who went on sending."""
    try:
        return client.post(url(path), content=content, headers={"content-type": kind}).status_code
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        return 0


def resident(server):
    return psutil.Process(server.process.pid).memory_info().rss


@pytest.fixture(autouse=True)
def everybody_else_is_answered_at_once(ada):
    yield
    began = time.monotonic()
    assert ada.get("/gradio_api/queue/status").status_code == 200
    assert time.monotonic() - began < 3


def test_100_mb_of_nothing_end_before_they_fill_the_memory(server, addresses, ada):
    before = resident(server)
    found = {path: status(ada, path, nothing()) for path in posts(addresses)}
    assert len(found) > 15
    assert {path: got for path, got in found.items() if got not in (0, 400, 401, 404, 413)} == {}
    assert resident(server) - before < 50 * MEGABYTE


def test_100_mb_that_are_announced_are_not_waited_for(addresses, ada):
    headers = b"content-type: application/json\r\ncontent-length: 104857600\r\n"
    for path in posts(addresses):
        answer = raw(ada, headers, b"{" + bytes(20_000), f"POST {url(path)} HTTP/1.1".encode())
        assert answer.split(b" ")[1:2][0] in (b"400", b"401", b"404", b"413"), (path, answer[:200])


def test_a_stranger_is_refused_before_anything_is_read(addresses, stranger):
    headers = b"content-type: multipart/form-data; boundary=x\r\ncontent-length: 104857600\r\n"
    paths = [path for method, path in addresses if method == "POST" and path not in WITHOUT_A_LOGIN]
    answers = {path: raw(stranger, headers, line=f"POST {url(path)} HTTP/1.1".encode()) for path in paths}
    assert {path: got[:40] for path, got in answers.items() if not got.startswith(b"HTTP/1.1 401")} == {}


def test_the_login_reads_a_small_form_and_no_more(stranger):
    assert status(stranger, "/login", nothing()) in (0, 401, 413)


@pytest.mark.parametrize("content", NESTED.values(), ids=NESTED)
def test_what_is_nested_without_end_is_no_json(addresses, ada, content):
    found = {path: status(ada, path, content) for path in posts(addresses)}
    assert {path: got for path, got in found.items() if got not in (0, 400, 401, 404, 422)} == {}


def test_an_upload_that_breaks_off_leaves_nothing(server, folder, ada):
    """Half of a file, and somebody who hangs up; nobody else was told of it."""
    cache = folder / "home" / "cache"
    headers = b"content-type: multipart/form-data; boundary=x\r\ncontent-length: 50000000\r\n"
    part = b'--x\r\ncontent-disposition: form-data; name="files"; filename="rows.txt"\r\n\r\n' + bytes(MEGABYTE)
    before = files(cache)
    raw(ada, headers, part)
    until = time.monotonic() + 10
    while files(cache) != before and time.monotonic() < until:
        time.sleep(0.05)
    assert files(cache) == before


def files(folder):
    return {file for file in folder.rglob("*") if file.is_file()}


def raw(client, headers, body=b"", line=b"POST /gradio_api/upload HTTP/1.1"):
    """What comes back of an answer within a second, as it comes."""
    cookie = f"cookie: dfgui={client.cookies.get('dfgui', '')}\r\n".encode()
    host = f"host: {client.base_url.netloc.decode()}\r\n".encode()
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=1) as connection:
        connection.sendall(line + b"\r\n" + host + cookie + headers + b"\r\n" + body)
        try:
            return connection.recv(65536)
        except TimeoutError:
            return b""


LINES = {
    "two hosts": (b"GET /config HTTP/1.1", b"host: evil.example\r\n", (b"400",)),
    "a second forwarded host": (
        b"GET /config HTTP/1.1",
        b"x-forwarded-host: localhost\r\nx-forwarded-host: evil.example\r\n",
        (b"400",),
    ),
    "a second origin": (b"GET /config HTTP/1.1", b"origin: http://{}\r\norigin: http://evil.example\r\n", (b"403",)),
    "another site's address": (b"GET http://evil.example/config HTTP/1.1", b"", (b"404",)),
    "a path behind the login's": (b"GET /login/../config HTTP/1.1", b"", (b"404",)),
    "an encoded path behind the login's": (b"GET /login/%2e%2e/config HTTP/1.1", b"", (b"404",)),
    "a tunnel": (b"CONNECT evil.example:443 HTTP/1.1", b"", (b"400", b"404", b"405")),
    "a trace": (b"TRACE /config HTTP/1.1", b"", (b"405",)),
    "no version": (b"GET /config", b"", (b"400",)),
    "200 KB of a header": (b"GET /config HTTP/1.1", b"x: " + b"a" * 200_000 + b"\r\n", (b"400", b"431")),
    "two lengths": (b"POST /push HTTP/1.1", b"content-length: 1\r\ncontent-length: 2\r\n", (b"400",)),
    "a socket": (
        b"GET /gradio_api/queue/data HTTP/1.1",
        b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
        b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        (b"400", b"403", b"404", b"422"),
    ),
}


@pytest.mark.parametrize("what", LINES)
def test_a_request_that_is_none_is_refused(ada, what):
    line, headers, refusals = LINES[what]
    headers = headers.replace(b"{}", ada.base_url.netloc)
    assert raw(ada, headers, line=line).split(b" ")[1:2][0] in refusals


def test_a_cookie_of_60_kb_or_of_bytes_is_none(stranger):
    for cookie in (b"a" * 60_000, b"\xff\xfe.\xe9", b"." * 1000, b"=;=;."):
        answer = stranger.get("/config", headers={b"cookie": b"dfgui=" + cookie + b"; dfgui-visit=\xff"})
        assert answer.status_code == 401


def test_fifty_open_pages_and_fifty_slow_senders_hold_nobody_up(ada):
    with ExitStack() as opened:
        for number in range(50):
            address = f"/gradio_api/heartbeat/{number}"
            assert next(opened.enter_context(ada.stream("GET", address)).iter_raw())
            slow = opened.enter_context(socket.create_connection((ada.base_url.host, ada.base_url.port)))
            slow.sendall(b"POST /push HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000\r\n\r\n{")
        began = time.monotonic()
        assert ada.get("/config").status_code == 200
        assert time.monotonic() - began < 3


def test_passwords_are_not_guessed_by_asking_many_times_at_once(ada):
    """Twenty at once, while those of one address that are heard are five a second."""
    with httpx.Client(base_url=ada.base_url, timeout=20) as guesser, ThreadPoolExecutor(20) as many:
        began = time.monotonic()
        answered = list(many.map(lambda number: _guess(guesser, f"wrong {number}"), range(20)))
        heard = 5 * (1 + time.monotonic() - began)
    assert {401, 429} == set(answered) and answered.count(401) <= heard


def test_while_five_wrong_passwords_wait_not_even_the_right_one_is_heard(folder):
    login = Login(settings.load(home=folder / "home"), Accounts({"ada": "engine"}), "")
    with in_a_thread(login.routes()) as address, httpx.Client(base_url=address) as client:
        login.wrong += ["127.0.0.1"] * WRONG_AT_ONCE
        assert _guess(client, "engine") == 429
        login.wrong.remove("127.0.0.1")
        assert _guess(client, "engine") == 200


def _guess(client, password):
    return client.post("/login", data={"username": "ada", "password": password}).status_code
