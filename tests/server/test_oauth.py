"""Signing in to a Space with Hugging Face, against a provider of our own: its owner and named people get in."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.server.processes import free_port, served

SPACE = {"SYSTEM": "spaces", "SPACE_ID": "Ada/lab", "SPACE_HOST": "ada-lab.hf.space", "SPACE_AUTHOR_NAME": "Ada"}


class Provider(BaseHTTPRequestHandler):
    """Whoever asks with the code "bob" is bob."""

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        known = self.headers["authorization"] == "Basic aWQ6c2VjcmV0" and form["grant_type"] == ["authorization_code"]
        self._answer(f'{{"access_token": "{form["code"][0]}"}}' if known else "{}", 200 if known else 401)

    def do_GET(self):
        name = self.headers["authorization"].removeprefix("Bearer ")
        self._answer(f'{{"preferred_username": "{name}"}}')

    def _answer(self, text, status=200):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@contextmanager
def provider():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    with provider() as url:
        env = {
            **SPACE,
            "OAUTH_CLIENT_ID": "id",
            "OAUTH_CLIENT_SECRET": "secret",
            "OPENID_PROVIDER_URL": url,
            "DFGUI_MEMBERS": "bob, Carol",
            "DFGUI_USERNAME": "mallory",
            "DFGUI_PASSWORD": "of the password login, not of Hugging Face",
        }
        home = tmp_path_factory.mktemp("home")
        with served("--host", "127.0.0.1", "--port", str(free_port()), home=home, env=env) as server:
            yield server


def sign_in(space, name, state=None):
    """The answer to the callback, as the provider's redirect makes a browser ask for it."""
    started = space.get("/login/huggingface")
    asked = parse_qs(urlsplit(started.headers["location"]).query)
    assert asked["redirect_uri"] == ["https://ada-lab.hf.space/login/callback"]
    query = f"code={name}&state={state or asked['state'][0]}"
    return space.get(f"/login/callback?{query}", cookies=started.cookies, headers={"accept": "text/html"})


@pytest.mark.parametrize("name", ["Ada", "ada", "bob", "carol"])
def test_the_owner_and_named_people_get_in(space, name):
    answer = sign_in(space, name)
    assert answer.status_code == 303
    assert space.get("/config", cookies={"dfgui": answer.cookies["dfgui"]}).status_code == 200


@pytest.mark.parametrize("name", ["eve", "mallory"])
def test_anyone_else_is_told_whom_to_ask(space, name):
    answer = sign_in(space, name)
    assert answer.status_code == 403
    assert "DFGUI_MEMBERS" in answer.text
    assert "dfgui" not in answer.cookies


def test_a_sign_in_that_was_started_elsewhere_is_refused(space):
    assert sign_in(space, "ada", state="forged").status_code == 400
    assert space.get("/login/callback?code=ada&state=x").status_code == 400
    assert space.get("/login/callback").status_code == 400


def test_the_login_offers_both_ways(space):
    page = space.get("/", headers={"accept": "text/html"}).text
    assert "Sign in with Hugging Face" in page
    assert 'name="password"' in page
