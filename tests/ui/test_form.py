"""The form holds every setting of a run, and says beside a field what is wrong with it."""

import gradio as gr
import pytest

from dfgui import config, fields, recipe
from dfgui.errors import UserError
from dfgui.ui import form


@pytest.fixture
def built():
    with gr.Blocks():
        return form.build()


def values_of(built: form.Form) -> dict:
    return {form.keyword(path): component.value for path, component in built.fields.items()}


def test_every_setting_that_has_a_choice_is_a_field(built):
    without = {spec.path for spec in fields.specs() if spec.kind == "choice" and len(spec.choices) == 1}
    assert set(built.fields) == set(form.SPECS) - without - {"callbacks"}


def test_callbacks_are_asked_for_where_any_is_allowed_and_say_what_they_hear():
    offered = {"callbacks": {"my.module:Mine": "hears on_log and on_save.", "own.py:Own": "hears on_step_end."}}
    with gr.Blocks():
        built = form.build(offered=offered)
    field = built.fields["callbacks"]
    assert field.multiselect and [value for _, value in field.choices] == list(offered["callbacks"])
    assert "**my.module:Mine** hears on_log and on_save." in field.info
    run = config.RunConfig.model_validate({"callbacks": ["own.py:Own"]})
    filled = built.fill(recipe.flat(run.model_dump()))
    values = values_of(built) | {"callbacks": filled[field]["value"]}
    assert recipe.parse(recipe.nested(form.by_path(values))) == run
    marked = built.mark({"callbacks": "own.py is gone."}, {})
    assert "**own.py is gone.**" in marked[field]["info"] and "hears on_step_end" in marked[field]["info"]
    assert "own.py:Own" in built.headlines(form.by_path(values))[built.groups["callbacks"]]["label"]


def test_a_field_has_its_title_its_help_and_the_name_that_trl_uses(built):
    field = built.fields["training.learning_rate"]
    spec = form.SPECS["training.learning_rate"]
    assert field.label == spec.title
    assert "`learning_rate`" in field.info
    assert spec.help in field.info


def test_an_untouched_form_is_the_default_configuration(built):
    values = recipe.nested(form.by_path(values_of(built)))
    assert recipe.parse(values) == config.RunConfig()


def test_values_survive_the_way_into_the_form_and_back(built):
    run = config.RunConfig.model_validate(
        {
            "name": "weather-lora",
            "method": "full",
            "data": {"eval_fraction": 0.2, "eval_source": "held.jsonl", "leave_out": ["cut", "duplicate"]},
            "adapter": {"target_modules": ["q_proj", "v_proj"]},
            "early_stopping": {"patience": 3, "threshold": 0.01, "greater_is_better": True},
            "training": {
                "learning_rate": 3e-5,
                "max_steps": 60,
                "save_total_limit": 3,
                "packing": True,
                "lr_scheduler_type": "cosine_with_min_lr",
                "lr_scheduler_kwargs": {"min_lr": 1e-5, "num_cycles": 2},
            },
            "extra": {"adam_beta2": 0.95, "include_for_metrics": ["inputs"], "project": "größer: ja"},
        }
    )
    filled = built.fill(recipe.flat(run.model_dump()))
    given = values_of(built)
    given |= {form.keyword(path): filled[built.fields[path]]["value"] for path in built.fields}
    assert recipe.parse(recipe.nested(form.by_path(given))) == run


def test_any_of_several_choices_can_be_taken_and_reads_as_words(built):
    field = built.fields["data.leave_out"]
    assert field.multiselect and ("Same as a row before it", "duplicate") in field.choices
    assert form.spoken("data.leave_out", ["duplicate", "cut"]) == (
        "Same as a row before it, Cut after the last token that is learned"
    )
    assert form.spoken("training.max_length", 3520) == "3,520"
    assert form.spoken("training.max_steps", -1) == "all"


def test_an_emptied_field_is_absent(built):
    values = form.by_path(values_of(built) | {"data__eval_source": "", "training__save_total_limit": None})
    assert values["data.eval_source"] is None
    assert values["training.save_total_limit"] is None
    assert recipe.problems(recipe.nested(values)) == {}


def test_an_emptied_number_is_to_be_filled_in(built):
    def wrong(**given):
        return form.problems(recipe.nested(form.by_path(values_of(built) | given)))

    assert wrong(training__learning_rate=None) == {"training.learning_rate": "Fill this in: 2e-4 is usual."}
    assert wrong(method="full", training__learning_rate=None)["training.learning_rate"].endswith("2e-5 is usual.")
    assert wrong(training__max_length=None) == {"training.max_length": "Fill this in: 1,024 is usual."}
    assert wrong(training__learning_rate=5000)["training.learning_rate"].endswith("use at most 10. 2e-4 is usual.")
    assert wrong() == {}


def test_a_run_with_an_emptied_number_is_refused():
    with pytest.raises(UserError, match="Fill this in"):
        form.require_filled({"training": {"learning_rate": None}})
    form.require_filled({"data": {"limit": None}})  # which may be absent


