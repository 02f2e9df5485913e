"""Whatever a page may name, it reads nothing outside the home and no login, and has no address of its own fetched."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.loopback import running
from tests.server.attacks.calling import Caller, said
from tests.server.attacks.conftest import LOGINS, SECRET

NAMED = "data__source model__name data__also data__eval_source run__accelerate_config extra".split()
KEYS = "run step model name source path kind repo view id base key runs".split()  # what questions of the page hold
FILE = {"meta": {"_type": "gradio.FileData"}, "orig_name": "rows.txt", "size": 1}


class Elsewhere(BaseHTTPRequestHandler):
    """A server of this machine that only the app could be made to ask."""

    def do_GET(self):
        self.server.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(SECRET.encode())

    do_POST = do_HEAD = do_GET


@pytest.fixture(scope="module")
def elsewhere():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    server.asked = []
    server.url = f"http://127.0.0.1:{server.server_port}/rows.txt"
    with running(server):
        yield server


@pytest.fixture(scope="module")
def attempts(folder, elsewhere):
    home, secret = folder / "home", folder / "secret.txt"
    return [
        f"{secret}",
        f"{home}/uploads/../../secret.txt",
        f"{home}/led-outside.txt",
        f"{home}/logins.txt",
        f"{home}/cache/../logins.txt",
        f"{home}/dfgui.db",
        f"file://{secret}",
        elsewhere.url,
        f"hf:{elsewhere.url}",
        "../secret.txt",
        "..%2f..%2fsecret.txt",
        "%252e%252e/secret.txt",
        r"C:\Windows\win.ini",
        r"\\127.0.0.1\share\rows.txt",
        "~root/.bashrc",
        "/proc/self/environ",
        f"{secret}\0.txt",
        "x" * 5000,
    ]


@pytest.fixture
def caller(ada):
    return Caller(ada)


@pytest.fixture(autouse=True)
def nothing_is_fetched(elsewhere):
    yield
    assert elsewhere.asked == []


def tells_nothing(text):
    return not [line for line in (SECRET, *LOGINS.split()) if line in text]


def field(caller, name):
    return next(id for id, one in caller.components.items() if one["props"].get("elem_id") == f"field-{name}")


def few(caller, id):
    """Of the functions that take this input one for each number of inputs, the smallest ones."""
    taking = {len(inputs): index for index, inputs in caller.functions().items() if id in inputs}
    return [taking[size] for size in sorted(taking)][:4]


def test_a_dataset_is_read_inside_the_home_alone(caller, attempts):
    source = field(caller, "data__source")
    asked = [caller.call(index, {source: attempt}) for index in few(caller, source) for attempt in attempts]
    text = caller.answers()
    assert len(asked) > 50 and None not in asked
    assert len([one for one in said(text) if one["msg"] == "process_completed"]) == len(asked)
    assert tells_nothing(text) and "outside the folders" in text


def test_no_function_of_the_page_reads_or_fetches_what_it_may_not(caller, attempts):
    """Each is given another thing to read, in another field; all of the fields and attempts come up."""
    names = [field(caller, name) for name in NAMED]
    asked = []
    for turn, (index, inputs) in enumerate(caller.functions().items()):
        named = [id for id in names if id in inputs] or inputs
        asked.append(caller.call(index, {id: attempts[(turn + at) % len(attempts)] for at, id in enumerate(named)}))
    text = caller.answers()
    assert len(asked) > 40 and tells_nothing(text)


def test_a_file_that_was_never_uploaded_is_not_taken_for_one(caller, attempts):
    upload = next(id for id, one in caller.components.items() if one["type"] == "uploadbutton")
    index = next(index for index, inputs in caller.functions().items() if inputs == [upload])
    for attempt in attempts:
        for given in ({"path": attempt}, {"path": "rows.txt", "url": attempt}, {"path": attempt, "url": attempt}):
            caller.call(index, {upload: {**FILE, **given}})
    text = caller.answers()
    done = [one for one in said(text) if one["msg"] == "process_completed"]
    assert len(done) == 3 * len(attempts) and not [one for one in done if one["success"]]
    assert tells_nothing(text)


def test_no_question_of_the_page_reads_what_it_may_not(caller, attempts):
    names = caller.server_functions()
    assert len(names) > 15
    for component, name in names:
        for attempt in attempts:
            answer = caller.ask(component, name, dict.fromkeys(KEYS, attempt))
            assert answer.status_code == 200 and tells_nothing(answer.text), (name, attempt[:80], answer.text[:300])


def test_what_is_no_question_is_answered_in_words(caller):
    for component, name in caller.server_functions():
        for question in (None, [], "x", 7, {"run": {}}, {"run": [1], "step": {}}, {"step": True, "run": None}):
            answer = caller.ask(component, name, question)
            assert answer.status_code == 200, (name, question)


@pytest.mark.parametrize("address", ["/gradio_api/file=", "/files/", "/download/", "/static/", "/assets/", "/svelte/"])
def test_no_file_is_sent_but_its_own(caller, attempts, address):
    short = [attempt for attempt in attempts if len(attempt) < 500]  # Gradio's own answer a longer one with 500
    for attempt in (*short, "//etc/passwd", "/etc/passwd", "%2e%2e%2f%2e%2e%2flogins.txt", "dfgui.db"):
        answer = caller.client.get(address + attempt.replace("\0", "%00"))
        assert answer.is_error, attempt
        assert tells_nothing(answer.text) and "SQLite" not in answer.text
