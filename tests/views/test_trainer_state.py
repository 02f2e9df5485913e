from dfgui.views import trainer_state

NOW = 1080.0
STATE = {
    "max_steps": 601,
    "num_train_epochs": 3,
    "log_history": 48,
    "best_metric": 0.71234,
    "best_model_checkpoint": "/home/ada/runs/7h2kq0x1zz/checkpoint-200",
    "is_world_process_zero": True,
    "total_flos": 1.5e15,
}
NAMES = """
global_step epoch max_steps num_train_epochs log_history best_metric best_model_checkpoint is_world_process_zero
total_flos tokens_per_second rows_per_second
""".split()


def values(run, tokens=None):
    return {name: value for name, value, _ in trainer_state.rows(run, NOW, tokens)}


def test_every_field_is_there_by_the_name_that_the_trainer_gives_it_and_with_a_meaning(row):
    told = trainer_state.rows(row(state=STATE), NOW, None)
    assert [name for name, _, _ in told] == NAMES
    assert all(meaning for _, _, meaning in told)


def test_values_are_those_of_the_trainer_and_the_steps_those_of_this_moment(row):
    said = values(row(state=STATE | {"global_step": 235}))
    assert (said["global_step"], said["epoch"], said["max_steps"]) == ("241", "1.2", "601")
    assert (said["best_metric"], said["log_history"], said["total_flos"]) == ("0.7123", "48", "1.5e15")
    assert said["is_world_process_zero"] == "True"


def test_a_checkpoint_is_named_without_the_folders_of_the_machine(row):
    assert values(row(state=STATE))["best_model_checkpoint"] == "checkpoint-200"


def test_tokens_and_rows_of_a_second_are_counted(row):
    said = values(row(state=STATE, facts={"rows_per_step": 32}), tokens=1000.0)
    assert (said["tokens_per_second"], said["rows_per_second"]) == ("3,000", "96.0")


def test_before_the_trainer_has_told_anything_there_are_dashes(row):
    said = values(row(status="preparing", first_step_at=None, global_step=0, epoch=None))
    assert said["global_step"] == "0"
    assert {said[name] for name in NAMES[1:]} == {"–"}
