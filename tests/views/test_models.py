"""Models in words: rows to pick from, what one is, how far a download is."""

import pytest

from dfgui.errors import UserError
from dfgui.models import hub
from dfgui.models.card import Card
from dfgui.models.catalog import good_first
from dfgui.models.download import Download
from dfgui.models.hub import Found
from dfgui.training.preflight.fit import Fit
from dfgui.training.preflight.note import Note
from dfgui.training.preflight.pace import Pace
from dfgui.views import models

PAGE = "https://huggingface.co/me/tiny"
CARD = Card(
    "me/tiny", "hub", safetensors=True, parameters=135_000_000, bytes=269_000_000, context=8192, template=True,
    tools=True, licence="mit", writes_text=True, page=PAGE, commit="abc",
)  # fmt: skip


def with_(**changes):
    return Card(**{**vars(CARD), **changes})


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (None, ""),
        (3_935_616, "3.9 million parameters"),
        (134_515_008, "135 million parameters"),
        (999_600_000, "1.0 billion parameters"),
        (4_022_468_096, "4.0 billion parameters"),
        (671_000_000_000, "671 billion parameters"),
    ],
)
def test_parameters_are_said_in_millions_and_billions(count, said):
    assert models.parameters(count) == said


def test_a_model_that_was_found_says_what_the_hub_knows_and_nothing_else():
    full = models.found(
        Found("a/b", "text-generation", 135_000_000, 270_000_000, "mit", downloads=4200, safetensors=True)
    )
    assert full["facts"] == "135 million parameters · 270 MB · mit · 4.2k downloads" and full["badges"] == []
    bare = models.found(Found("a/b", gated=True))
    assert bare["facts"] == "" and [one["words"] for one in bare["badges"]] == ["gated", "no safetensors"]


def test_a_larger_model_is_offered_in_4_bit_where_that_can_be():
    assert [offer.in_4bit for offer in good_first(can_4bit=False)] == [False, False]
    *_, larger = good_first(can_4bit=True)
    assert models.offer(larger, set())["changes"] == {"model.load_in_4bit": True}
    assert "8.0 GB to download" in models.offer(larger, set())["facts"]
    assert "on this machine" in models.offer(larger, {larger.id})["facts"]


def test_a_card_says_what_a_model_is():
    told = models.card(CARD, has_token=False)
    facts = {name: value for name, value, _ in told["facts"]}
    assert facts["Size"] == "135 million parameters" and facts["Reads at most"] == "8,192 tokens"
    assert facts["Chat template"] == "yes, and it speaks of tools" and facts["To download"] == "269 MB"
    assert told["notes"] == [] and told["usable"] and told["download"] == "Download now (269 MB)"


def test_what_is_not_known_is_said_to_be_so():
    told = models.card(with_(parameters=None, bytes=None, context=None, template=None, licence=""), has_token=False)
    facts = {name: value for name, value, _ in told["facts"]}
    assert facts["Size"] == facts["Reads at most"] == facts["Chat template"] == facts["To download"] == "not known"
    assert told["download"] == "Download now"


@pytest.mark.parametrize(
    ("changes", "said", "usable"),
    [
        ({"gated": True, "closed": True}, f"Accept its terms on {PAGE}. Then give a token under Connections.", False),
        ({"gated": True}, f"Accept its terms on {PAGE}. Give a token under Connections.", True),
        ({"safetensors": False}, "no *.safetensors", False),
        ({"code": "needed"}, "dfgui does not run that", False),
        ({"code": "unused"}, "dfgui does not run it", True),
        ({"writes_text": False}, "no model that writes text", False),
        ({"silence": hub.unreached()}, "It did not answer in time", True),
    ],
)
def test_what_stands_in_the_way_is_said_before_it_is_chosen(changes, said, usable):
    told = models.card(with_(**changes), has_token=False)
    (note,) = told["notes"]
    assert said in f"{note['text']} {note['do']}" and told["usable"] == usable
    assert bool(told["download"]) == usable


def test_a_token_that_is_not_let_in_is_not_asked_for_again():
    (note,) = models.card(with_(gated=True, closed=True), has_token=True)["notes"]
    assert "not let in" in note["do"]
    assert models.card(with_(gated=True), has_token=True)["notes"] == []


def test_a_download_that_broke_off_is_offered_to_go_on():
    assert models.card(with_(begun=69_000_000), has_token=False)["download"] == "Go on downloading (200 MB left)"
    assert models.card(with_(here=True), has_token=False)["download"] == ""


@pytest.mark.parametrize(
    ("kind", "badge"), [("ok", "fits here"), ("warn", "tight here"), ("stop", "too large here"), ("tell", None)]
)
def test_whether_it_fits_is_a_badge_or_nothing(kind, badge):
    told = models.fit(Fit(Note(kind, "Memory", "About 2.0 GB.", "Smaller batches.")))
    assert (told["badge"] and told["badge"]["words"]) == badge
    assert told["words"] == "About 2.0 GB. Smaller batches." and told["time"] == ""


def test_what_is_being_worked_out_is_said_to_be_so():
    told = models.fit(Fit(Note("tell", "Memory", "It is being worked out.", pending=True)))
    assert told["pending"] and told["badge"] is None and "being worked out from its config" in told["words"]


def test_how_long_it_takes_is_said_only_where_a_run_has_told():
    assert models.fit(Fit(None, Pace(2400, 600, 4.0, "weather")))["time"] == "about 40 min here, as weather took"
    assert models.fit(Fit(None, Pace(2400, 600, 4.0, "weather", True)))["time"].startswith("roughly 40 min")
    assert models.fit(Fit()) == {"badge": None, "words": "", "time": "", "pending": False}


def test_how_far_a_download_is():
    running = models.download(Download("a/b", None, done=250_000_000, total=1_000_000_000))
    assert (running["share"], running["words"]) == (0.25, "250 MB of 1.0 GB")
    assert models.download(Download("a/b", None))["words"] == "Asking the Hub …"
    kept = models.download(Download("a/b", None, state="cancelled", done=5_000_000, total=9_000_000))
    assert kept["words"] == "Cancelled. 5.0 MB are kept for the next time."
    failed = models.download(Download("a/b", None, state="failed", error=UserError("A.", "B.", "C.")))
    assert failed["error"]["what"] == "A." and models.download(None) is None
