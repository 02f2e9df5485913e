"""The app's own functions, called as its page calls them: those of the queue, and those of an HTML component."""

import json
import secrets


class Caller:
    """A visitor who has loaded the page: `config` is what it was sent, `session` its id."""

    def __init__(self, client):
        self.client = client
        self.config = client.get("/config").json()
        self.session = secrets.token_hex(8)
        self.components = {one["id"]: one for one in self.config["components"]}

    def functions(self):
        """{index: [id of each input]} of what runs in the server."""
        return {one["id"]: one["inputs"] for one in self.config["dependencies"] if one["backend_fn"]}

    def server_functions(self):
        """[(component, name)]"""
        named = ((id, one["props"].get("server_fns") or []) for id, one in self.components.items())
        return [(id, name) for id, names in named for name in names]

    def value(self, id):
        return self.components[id]["props"].get("value")

    def call(self, index, changed):
        """Begins a function with what its inputs hold, `changed` by id; the event's id, or None where it is refused."""
        data = [changed.get(id, self.value(id)) for id in self.functions()[index]]
        body = {"data": data, "fn_index": index, "session_hash": self.session, "trigger_id": None}
        return self.client.post("/gradio_api/queue/join", json=body).json().get("event_id")

    def answers(self):
        """All that the functions said that were begun, as text."""
        with self.client.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.session}) as answer:
            return "".join(answer.iter_text())

    def ask(self, component, name, question):
        body = {"component_id": component, "fn_name": name, "session_hash": self.session, "data": question}
        return self.client.post("/gradio_api/component_server", json=body)


def said(text):
    """[message, ...] of an event stream."""
    return [json.loads(line.removeprefix("data:")) for line in text.splitlines() if line.startswith("data:")]
