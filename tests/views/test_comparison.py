from dfgui.config import RunConfig
from dfgui.views import comparison
from dfgui.views.runs import Measured


def config(**values):
    return RunConfig.model_validate(values).model_dump()


def test_only_settings_that_differ_are_told_and_the_others_are_counted(row):
    runs = [
        row(config=config(name="one", training={"learning_rate": 2e-4})),
        row(config=config(name="two", training={"learning_rate": 1e-3, "packing": True})),
    ]
    found = comparison.differences(runs, {})
    assert found["rows"] == [
        ["Packing", "packing", ["off", "on"]],
        ["Learning rate", "learning_rate", ["0.0002", "0.001"]],
    ]
    assert found["equal"] > 40  # the name is no setting


def test_the_shape_of_an_adapter_does_not_matter_to_a_run_without_one(row):
    runs = [row(config=config(method="full")), row(config=config(method="lora"))]
    differing = {name: values for _, name, values in comparison.differences(runs, {})["rows"]}
    assert differing["method"] == ["full", "lora"] and differing["r"] == ["–", "16"]
    both = [row(config=config(method="full", adapter={"r": r})) for r in (4, 8)]
    assert comparison.differences(both, {})["rows"] == []


def test_a_run_of_before_a_setting_was_there_has_a_dash(row):
    old = config()
    del old["training"]["packing"]
    ((_, name, values),) = comparison.differences([row(config=old), row()], {})["rows"]
    assert (name, values) == ("packing", ["–", "off"])


def test_how_they_ended_stands_side_by_side(row):
    runs = [row(status="finished"), row(status="queued", max_steps=None)]
    found = [Measured(0.5, ((10, 0.9), (20, 0.7))), Measured()]
    assert comparison.results(runs, found) == [
        ["Status", "", ["finished", "waiting"]],
        ["Steps", "global_step", ["241 / 601", "–"]],
        ["Training loss, last", "loss", ["0.500", "–"]],
        ["Held-out loss, last", "eval_loss", ["0.700", "–"]],
        ["Held-out loss, best", "eval_loss at step", ["0.700 at 20", "–"]],
    ]
