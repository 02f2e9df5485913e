import pytest

from dfgui.config import RunConfig


@pytest.fixture
def row():
    """A run as the store gives it, 240 steps in: `row(status="failed")` changes what a test is about."""

    def make(**changes):
        base = {
            "id": "7h2kq0x1zz",
            "name": "weather-lora",
            "status": "running",
            "reason": None,
            "error": None,
            "phase": "training",
            "phase_done": None,
            "phase_total": None,
            "phase_unit": None,
            "config": RunConfig(name="weather-lora").model_dump(),
            "facts": {},
            "created_at": 900.0,
            "started_at": 950.0,
            "first_step_at": 1000.0,
            "ended_at": None,
            "seconds_before": 0.0,
            "global_step": 241,
            "begun_at_step": 0,
            "resume_step": None,
            "queued_at": None,
            "state": None,
            "max_steps": 601,
            "epoch": 1.2,
            "num_train_epochs": 3.0,
            "train_loss": None,
            "eval_loss": None,
        }
        return base | changes

    return make
