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
