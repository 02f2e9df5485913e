"""What the Hub says of models: a search, and one of them at a revision."""

import pytest

from dfgui.models import hub as hub_module
from tests.hub import COMMIT, answer, serving

FIND = """
from dataclasses import asdict
from dfgui.errors import UserError
from dfgui.models import hub
try:
    print(json.dumps([asdict(one) for one in hub.search("qwen", settings)]))
except UserError as error:
    print(json.dumps({"error": error.to_dict()}))
"""
LOOK = """
from dataclasses import asdict
from dfgui.errors import UserError
from dfgui.models import hub
try:
    print(json.dumps(asdict(hub.look("me/qwen", REVISION, settings))))
except UserError as error:
    print(json.dumps({"error": error.to_dict() | {"field": error.field}}))
"""


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "repo"
    made.mkdir()
    (made / "config.json").write_text("{}")
    (made / "model.safetensors").write_bytes(b"x" * 1000)
    return made


def test_a_search_finds_by_name_the_most_downloaded_first_with_what_the_hub_knows(folder, tmp_path):
    with serving(
        {"me/qwen-small": folder, "me/Qwen-large": folder, "me/other": folder}, gated={"me/Qwen-large"}
    ) as hub:
        hub.told["me/qwen-small"] = {"downloads": 5, "cardData": {"license": "mit"}, "tags": ["safetensors"]}
        counted = {"parameters": {"BF16": 100, "F32": 10}, "total": 110}
        hub.told["me/Qwen-large"] = {"downloads": 900, "safetensors": counted, "tags": ["license:apache-2.0"]}
        large, small = answer(FIND, hub, tmp_path)
    assert (large["id"], large["parameters"], large["bytes"]) == ("me/Qwen-large", 110, 240)
    assert (large["licence"], large["gated"], large["safetensors"]) == ("apache-2.0", True, True)
    assert (small["id"], small["licence"], small["downloads"]) == ("me/qwen-small", "mit", 5)
    assert (small["gated"], small["safetensors"], small["parameters"]) == (False, True, None)
    (asked,) = hub.searched
    assert (
        asked["search"] == ["qwen"] and asked["pipeline_tag"] == ["text-generation"] and asked["sort"] == ["downloads"]
    )
    assert {"safetensors", "gated", "downloads", "cardData"} <= set(asked["expand"])


def test_the_token_of_a_visit_is_shown_in_a_search(folder, tmp_path):
    code = 'settings = settings.with_secrets({"HF_TOKEN": "hf_mine"})\n' + LOOK.replace("REVISION", "None")
    with serving({"me/qwen": folder}) as hub:
        assert answer(code, hub, tmp_path)["id"] == "me/qwen"
    assert hub.tokens == {"hf_mine"}


@pytest.mark.parametrize(("environment", "what"), [({}, "cannot be reached"), ({"HF_HUB_OFFLINE": "1"}, "not asked")])
@pytest.mark.parametrize("code", [FIND, LOOK.replace("REVISION", "None")], ids=["search", "look"])
def test_a_hub_that_is_silent_is_one_clear_message(tmp_path, code, environment, what):
    error = answer(code, None, tmp_path, **environment)["error"]
    assert what in error["what"] and "on this machine" in error["do"]


def test_a_model_at_a_revision_has_its_commit_and_the_sizes_of_its_files(folder, tmp_path):
    with serving({"me/qwen": folder}) as hub:
        found = answer(LOOK.replace("REVISION", "'v1/a b'"), hub, tmp_path)
    assert found["commit"] == COMMIT and found["files"] == {"config.json": 2, "model.safetensors": 1000}
    assert found["safetensors"]


def test_a_revision_that_is_not_there_is_told_beside_its_field(folder, tmp_path):
    with serving({"me/qwen": folder}) as hub:
        hub.revisions = {"main"}
        error = answer(LOOK.replace("REVISION", "'v2'"), hub, tmp_path)["error"]
    assert error["what"] == "me/qwen has no revision v2." and error["field"] == "model.revision"


def test_a_model_that_is_not_there_is_told_as_such(folder, tmp_path):
    with serving({"me/another": folder}) as hub:
        error = answer(LOOK.replace("REVISION", "None"), hub, tmp_path)["error"]
    assert error["what"] == "me/qwen is not on the Hub."


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("me/tiny", True), ("Qwen/Qwen3-0.6B", True), ("demo", False), ("../x", False), ("/a/b", False), ("a/b/c", False)],
)
def test_a_name_of_the_hub_is_owner_and_name(name, is_one):
    assert hub_module.is_an_id(name) == is_one
