"""What is given for a visit goes in and never comes out: not to a browser, a file or another visitor."""

import httpx
import pytest

from tests import platform
from tests.server.processes import free_port, served

SECRET = "hf_averysecrettoken"
LOGIN = {"DFGUI_USERNAME": "ada", "DFGUI_PASSWORD": "engine"}


@pytest.fixture
def server(tmp_path):
    with served("--port", str(free_port()), home=tmp_path) as serving:
        yield serving


def visitor(url):
    return httpx.Client(base_url=url, timeout=20)


def sources(answer):
    """{"HF_TOKEN": "visit", ...}"""
    return {one["name"]: one["from"] for service in answer.json()["services"] for one in service["fields"]}


def test_a_value_is_there_for_its_visitor_alone_and_its_text_never_comes_back(server, tmp_path):
    mine, theirs = visitor(server.url), visitor(server.url)
    answer = mine.post("/connections", json={"HF_TOKEN": SECRET})
    assert sources(answer)["HF_TOKEN"] == "visit" and answer.headers["cache-control"] == "no-store"
    assert sources(mine.get("/connections"))["HF_TOKEN"] == "visit"
    assert sources(theirs.get("/connections"))["HF_TOKEN"] == ""
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    said = answer.text + mine.get("/connections").text + mine.get("/").text + server.text()
    assert SECRET not in said and SECRET not in cookie
    assert SECRET.encode() not in b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_a_cookie_that_a_visitor_made_up_is_replaced(server):
    mine = visitor(server.url)
    answer = mine.post("/connections", json={"HF_TOKEN": SECRET}, headers={"cookie": "dfgui-visit=chosen"})
    assert "chosen" not in answer.headers["set-cookie"]
    assert sources(httpx.get(f"{server.url}/connections", headers={"cookie": "dfgui-visit=chosen"}))["HF_TOKEN"] == ""


def test_only_small_json_of_our_own_page_is_taken(server):
    mine = visitor(server.url)
    assert mine.post("/connections", content=b'{"HF_TOKEN": "x"}').status_code == 400
    assert mine.post("/connections", data={"HF_TOKEN": "x"}).status_code == 400
    assert mine.post("/connections", json={"HF_TOKEN": "x" * 20_000}).status_code == 400
    assert mine.post("/connections", json=["HF_TOKEN"]).status_code == 400
    assert mine.post("/connections/test", json={"service": "elsewhere"}).status_code == 400
    foreign = mine.post("/connections", json={"HF_TOKEN": "x"}, headers={"origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert set(sources(mine.get("/connections")).values()) == {""}


def test_a_test_uses_what_the_visitor_gave(server):
    mine, theirs = visitor(server.url), visitor(server.url)
    with platform.serving() as there:
        given = {"DEEPFABRIC_API_URL": there.url, "DEEPFABRIC_API_KEY": "secret-key", "DEEPFABRIC_PIPELINE_ID": "7"}
        mine.post("/connections", json=given)
        answer = mine.post("/connections/test", json={"service": "deepfabric"}).json()
        assert answer["works"] and "ada@example.com" in answer["words"]
        assert "no key" in theirs.post("/connections/test", json={"service": "deepfabric"}).json()["words"]


def test_a_key_of_the_environment_is_not_sent_where_a_visitor_points(tmp_path):
    with (
        platform.serving() as elsewhere,
        served("--port", str(free_port()), home=tmp_path, env={"DEEPFABRIC_API_KEY": "secret-key"}) as server,
    ):
        mine = visitor(server.url)
        mine.post("/connections", json={"DEEPFABRIC_API_URL": elsewhere.url})
        answer = mine.post("/connections/test", json={"service": "deepfabric"}).json()
    assert not answer["works"] and "no key to test" in answer["words"]


def test_where_a_login_is_in_force_it_comes_first_and_a_logout_ends_the_visit(tmp_path):
    with served("--port", str(free_port()), home=tmp_path, env=LOGIN) as server:
        mine = visitor(server.url)
        assert mine.get("/connections").status_code == mine.post("/connections", json={}).status_code == 401
        mine.post("/login", data={"username": "ada", "password": "engine"})
        mine.post("/connections", json={"HF_TOKEN": SECRET})
        visit = mine.cookies["dfgui-visit"]
        assert sources(mine.get("/connections"))["HF_TOKEN"] == "visit"
        mine.get("/logout")
        assert "dfgui-visit" not in mine.cookies
        mine.post("/login", data={"username": "ada", "password": "engine"})
        mine.cookies.set("dfgui-visit", visit)
        assert sources(mine.get("/connections"))["HF_TOKEN"] == ""
