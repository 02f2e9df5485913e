"""A push happens in the server: with the visit's own token, told to that visit, ended by it, and refused in words."""

import time

import httpx
import psutil
import pytest

from dfgui import settings
from dfgui.integrations.connections import COOKIE, Connections
from dfgui.server import pushes
from dfgui.store import Store
from tests.browser.runs import run_with_adapter
from tests.hub_writing import taking
from tests.server.processes import free_port, in_a_thread
from tests.server.processes import served as app

MINE, OWNERS = "hf_of_this_visit", "hf_of_the_owner"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """(home, run): a run of the demo with a checkpoint at step 20."""
    home = tmp_path_factory.mktemp("home")
    settings.load(home=home)
    return home, run_with_adapter(home, "weather", std=0.01)


@pytest.fixture
def hub(monkeypatch):
    with taking() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        monkeypatch.setenv("HF_TOKEN", OWNERS)
        yield hub


class Served:
    """The addresses alone, on a real socket, and visitors of them."""

    def __init__(self, url, connections, ran):
        self.url, self.connections, (self.home, self.run) = url, connections, ran

    def visitor(self, token=MINE):
        cookie, name = self.connections.new_visit(None)
        self.connections.set(name, {"HF_TOKEN": token} if token else {})
        return httpx.Client(base_url=self.url, cookies={COOKIE: cookie}, timeout=30)

    def push(self, visitor, **asked):
        what = {"run": self.run, "step": 20, "kind": "adapter", "repo": "me/weather", "public": False}
        return visitor.post("/push", json=what | asked)

    def ended(self, visitor):
        """The visitor's newest push, once it is over."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            newest = visitor.get("/push").json()["pushes"][0]
            if newest["state"] != "going":
                return newest
            time.sleep(0.1)
        raise AssertionError("It is still under way.")


@pytest.fixture(params=[True])
def served(ran, hub, request):
    """With several people about, unless a test says otherwise."""
    where = settings.load(home=ran[0])
    connections = Connections(Store(where.store_path))
    with in_a_thread(pushes.routes(where, connections, request.param)) as url:
        yield Served(url, connections, ran)


def test_it_goes_with_the_visits_own_token_and_no_other(served, hub):
    hub.let.clear()
    visitor = served.visitor()
    answer = served.push(visitor)
    assert hub.begun.wait(60) and answer.status_code == 202 and answer.json()["push"]["state"] == "going"
    child = next(one for one in psutil.Process().children() if "dfgui.actions.pushing_child" in one.cmdline())
    assert MINE not in " ".join(child.cmdline()) and MINE not in repr(child.environ())
    hub.let.set()
    done = served.ended(visitor)
    assert (done["state"], done["url"], done["error"]) == ("done", f"{hub.endpoint}/me/weather", None)
    assert hub.tokens == {MINE} and hub.private["me/weather"] is True
    assert {"adapter_model.safetensors", "README.md", "USAGE.md"} <= set(hub.files["me/weather"])
    assert list((served.home / "exports").glob("*/*")) == []
    assert MINE not in (served.home / "dfgui.db").read_bytes().decode("latin-1")


def test_it_is_told_to_that_visit_alone(served, hub):
    hub.let.clear()
    visitor, other = served.visitor(), served.visitor()
    number = served.push(visitor).json()["push"]["id"]
    assert other.get("/push").json() == {"pushes": []}
    assert other.delete(f"/push/{number}").status_code == 404
    refused = served.push(other)
    assert refused.status_code == 400 and "already" in refused.json()["error"]["what"]
    hub.let.set()
    assert served.ended(visitor)["state"] == "done"


def test_to_cancel_it_ends_the_upload_and_leaves_nothing(served, hub):
    hub.let.clear()
    visitor = served.visitor()
    number = served.push(visitor).json()["push"]["id"]
    assert hub.begun.wait(60)
    assert visitor.get("/push").json()["pushes"][0]["said"].startswith("uploading")
    assert visitor.delete(f"/push/{number}").status_code == 204
    over = served.ended(visitor)
    assert (over["state"], over["error"]) == ("cancelled", None)
    hub.let.set()
    time.sleep(0.5)
    assert hub.files["me/weather"] == {} and hub.messages == []
    assert not [one for one in psutil.Process().children() if "pushing_child" in " ".join(one.cmdline())]
    assert list((served.home / "exports").glob("*/*")) == []


def test_without_a_token_of_ones_own_it_says_where_to_give_one(served, hub):
    refused = served.push(served.visitor(token=""))
    assert refused.status_code == 400
    assert refused.json()["error"]["why"].startswith("The server's own token is not yours")
    assert "under Connections" in refused.json()["error"]["do"]
    assert served.push(httpx.Client(base_url=served.url)).status_code == 400
    assert hub.tokens == set()


@pytest.mark.parametrize("served", [False], indirect=True)
def test_where_one_person_works_the_token_of_the_environment_is_theirs(served, hub):
    person = httpx.Client(base_url=served.url, timeout=30)
    assert served.push(person, public=True).status_code == 202
    assert served.ended(person)["state"] == "done"
    assert hub.tokens == {OWNERS} and hub.private["me/weather"] is False
    assert served.visitor().get("/push").json()["pushes"][0]["state"] == "done"  # a key given later loses nothing


def test_what_the_hub_refuses_is_one_clear_error(served, hub):
    visitor = served.visitor()
    served.push(visitor, repo="somebody/weather")
    failed = served.ended(visitor)
    assert failed["state"] == "failed"
    assert failed["error"]["what"] == "The Hub did not let this account write somebody/weather."


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ({"repo": "weather"}, "no name for a repository"),
        ({"repo": "me/../weather"}, "no name for a repository"),
        ({"repo": None}, "no name for a repository"),
        ({"kind": "gguf"}, "nothing to push"),
        ({"step": "20"}, "nothing to push"),
        ({"step": 30}, "no checkpoint at step 30"),
        ({"run": "../../etc"}, "not the id of a run"),
    ],
)
def test_what_cannot_be_pushed_is_refused_at_once(served, hub, asked, what):
    refused = served.push(served.visitor(), **asked)
    assert refused.status_code == 400 and what in refused.json()["error"]["what"]


def test_a_form_of_another_site_begins_nothing(served, hub):
    visitor = served.visitor()
    refused = visitor.post("/push", content='{"run": "x"}', headers={"content-type": "text/plain"})
    assert refused.status_code == 400 and visitor.get("/push").json() == {"pushes": []}


def test_the_app_lets_in_who_signed_in_and_refuses_another_sites_page(ran, hub):
    home, run = ran
    env = {"DFGUI_USERNAME": "ada", "DFGUI_PASSWORD": "engine", "HF_TOKEN": OWNERS, "HF_ENDPOINT": hub.endpoint}
    asked = {"run": run, "step": 20, "kind": "adapter", "repo": "me/weather", "public": False}
    with app("--port", str(free_port()), home=home, env=env) as server, httpx.Client(base_url=server.url) as person:
        assert person.post("/push", json=asked).status_code == 401
        person.post("/login", data={"username": "ada", "password": "engine"})
        refused = person.post("/push", json=asked)
        assert refused.status_code == 400 and "own token is not yours" in refused.json()["error"]["why"]
        elsewhere = {"origin": "https://evil.example"}
        assert person.post("/push", json=asked, headers=elsewhere).status_code == 403
        assert person.delete("/push/0123456789abcdef", headers=elsewhere).status_code == 403
    assert hub.tokens == set()
