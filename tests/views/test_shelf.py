from dfgui.views import shelf


def one(step, **measured):
    names = ("epoch", "loss", "eval_loss", "mean_token_accuracy", "eval_mean_token_accuracy", "learning_rate", "score")
    return {
        **dict.fromkeys(names),
        "step": step,
        "bytes": 1_200_000,
        "best": False,
        "kept": False,
        "created_at": 0.0,
        **measured,
    }


def row(found, title):
    return next(row for row in found["rows"] if row["title"] == title)


def test_the_list_is_newest_first_and_what_was_not_measured_is_empty():
    first, second = shelf.listed([one(20), one(1360, epoch=1.5, loss=0.8, eval_loss=0.7412, kept=True)])
    assert (first["step"], first["epoch"], first["loss"], first["eval"], first["kept"]) == (
        1360, "1.50", "0.8000", "0.7412", True,
    )  # fmt: skip
    assert (second["eval"], second["score"], second["size"]) == ("", "", "1.2 MB")


def test_the_better_one_is_named_by_what_was_measured():
    found = shelf.side_by_side(one(20, eval_loss=0.9, loss=0.5), one(40, eval_loss=0.7, loss=0.6))
    assert (row(found, "Held-out loss")["better"], row(found, "Held-out loss")["difference"]) == (40, "−0.2000")
    assert (row(found, "Training loss")["better"], row(found, "Training loss")["difference"]) == (20, "+0.1000")
    assert row(found, "Step")["better"] is None and row(found, "Step")["difference"] == "+20"
    assert found["verdict"] == "Step 40 is better by held-out loss."


def test_more_right_calls_are_better_and_may_be_at_odds_with_the_loss():
    scored = [one(20, eval_loss=0.7, score={"right": 3, "total": 63}), one(40, eval_loss=0.8)]
    scored[1]["score"] = {"right": 61, "total": 63}
    found = shelf.side_by_side(*scored)
    assert row(found, "Right tool calls")["values"] == ["3 of 63", "61 of 63"]
    assert row(found, "Right tool calls")["better"] == 40
    assert found["verdict"] == "Step 20 is better by held-out loss; step 40 is better by right tool calls."


def test_what_neither_has_is_left_out_and_what_one_lacks_names_no_better():
    found = shelf.side_by_side(one(20, eval_loss=0.7), one(40))
    assert row(found, "Held-out loss")["values"] == ["0.7000", "–"]
    assert (row(found, "Held-out loss")["better"], row(found, "Held-out loss")["difference"]) == (None, "")
    assert "Learning rate" not in [each["title"] for each in found["rows"]]
    assert found["verdict"].startswith("They were not both measured")


def test_equal_ones_are_said_to_be_equal():
    found = shelf.side_by_side(one(20, eval_loss=0.7), one(40, eval_loss=0.7))
    assert (row(found, "Held-out loss")["better"], row(found, "Held-out loss")["difference"]) == ("equal", "none")
    assert found["verdict"] == "On the held-out rows they are equal."


def test_what_lies_unfinished_on_the_disk_is_told_once_the_run_has_ended():
    assert shelf.left_over(["checkpoint-9"], ended=True) == "1 unfinished folder is not offered: checkpoint-9."
    assert shelf.left_over(["checkpoint-9", "checkpoint-12"], ended=True).startswith("2 unfinished folders are")
    assert shelf.left_over(["checkpoint-9"], ended=False) == "" == shelf.left_over([], ended=True)


def test_shares_are_apart_by_points_and_several_reasons_are_joined():
    first = one(20, eval_loss=0.7, eval_mean_token_accuracy=0.782, score={"right": 3, "total": 63})
    found = shelf.side_by_side(first, one(40, eval_loss=0.69999, eval_mean_token_accuracy=0.789))
    assert row(found, "Held-out tokens guessed right")["difference"] == "+0.7 points"
    assert row(found, "Held-out loss")["difference"] == "−1e-5"
    assert found["verdict"] == "Step 40 is better by held-out loss and held-out tokens guessed right."
