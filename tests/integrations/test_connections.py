"""Keys of a visit: in memory only, each visitor's own, and used by what they start."""

import pytest

from dfgui import settings
from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.integrations import connections as module
from dfgui.integrations.connections import Connections, state
from dfgui.store import Store, Writer


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "dfgui.db")


@pytest.fixture
def connections(store):
    return Connections(store)


@pytest.fixture
def visitor(connections):
    return connections.new_visit("ada")[1]


def test_each_visitor_has_their_own_and_a_stranger_has_none(connections, visitor):
    _, other = connections.new_visit("ada")
    connections.set(visitor, {"HF_TOKEN": "hf_mine"})
    connections.set(other, {"HF_TOKEN": "hf_theirs"})
    assert connections.secrets(visitor) == {"HF_TOKEN": "hf_mine"}
    assert connections.secrets(other) == {"HF_TOKEN": "hf_theirs"}
    assert connections.secrets("") == connections.secrets("made-up ada") == {}


def test_a_cookie_is_worth_nothing_to_another_user(connections):
    cookie, visitor = connections.new_visit("ada")
    connections.set(visitor, {"HF_TOKEN": "hf_mine"})
    request = type("Request", (), {"cookies": {module.COOKIE: cookie}, "scope": {module.USER: "bob"}})
    assert connections.secrets(module.visitor_of(request)) == {}
    request.scope = {module.USER: "ada"}
    assert connections.secrets(module.visitor_of(request)) == {"HF_TOKEN": "hf_mine"}


def test_an_empty_value_is_forgotten_and_the_rest_stays(connections, visitor):
    connections.set(visitor, {"HF_TOKEN": "hf_mine", "WANDB_API_KEY": "0123"})
    connections.set(visitor, {"HF_TOKEN": ""})
    assert connections.secrets(visitor) == {"WANDB_API_KEY": "0123"}


def test_a_visit_that_nobody_uses_ends(connections, visitor, monkeypatch):
    connections.set(visitor, {"HF_TOKEN": "hf_mine"})
    monkeypatch.setattr(module, "VISIT_SECONDS", -1)
    assert connections.secrets(visitor) == {}
    with pytest.raises(UserError, match="over"):
        connections.set(visitor, {"HF_TOKEN": "hf_mine"})


def test_there_are_never_more_visits_than_fit(connections, visitor, monkeypatch):
    monkeypatch.setattr(module, "MOST_VISITS", 3)
    newer = [connections.new_visit(None)[1] for _ in range(3)]
    assert not connections.knows(visitor) and all(map(connections.knows, newer))


def test_a_run_keeps_what_it_was_handed_and_gets_what_is_given_later(connections, visitor, store):
    connections.set(visitor, {"HF_TOKEN": "hf_mine"})
    run = store.runs.create(RunConfig())
    connections.hand(run, visitor)
    connections.set(visitor, {"DEEPFABRIC_API_KEY": "key"})
    assert connections.of_run(run) == {"HF_TOKEN": "hf_mine", "DEEPFABRIC_API_KEY": "key"}
    connections.forget(visitor)
    assert connections.of_run(run) == {"HF_TOKEN": "hf_mine"}
    assert connections.of_run("another-run") == {}


def test_what_a_run_was_handed_goes_when_it_has_ended_and_nothing_of_it_waits(connections, visitor, store):
    connections.set(visitor, {"DEEPFABRIC_API_KEY": "key"})
    run = store.runs.create(RunConfig())
    with Writer(store.path, run) as writer:
        writer.outbox("run_start", {})
    connections.hand(run, visitor)
    store.runs.withdraw(run, "taken out")
    connections.hand(store.runs.create(RunConfig()), visitor)
    assert connections.of_run(run)  # its events are not sent yet
    store.outbox.sent(store.outbox.next(run))
    connections.hand(store.runs.create(RunConfig()), visitor)
    assert connections.of_run(run) == {}


@pytest.mark.parametrize(
    "given",
    [
        {"PATH": "/tmp"},
        {"HF_TOKEN": 3},
        {"HF_TOKEN": "two words"},
        {"HF_TOKEN": "line\nbreak: header"},
        {"HF_TOKEN": "ключ"},
        {"WANDB_API_KEY": "x" * 501},
        {"DEEPFABRIC_API_URL": "file:///etc/passwd"},
        {"DEEPFABRIC_API_URL": "http://["},
        {"DEEPFABRIC_API_URL": "http://user:word@host"},
    ],
)
def test_what_cannot_be_a_value_is_refused_and_not_repeated(connections, visitor, given):
    with pytest.raises(UserError) as caught:
        connections.set(visitor, {"DEEPFABRIC_PIPELINE_ID": "7", **given})
    assert connections.secrets(visitor) == {}
    assert all(str(value) not in str(caught.value) for value in given.values())


def test_what_is_shown_says_where_a_value_is_from_and_never_what_it_is(connections, visitor, tmp_path, monkeypatch):
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password 0123\n")
    where = settings.load(home=tmp_path).with_secrets({"DEEPFABRIC_API_KEY": "env-key"})
    shown = state(where, {"DEEPFABRIC_PIPELINE_ID": "visit-pipeline"})
    found = {one["name"]: one["from"] for service in shown for one in service["fields"]}
    assert found["DEEPFABRIC_API_KEY"] == "environment" and found["DEEPFABRIC_PIPELINE_ID"] == "visit"
    assert found["WANDB_API_KEY"] == "machine" and found["HF_TOKEN"] == found["DEEPFABRIC_API_URL"] == ""
    assert not any(value in str(shown) for value in ("env-key", "visit-pipeline", "0123"))


def test_nothing_that_is_printed_shows_a_value(connections, visitor, store, tmp_path):
    connections.set(visitor, {"HF_TOKEN": "hf_mine", "WANDB_API_KEY": "wb_mine", "DEEPFABRIC_API_KEY": "df_mine"})
    run = store.runs.create(RunConfig())
    connections.hand(run, visitor)
    theirs = settings.load(home=tmp_path).with_secrets(connections.of_run(run))
    printed = repr(connections) + repr(connections._visits) + repr(connections._runs) + repr(theirs)
    assert theirs.hub_token == "hf_mine" and "_mine" not in printed