def test_what_was_changed_is_known_and_what_does_not_matter_is_not_asked_for():
    values = form.defaults() | {
        "training.max_steps": 60,
        "training.packing_strategy": "wrapped",  # packing is off
        "training.lr_scheduler_kwargs": "num_cycles: 2",  # a linear schedule takes none
        "data.limit": None,
        "data.also": "",
    }
    assert form.changed(values) == {"training.max_steps": 60}
    run = recipe.parse(recipe.nested(form.asked(values)))
    assert (run.training.packing_strategy, run.training.lr_scheduler_kwargs) == ("bfd", {})
    assert form.changed(values | {"training.packing": True}) == {
        "training.max_steps": 60,
        "training.packing": True,
        "training.packing_strategy": "wrapped",
    }


def test_the_learning_rate_of_the_method_is_no_change():
    full = form.defaults() | {"method": "full"}
    assert "training.learning_rate" in form.changed(full)
    assert "training.learning_rate" not in form.changed(full | {"training.learning_rate": 2e-5})


def test_a_number_that_may_be_left_out_can_be_left_empty(built):
    for path in ("data.limit", "training.neftune_noise_alpha"):
        assert isinstance(built.fields[path], gr.Textbox) and built.fields[path].value == ""
    values = form.by_path(values_of(built) | {"data__limit": "200", "training__neftune_noise_alpha": "5"})
    run = recipe.parse(recipe.nested(values))
    assert (run.data.limit, run.training.neftune_noise_alpha) == (200, 5.0)
    assert "whole number" in recipe.problems(recipe.nested(values | {"data.limit": "many"}))["data.limit"]


def test_an_optimiser_whose_package_is_missing_says_so_in_the_menu(monkeypatch):
    monkeypatch.setattr(form.hardware, "has", lambda package: package != "galore_torch")
    with gr.Blocks():
        names = {value: words for words, value in form.build().fields["training.optim"].choices}
    assert names["galore_adamw"] == "galore_adamw · needs galore-torch"
    assert names["adamw_8bit"] == "adamw_8bit"


def test_a_problem_is_written_beside_its_field_and_taken_away_when_mended(built):
    values = form.by_path(values_of(built) | {"training__learning_rate": 0})
    problems = recipe.problems(recipe.nested(values))
    field = built.fields["training.learning_rate"]

    marked = built.mark(problems, {})
    assert list(marked) == [field]
    assert "use more than 0" in marked[field]["info"]
    assert "wrong" in marked[field]["elem_classes"]

    mended = built.mark({}, problems)
    assert "use more than 0" not in mended[field]["info"]
    assert "wrong" not in mended[field]["elem_classes"]
    assert built.mark(problems, problems) == {}


def test_what_is_wrong_unfolds_its_group(built):
    assert built.open(["training.max_steps"]) == {built.groups["duration"]: gr.update(open=True)}


def test_a_folded_group_says_its_values(built):
    values = form.defaults()
    headline = built.headlines(values)[built.groups["batch"]]["label"]
    assert headline == "Batch · 4 x 4 = 16 rows per step"
    assert "cannot be used" in built.headlines(values, ["training.max_steps"])[built.groups["duration"]]["label"]


def test_the_adapter_is_asked_for_only_when_there_is_one(built):
    values = form.defaults()
    adapter = built.groups["adapter"]
    assert built.headlines(values)[adapter]["visible"]
    assert not built.headlines(values | {"method": "full"})[adapter]["visible"]


def test_fields_that_stand_elsewhere_are_not_asked_for_twice():
    with gr.Blocks():
        built = form.build(skip={"model.name"})
    assert "model.name" not in built.fields


def test_a_switch_that_may_be_left_to_dfgui_has_a_third_way(built):
    field = built.fields["early_stopping.greater_is_better"]
    assert field.value == "" and [name for name, _ in field.choices] == ["auto", "yes", "no"]
    assert form.by_path({"early_stopping__greater_is_better": ""}) == {"early_stopping.greater_is_better": None}


def test_a_field_is_there_when_it_matters(built):
    path = "run.processes"
    assert not built.fields[path].visible and built.fields["run.placement"].visible
    hidden = [path for path in built.specs if not form.applies(path, form.defaults())]
    updates, now = built.appearing(form.defaults() | {"run.placement": "accelerate"}, hidden)
    assert updates[built.fields[path]]["visible"] is True and path not in now
    assert built.appearing(form.defaults(), hidden) == ({}, hidden)  # what has not changed is left alone
    again, _ = built.appearing(form.defaults(), now)
    assert again[built.fields[path]]["visible"] is False


def test_what_decides_whether_a_field_matters_is_a_field_itself():
    for spec in fields.specs():
        for other, wanted in spec.when.items():
            decides = form.SPECS[other]
            offered = {"switch": [True, False], "choice": decides.choices}[decides.kind]
            assert set(wanted) < set(offered), spec.path


def test_two_updates_of_one_field_both_hold():
    with gr.Blocks():
        box = gr.Textbox()
    both = form.merged({box: gr.update(info="wrong")}, {box: gr.update(visible=True)})
    assert (both[box]["info"], both[box]["visible"]) == ("wrong", True)
