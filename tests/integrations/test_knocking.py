"""The test buttons: one question to a service, one sentence back, in bounded time."""

import base64
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anyio
import pytest

from dfgui import settings
from dfgui.integrations import knocking
from dfgui.integrations.knocking import knock
from tests.server.processes import free_port

GIVEN = {"HF_TOKEN": "good", "WANDB_API_KEY": "good", "DEEPFABRIC_API_KEY": "good", "DEEPFABRIC_PIPELINE_ID": "7"}
BASIC = "Basic " + base64.b64encode(b"api:good").decode()
KNOWN = {  # what each service says to those it knows
    ("GET", "/api/whoami-v2"): ("Bearer good", {"name": "ada"}),
    ("POST", "/graphql"): (BASIC, {"data": {"viewer": {"username": "ada"}}}),
    ("GET", "/api/v1/auth/me"): ("Bearer good", {"email": "ada@example.com"}),
}


@contextmanager
def service(answer=None):
    """All three services on loopback; `answer(handler)` takes over where it is given."""

    class Handler(BaseHTTPRequestHandler):
        def asked(self):
            if answer:
                return answer(self)
            right, value = KNOWN[self.command, self.path]
            return told(self, 200 if self.headers["authorization"] == right else 401, value)

        do_GET = do_POST = asked

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def told(handler, status, value):
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """asked("hub", url, given): the answer to a visitor who has given that."""
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)

    def ask(name, url, given):
        monkeypatch.setenv("HF_ENDPOINT", url)
        monkeypatch.setenv("WANDB_BASE_URL", url)
        where = settings.load(home=tmp_path)
        asked = where.with_secrets({"DEEPFABRIC_API_URL": url, **given})
        with ThreadPoolExecutor(max_workers=1) as beside:  # a browser of another test keeps this thread's loop
            return beside.submit(anyio.run, knock, name, asked).result()

    return ask


@pytest.mark.parametrize("name", knocking.SERVICES)
def test_a_good_key_is_known_with_its_owner_and_a_bad_one_is_not(asked, name):
    with service() as url:
        works, words = asked(name, url, GIVEN)
        assert works and "ada" in words
        bad = dict.fromkeys(GIVEN, "bad-one")
        works, words = asked(name, url, bad)
        assert not works and "bad-one" not in words and "key" in words + words.replace("token", "key")
        works, words = asked(name, url, {})
        assert not works and "to test" in words


@pytest.mark.parametrize("name", knocking.SERVICES)
def test_a_service_that_is_away_silent_or_another_is_told_in_bounded_time(asked, name, monkeypatch):
    monkeypatch.setattr(knocking, "KNOCK_SECONDS", 0.3)
    assert "cannot be reached" in asked(name, f"http://127.0.0.1:{free_port()}", GIVEN)[1]
    with service(lambda handler: time.sleep(2)) as url:
        assert "did not answer" in asked(name, url, GIVEN)[1]
    with service(dripping) as url:
        assert "did not answer" in asked(name, url, GIVEN)[1]
    with service(lambda handler: told(handler, 200, b"<html>")) as url:
        assert "not as" in asked(name, url, GIVEN)[1]
    with service(lambda handler: told(handler, 200, [1])) as url:
        assert "not as" in asked(name, url, GIVEN)[1]
    with service(lambda handler: told(handler, 503, {})) as url:
        assert "answered 503" in asked(name, url, GIVEN)[1]


def dripping(handler):
    """Never quite silent, and never done."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(20):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


def test_wandb_says_yes_to_strangers_and_then_knows_nobody(asked):
    with service(lambda handler: told(handler, 200, {"data": {"viewer": None}})) as url:
        works, words = asked("wandb", url, GIVEN)
    assert not works and "does not know" in words


def test_deepfabric_without_a_pipeline_wants_one(asked):
    with service() as url:
        works, words = asked("deepfabric", url, {"DEEPFABRIC_API_KEY": "good"})
    assert not works and "pipeline id" in words
