"""The reference page's tips appear where they apply, and nowhere else."""

from dfgui.recipe import parse
from dfgui.views.tips import tips


def advice(**training) -> str:
    return " ".join(tips(parse({"model": {"name": "owner/name"}, "training": training})))


def test_the_defaults_need_no_advice():
    assert advice() == ""


def test_the_demo_model_is_led_to_its_preset():
    assert "CPU demo" in " ".join(tips(parse({})))
    assert tips(parse({"training": {"learning_rate": 2e-3}})) == []


def test_rows_of_ones_own_are_worth_a_real_model():
    (words,) = tips(parse({"data": {"source": "mine.jsonl"}}))
    assert "choose a real one under Model" in words and "CPU demo" not in words


def test_a_large_batch_is_better_accumulated():
    assert "start with 2 to 4" in advice(per_device_train_batch_size=16)


def test_a_learning_rate_far_from_the_methods_own_is_remarked():
    assert "far below" in advice(learning_rate=2e-6)
    assert "far above" in advice(learning_rate=1e-3)
    assert advice(learning_rate=0.1) == ""  # which the checks before the start say
    full = parse({"model": {"name": "owner/name"}, "method": "full", "training": {"learning_rate": 2e-4}})
    assert "2e-5 is usual for full fine-tuning" in " ".join(tips(full))


def test_many_epochs_can_overfit():
    assert "1 to 3" in advice(num_train_epochs=10)
    assert "1 to 3" not in advice(num_train_epochs=10, max_steps=50)


def test_some_rows_should_be_held_out():
    run = parse({"data": {"eval_fraction": 0}})
    assert any("hold out 10 %" in words for words in tips(run))
