"""What belongs to one visitor is told to no other: a session, what runs in it, a key, a push, an upload under way."""

import time

import httpx
import pytest

from tests.server.attacks.calling import Caller
from tests.server.attacks.test_addresses import url

KEY = "hf_the_key_that_ada_gave"
PROMPT = "what only ada has asked"


@pytest.fixture(scope="module")
def told_to_ada(ada):
    """What is hers, in words: her session, an event in it, her key and its cookie."""
    page = Caller(ada)
    answer = ada.post("/connections", json={"HF_TOKEN": KEY})
    text = next(id for id, one in page.components.items() if one["props"].get("elem_id") == "chat-prompt")
    index = next(index for index, inputs in page.functions().items() if text in inputs)
    event = page.call(index, {text: PROMPT})
    return [page.session, event, KEY, PROMPT, answer.cookies["dfgui-visit"]]


def test_no_address_tells_a_visitor_what_is_anothers(addresses, bob, told_to_ada):
    asked = {path for method, path in addresses if method == "GET" and path != "/logout"}
    for path in sorted(asked):
        with bob.stream("GET", url(path)) as answer:
            text = next(answer.iter_text(), "") if "event-stream" in str(answer.headers) else answer.read().decode()
        assert [one for one in told_to_ada if one in text] == [], path


def test_no_question_of_the_page_tells_it_either(bob, told_to_ada):
    page = Caller(bob)
    for component, name in page.server_functions():
        for session in (page.session, told_to_ada[0]):
            page.session = session
            text = page.ask(component, name, {"view": "monitor", "run": "x"}).text
            assert [one for one in told_to_ada if one in text] == [], name


def test_an_events_id_that_was_guessed_is_nobodys(bob):
    for path in ("/gradio_api/call/x/" + "0" * 32, "/gradio_api/queue/data?session_hash=" + "0" * 16):
        with bob.stream("GET", path) as answer:
            assert PROMPT not in "".join(_until_it_ends(answer))


def _until_it_ends(answer):
    try:
        yield from answer.iter_text()
    except httpx.RemoteProtocolError:  # Gradio's way to say that there is no such session
        return


def test_another_users_visit_cookie_is_worth_nothing(bob, told_to_ada):
    with httpx.Client(base_url=bob.base_url, cookies=dict(bob.cookies)) as thief:
        thief.cookies.set("dfgui-visit", told_to_ada[-1])
        given = [one for service in thief.get("/connections").json()["services"] for one in service["fields"]]
        assert {one["from"] for one in given} <= {"", "machine"}
        assert thief.get("/push").json() == {"pushes": []}


def test_a_key_comes_back_to_nobody_and_lies_in_no_file(ada, folder, server, told_to_ada):
    assert KEY not in ada.get("/connections").text + ada.get("/config").text + server.text()
    kept = [file for file in (folder / "home").rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()]
    assert kept == []


def test_what_gradio_has_taken_in_is_no_dataset_until_it_is_kept(ada, bob):
    """Bob knows where ada's upload lies, and still cannot open it as a dataset."""
    path = ada.post("/gradio_api/upload", files={"files": ("rows.txt", b"a row of ada")}).json()[0]
    page = Caller(bob)
    source = next(id for id, one in page.components.items() if one["props"].get("elem_id") == "field-data__source")
    index = min(
        (len(inputs), index) for index, inputs in page.functions().items() if source in inputs and len(inputs) > 9
    )
    page.call(index[1], {source: path})
    text = page.answers()
    assert "a row of ada" not in text and "outside the folders" in text


@pytest.mark.parametrize("name", ["x.svg", "x.html", "x.xhtml", "x.js", "x.xml", "x.pdf", "<img src=x onerror=1>.html"])
def test_an_uploaded_page_or_picture_is_never_shown_as_one(ada, name):
    path = ada.post("/gradio_api/upload", files={"files": (name, b"<svg onload=alert(1)>")}).json()[0]
    answer = ada.get(f"/gradio_api/file={path}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_cookie_is_kept_from_scripts_and_from_other_sites(server):
    with httpx.Client(base_url=server.url) as client:
        client.post("/login", data={"username": "ada", "password": "engine"})
        given = client.post("/connections", json={"HF_TOKEN": "hf_x"}).headers.get_list("set-cookie")
        left = client.get("/logout").headers.get_list("set-cookie")
    assert len(given) == 1 and len(left) == 2
    assert all("HttpOnly" in one and "SameSite=Lax" in one and "Path=/" in one for one in (*given, *left))
    assert all("Max-Age=0" in one for one in left)


def test_where_a_login_leads_to_is_of_this_server(server):
    foreign = [
        "//evil.example",
        r"/\evil.example",
        "https://evil.example",
        "/%0d%0aset-cookie:x=y",
        "javascript:alert(1)",
    ]
    for following in (*foreign, "/\r\nset-cookie: x=y", "\t//evil.example", "/.//evil.example", "http:evil.example"):
        answer = httpx.post(
            f"{server.url}/login",
            headers={"accept": "text/html"},
            data={"username": "ada", "password": "engine", "next": following},
        )
        assert answer.status_code == 303 and "x=y" not in str(answer.headers.get_list("set-cookie"))
        leads = httpx.URL(server.url + "/login").join(answer.headers["location"])
        assert leads.netloc == httpx.URL(server.url).netloc, following


def test_a_right_name_is_not_told_by_how_long_a_wrong_password_takes(server):
    def seconds(name):
        began = time.monotonic()
        httpx.post(f"{server.url}/login", data={"username": name, "password": "x"}, timeout=20)
        return time.monotonic() - began

    assert abs(seconds("ada") - seconds("nobody")) < 0.5
