import json

import pytest

from dfgui.views import export

CODE = {"adapter": "load the adapter", "merged": "load the model"}


def saved(step, eval_loss=None, best=False):
    return {"step": step, "eval_loss": eval_loss, "best": best}


def test_each_shape_says_its_size_and_what_it_is_for():
    adapter, merged, _ = export.offers({"adapter": 31_000_000, "merged": 1_200_000_000}, "Qwen/Qwen3-0.6B", CODE)
    assert (adapter["title"], adapter["size"], adapter["needs"]) == ("Adapter", "31 MB", "Its base is Qwen/Qwen3-0.6B.")
    assert (merged["title"], merged["size"], merged["needs"]) == ("Merged model", "1.2 GB", "")
    assert merged["code"] == "load the model"


def test_a_base_that_left_this_machine_makes_the_size_unknown():
    _, merged, _ = export.offers({"adapter": 31_000_000, "merged": 0}, "Qwen/Qwen3-0.6B", CODE)
    assert merged["size"] == "size not known: its base is fetched again"


@pytest.fixture
def run(tmp_path):
    """A run of a folder of its own, which is there."""
    folder = tmp_path / "Qwen3-0.6B-bnb-4bit"
    folder.mkdir()
    model = {"name": str(folder), "revision": None}
    return {"name": "weather", "config": {"method": "lora", "model": model}, "facts": {"base": str(folder)}}


def test_a_base_that_is_where_it_was_is_not_asked_for(run):
    assert export.question(run) is None


def test_a_folder_that_has_moved_is_asked_for_and_one_of_the_hub_is_not(run, tmp_path):
    (tmp_path / "Qwen3-0.6B-bnb-4bit").rmdir()
    asked = export.question(run)
    assert asked["title"] == "Where is its base model now?" and run["facts"]["base"] in asked["why"]
    assert asked["guess"] == ""
    run["config"]["method"] = "full"
    assert export.question(run) is None
    fetched_again = {"base": str(tmp_path / "snapshots" / "0123")}
    of_the_hub = {"method": "lora", "model": {"name": "Qwen/Qwen3-0.6B", "revision": None}}
    assert export.question(run | {"config": of_the_hub, "facts": fetched_again}) is None


def test_a_quantised_base_is_asked_what_it_was_made_from_and_its_name_may_tell(run, tmp_path):
    folder = tmp_path / "Qwen3-0.6B-bnb-4bit"
    (folder / "config.json").write_text(json.dumps({"quantization_config": {"load_in_4bit": True}}))
    asked = export.question(run)
    assert asked["title"] == "Which model was its base made from?"
    assert asked["guess"] == ""
    (tmp_path / "Qwen3-0.6B").mkdir()
    assert export.question(run)["guess"] == str(tmp_path / "Qwen3-0.6B")
    run["config"]["model"]["name"] = "unsloth/Qwen3-0.6B-unsloth-bnb-4bit"
    assert export.question(run)["guess"] == "unsloth/Qwen3-0.6B"
    run["config"]["model"]["name"] = "somebody/their-4bit"
    assert export.question(run)["guess"] == ""
    run["facts"]["full_base"] = str(tmp_path / "Qwen3-0.6B")
    assert export.question(run) is None


def test_what_cannot_be_had_now_says_why_and_has_no_size():
    _, merged, _ = export.offers({"adapter": 31_000_000}, "./model", CODE, refused={"merged": "Say where."})
    assert (merged["size"], merged["refused"]) == ("", "Say where.")
    adapter, _ = export.offers({"adapter": 31_000_000}, "./model", CODE)
    assert adapter["refused"] == ""


def test_a_full_checkpoint_comes_whole_only():
    only, _ = export.offers({"merged": 1_200_000_000}, "Qwen/Qwen3-0.6B", CODE)
    assert only["kind"] == "merged"
    assert only["about"].startswith("The whole model that was trained")


def test_the_run_itself_comes_as_a_script():
    script = export.offers({"merged": 1_200_000_000}, "Qwen/Qwen3-0.6B", CODE)[-1]
    assert (script["kind"], script["size"]) == ("script", "") and "python train.py" in script["code"]
    assert export.offers({}, "Qwen/Qwen3-0.6B", CODE) == []


def test_the_checkpoint_asked_for_is_shown_else_the_best_else_the_newest():
    rows = [saved(20), saved(40, 0.7, best=True), saved(60, 0.8)]
    assert export.chosen_step(rows, 20) == 20
    assert export.chosen_step(rows, 999) == 40
    assert export.chosen_step([saved(20), saved(40)], None) == 40


def test_a_checkpoint_is_named_with_its_loss():
    assert export.step_label(saved(1360, 0.7412, best=True)) == "Step 1,360 · held-out loss 0.741 · best"
    assert export.step_label(saved(20)) == "Step 20"


def test_a_gguf_file_comes_in_16_and_in_8_bit(run):
    card = export.gguf(run, {"float16": 1_200_000_000, "q8_0": 640_000_000}, can_convert=True)
    assert card["refused"] == "" and "ollama create" in card["code"]
    assert [(one["kind"], one["size"]) for one in card["choices"]] == [
        ("gguf-float16", "about 1.2 GB"),
        ("gguf-q8_0", "about 640 MB"),
    ]
    offered = export.offers({"adapter": 31_000_000, "merged": 0}, "./model", CODE, gguf=card)
    assert [one["kind"] for one in offered] == ["adapter", "merged", "gguf", "script"]


def test_without_a_converter_the_card_says_how_to_get_it(run):
    card = export.gguf(run, {}, can_convert=False, first="Say where the base is.")
    assert "not on this machine" in card["refused"] and "git clone" in card["code"]


def test_what_has_to_be_told_first_and_what_the_demo_has_of_its_own_is_said_instead(run):
    card = export.gguf(run, {}, can_convert=True, first="Say where the base is.")
    assert (card["refused"], card["code"]) == ("Say where the base is.", "")
    run["config"]["model"]["name"] = "demo"
    assert "tokenizer of its own" in export.gguf(run, {}, can_convert=True)["refused"]
